package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-164 to CK-170, CK-141, X-33: everything about the roots is checked as at creation, for the
// version that is pinned.
func TestRootKeysOfFiles(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		short := strings.TrimPrefix(strings.Split(c.keys[0], ".")[0], "https://")
		guid := uuid.MustParse(fmt.Sprintf("%032x", 1)).String()
		for _, tt := range []struct {
			what   string
			first  policy.RootKey
			second policy.RootKey
			code   fault.Code
			reason string
		}{
			{"CK-165 the same vault", policy.RootKey{URI: c.keys[0]}, policy.RootKey{URI: c.spare[0]}, fault.Invalid, "CK-165"},
			{"CK-60 a version that there is not", policy.RootKey{URI: kid(c.keys[0], 2)}, policy.RootKey{URI: c.keys[1]}, fault.Denied, "CK-60"},
			{"CK-85 a foreign host", policy.RootKey{URI: "https://contoso.evil.example/keys/root/" + guid}, policy.RootKey{URI: c.keys[1]}, fault.Invalid, "CK-85"},
			{"CK-141 a version that is none", policy.RootKey{Vault: short, Name: "root", Version: "newest"}, policy.RootKey{URI: c.keys[1]}, fault.Invalid, "CK-141"},
			{"CK-141 no version", policy.RootKey{Vault: short, Name: "root"}, policy.RootKey{URI: c.keys[1]}, fault.Invalid, "CK-141"},
			{"a vault's name that is a path", policy.RootKey{Vault: "evil.example/x", Name: "root", Version: guid}, policy.RootKey{URI: c.keys[1]}, fault.Invalid, "CK-85"},
			{"nothing", policy.RootKey{}, policy.RootKey{}, fault.Invalid, "CK-141"},
		} {
			_, err := w.service.Register(t.Context(), c.admin, "", [2]policy.RootKey{tt.first, tt.second})
			wantReason(t, tt.what, err, tt.code, tt.reason)
		}
		w.vaults.roll(c.keys[1])
		st, err := w.service.Register(t.Context(), c.admin, "nam", [2]policy.RootKey{
			{Vault: short, Name: "root", Version: strings.ToUpper(guid)}, // CK-129, CK-141 by names, the version as a GUID
			{URI: c.keys[1]}, // CK-85 without a version: the newest is pinned
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := st.Status.Policy.Roots; r[0].URI != kid(c.keys[0], 1) || r[1].URI != kid(c.keys[1], 2) {
			t.Errorf("the roots are %v", r)
		}
		st, err = w.service.Register(t.Context(), c.admin, "eur", [2]policy.RootKey{{URI: c.keys[0] + "/" + guid + "/"}, {URI: kid(c.keys[1], 1)}})
		if err != nil || st.Status.Policy.Roots[0].URI != kid(c.keys[0], 1) {
			t.Errorf("CK-130 URIs with versions: %v, %v", st.Status.Policy.Roots, err)
		}
		w.vaults.roll(c.keys[0]) // what was pinned stays
		c.mustSeal("sharepoint", "eur:site")
		if site, err := w.service.Site(t.Context(), c.admin, container(c.id, "sharepoint", "eur:site")); err != nil || site.KeyIDs[0] != kid(c.keys[0], 1) {
			t.Errorf("X-33 the site is under %v, %v", site.KeyIDs, err)
		}
	})
}

// CK-132, CK-146, CK-147, CK-177, CK-242, CK-245: one root after the other; the second has to wait
// for the first; both in one act is our own extension. Nothing becomes unreadable on the way.
func TestChangeRoots(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two")
		first := c.mustRegister("").Status.Policy
		w.work()
		spare := pinned(1, c.spare)
		_, err := w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{{URI: kid(c.keys[0], 1)}, nil})
		wantReason(t, "the key that it has", err, fault.Invalid, "")
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{nil, nil})
		wantReason(t, "no key", err, fault.Invalid, "")
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{{URI: c.spare[1]}, nil})
		wantReason(t, "CK-165 a key in the vault of the other", err, fault.Invalid, "CK-165")

		st, err := w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{&spare[0], nil})
		if err != nil {
			t.Fatal(err)
		}
		wantGeo(t, "CK-147 after Update", st, policy.Rolling, 0)
		if p := st.Status.Policy; p.Roots[0].URI != spare[0].URI || p.Roots[1].URI != first.Roots[1].URI || p.Generation == first.Generation {
			t.Errorf("CK-132 roots %v, generation %s", p.Roots, p.Generation)
		}
		if p := st.Status.Policy; p.AvailabilityKey != first.AvailabilityKey {
			t.Error("CK-245 the roll has rolled the availability key")
		}
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{nil, &spare[1]})
		wantReason(t, "CK-177 a second roll", err, fault.Conflict, policy.ReasonBusy)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		w.work()
		wantGeo(t, "CK-269 after the work", c.mustGeo(""), policy.Registered, 100)
		if st, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{nil, &spare[1]}); err != nil || st.State != policy.Rolling {
			t.Fatalf("CK-242 the other root: %v, %v", st.State, err)
		}
		w.work()
		for _, uri := range c.keys { // CK-246: nothing needs the old ones any more
			w.vaults.deny(uri)
		}
		c.dropAll()
		if err := c.reopen(); err != nil {
			t.Errorf("without the old root keys: %v", err)
		}
		for _, v := range c.mustGeo("").Status.Roots {
			if old := strings.Contains(v.KeyID, "/root/"); old != v.SafeToRetire {
				t.Errorf("CK-246 %s is safe to retire: %t", v.KeyID, v.SafeToRetire)
			}
		}
		for _, uri := range c.keys {
			w.vaults.heal(uri)
		}
		both := pinned(1, c.keys)
		if st, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{&both[0], &both[1]}); err != nil || st.State != policy.Rolling {
			t.Errorf("both in one act: %v, %v", st.State, err)
		}
		w.work()
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// dropAll makes the keyring ask the roots again.
func (c *tenant) dropAll() {
	c.t.Helper()
	live, err := c.rows.LiveGenerations(c.t.Context(), c.id)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, g := range live {
		c.world.keys.Drop(c.id, g.ID)
	}
}

// Two rolls at once: one wins, the other is told.
func TestTwoRollsAtOnce(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one")
		c.mustRegister("")
		w.work()
		w.vaults.pause = time.Second
		answers := make(chan error, 2)
		for i, uri := range c.spare {
			var change [2]*policy.RootKey
			change[i] = &policy.RootKey{URI: uri}
			go func() {
				_, err := w.service.ChangeRoots(context.Background(), c.admin, "", change)
				answers <- err
			}()
		}
		a, b := <-answers, <-answers
		if won := errors.Join(a, b); won == nil || a != nil && b != nil {
			t.Fatalf("one of two must win: %v, %v", a, b)
		}
		for _, err := range []error{a, b} {
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Errorf("the loser got %v", err)
			}
		}
	})
}

// Sites whose root keys are taken back while they are on their way hold up nobody else: the
// tenant's other content moves, and they do once a key is given back.
func TestClosedSitesHoldUpNobody(t *testing.T) {
	for name, fail := range map[string]func(*vaults, string){"denied": (*vaults).deny, "unreachable": (*vaults).cut} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, w *world) {
				c := w.tenant().files()
				c.mustSeal("sharepoint", "one", "two")
				c.mustRegister("")
				w.work()
				if _, err := w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{{URI: c.spare[0]}, nil}); err != nil {
					t.Fatal(err)
				}
				other := [2]string{w.vaults.key("other-east", "root"), w.vaults.key("other-west", "root")}
				tenant, err := w.service.Create(t.Context(), c.admin, policy.Draft{Family: policy.MultiWorkload, Name: "Tenant", KeyURIs: other[:], Enabled: true})
				if err != nil {
					t.Fatal(err)
				}
				c.mustSeal("documents", "contracts")
				c.mustSeal("exchange", "alice")
				for _, uri := range append(c.keys[:], c.spare[0]) {
					fail(w.vaults, uri)
				}
				c.dropAll()
				c.mustAssign(tenant.ID)
				w.work()
				c.wantWhere("documents", tenant.ID, 1)
				c.wantWhere("exchange", tenant.ID, 1)
				st := c.mustGeo("")
				wantGeo(t, "without root keys", st, policy.Rolling, 0)
				if op := st.Status.Operation; op == nil || op.State == operation.Done || !strings.Contains(op.Error, "2 container keys wait for root keys") {
					t.Errorf("the work says %+v", op)
				}
				before := c.mustGeo("").Status.Operation.Fence
				w.workFor(4 * time.Minute)
				if n := c.mustGeo("").Status.Operation.Fence - before; n < 4 || n > 10 {
					t.Errorf("the keys were looked at %d times in four minutes", n)
				}
				for _, uri := range append(c.keys[:], c.spare[0]) {
					w.vaults.heal(uri)
				}
				time.Sleep(time.Hour)
				w.work()
				wantGeo(t, "given back", c.mustGeo(""), policy.Registered, 100)
			})
		})
	}
}

// workFor runs what is to be done for a while, as a server does.
func (w *world) workFor(d time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.runner.Run(ctx) }()
	time.Sleep(d)
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}
