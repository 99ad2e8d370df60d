package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// pinned returns versions of root keys as they are given to Register.
func pinned(version int, uris [2]string) (keys [2]policy.RootKey) {
	for i, uri := range uris {
		keys[i].URI = kid(uri, version)
	}
	return keys
}

// files gives the tenant's administrator the role for files.
func (c *tenant) files() *tenant {
	c.admin.Roles = append(c.admin.Roles, directory.SharePointAdministrator)
	return c
}

func (c *tenant) mustRegister(geo string) policy.GeoStatus {
	c.t.Helper()
	st, err := c.files().service.Register(c.t.Context(), c.admin, geo, pinned(1, c.keys))
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

func (c *tenant) mustGeo(geo string) policy.GeoStatus {
	c.t.Helper()
	st, err := c.service.Geo(c.t.Context(), c.admin, geo)
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

func wantGeo(t *testing.T, what string, st policy.GeoStatus, state policy.GeoState, percent int) {
	t.Helper()
	if st.State != state || st.Percent != percent {
		t.Errorf("%s: %s, %d %%, want %s, %d %%", what, st.State, st.Percent, state, percent)
	}
}

func wantReason(t *testing.T, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if e := fault.As(err); err == nil || e.Code != code || e.Reason != reason || e.Hint == "" {
		t.Errorf("%s: error %v, reason %q, want %s %q with a hint", what, err, e.Reason, code, reason)
	}
}

// CK-142 to CK-144, CK-236, CK-237: registering a geo puts its sites under the policy, new ones at
// once, stored ones in the background, and tells how far it is. Another geo and the tenant's own
// policy are left alone (CK-297, CK-298).
func TestRegister(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 1 }, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two", "three", "four", "eur:five")
		c.mustSeal("exchange", "alice")
		wantGeo(t, "CK-143 before", c.mustGeo(""), policy.Unregistered, 0)
		site := container(c.id, "sharepoint", "one")
		_, err := w.service.Site(t.Context(), c.admin, site)
		wantReason(t, "CK-138 a site where no policy is", err, fault.Conflict, policy.ReasonUnregistered)

		st := c.mustRegister("")
		wantGeo(t, "CK-143 after Register", st, policy.Registering, 0)
		p := st.Status.Policy
		if p.Roots[0].URI != kid(c.keys[0], 1) || p.Roots[1].URI != kid(c.keys[1], 1) || p.Roots[0].App != directory.SharePointApp {
			t.Errorf("X-33 the roots are %v", p.Roots)
		}
		if st.Bound != 4*time.Hour || st.Geo != "default" || st.Sites != 4 {
			t.Errorf("CK-72 the revocation is bound by %s, in geo %q with %d sites", st.Bound, st.Geo, st.Sites)
		}
		c.mustSeal("sharepoint", "new")
		wantGeo(t, "a new site is under it at once", c.mustGeo(""), policy.Registering, 20)
		if one, err := w.service.Site(t.Context(), c.admin, site); err != nil || one.State != policy.Registering {
			t.Errorf("CK-138 a site on its way: %v, %v", one.State, err)
		}
		w.work()
		wantGeo(t, "CK-143 at the end", c.mustGeo(""), policy.Registered, 100)
		one, err := w.service.Site(t.Context(), c.admin, site)
		if err != nil || one.State != policy.Registered || one.KeyIDs != [2]string{kid(c.keys[0], 1), kid(c.keys[1], 1)} {
			t.Errorf("CK-138 a site that has arrived: %+v, %v", one, err)
		}
		wantGeo(t, "CK-298 another geo", c.mustGeo("EUR"), policy.Unregistered, 0)
		c.wantWhere("exchange", c.serviceOwned(), 1)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		g, err := w.rows.Generation(t.Context(), c.id, p.Generation)
		if err != nil || g.Unwrapping != hierarchy.Hedged {
			t.Errorf("CK-66 the rule of the generation: %q, %v", g.Unwrapping, err)
		}
	})
}

// serviceOwned returns the policy that covers what no policy of the tenant does.
func (c *tenant) serviceOwned() string {
	c.t.Helper()
	p, err := c.rows.PolicyNamed(c.t.Context(), c.id, policy.ServiceOwned, policy.FoldName("Service-managed keys"))
	if err != nil {
		c.t.Fatal(err)
	}
	return p.ID
}

// What is shown never goes back (CK-144): a request that was decided before Register may still
// put a new site under the former policy.
func TestProgressNeverGoesBack(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two", "three")
		late := container(c.id, "sharepoint", "late")
		target, err := w.service.InForce(t.Context(), late)
		if err != nil {
			t.Fatal(err)
		}
		c.mustRegister("")
		w.work()
		wantGeo(t, "registered", c.mustGeo(""), policy.Registered, 100)
		o, err := w.keys.ForSealing(t.Context(), c.admin, late, target)
		if err != nil {
			t.Fatal(err)
		}
		o.Close()
		wantGeo(t, "with a late site", c.mustGeo(""), policy.Registered, 100)
	})
}

// CK-2, CK-176, CK-178, CK-301, CK-315, CK-280, X-16: a family of its own; one policy for a geo and
// for all its sites; administrators of files; no way back.
func TestRegisterIsRefused(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		_, err := w.service.Register(t.Context(), c.admin, "", pinned(1, c.keys))
		wantReason(t, "CK-280 a compliance administrator", err, fault.Forbidden, "")
		c.files()
		_, err = w.service.Register(t.Context(), c.admin, "apc", pinned(1, c.keys))
		wantReason(t, "CK-298 a geo that there is not", err, fault.NotFound, "NoGeo")
		_, err = w.service.Create(t.Context(), c.admin, policy.Draft{Family: policy.SharePoint, Name: "x", KeyURIs: c.keys[:], Enabled: true})
		wantReason(t, "a policy without a geo", err, fault.Invalid, "")
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{{URI: c.spare[0]}, nil})
		wantReason(t, "CK-178 Update when not registered", err, fault.Conflict, policy.ReasonUnregistered)
		_, err = w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, c.spare))
		wantReason(t, "CK-178 Restore when not in recovery", err, fault.Conflict, policy.ReasonNoRecovery)

		st := c.mustRegister("")
		_, err = w.service.Register(t.Context(), c.admin, "", pinned(1, c.spare))
		wantReason(t, "CK-176 a second policy for the geo", err, fault.Conflict, policy.ReasonRegistered)
		if eur := c.mustRegister("eur"); eur.Status.Policy.ID == st.Status.Policy.ID {
			t.Error("CK-298 two geos share a policy")
		}
		name := st.Status.Policy.Name
		for what, do := range map[string]func() error{
			"Refresh": func() error { _, err := w.service.Refresh(t.Context(), c.admin, policy.SharePoint, name); return err },
			"Update": func() error {
				off := false
				_, err := w.service.Update(t.Context(), c.admin, policy.SharePoint, name, policy.Change{Enabled: &off})
				return err
			},
			"Replace": func() error {
				_, err := w.service.Replace(t.Context(), c.admin, policy.SharePoint, name, c.spare[:])
				return err
			},
		} {
			wantReason(t, "CK-251 "+what, do(), fault.Invalid, "")
		}
	})
}

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

// CK-76 to CK-79, CK-270: both roots are lost for ever. Nothing opens until an approved request
// lets the administrator give new ones; then everything does, whatever was on its way.
func TestRecoveryOfFiles(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two")
		c.mustRegister("")
		w.work()
		change := policy.RootKey{URI: c.spare[0]} // a roll is under way when the keys are lost
		if _, err := w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{&change, nil}); err != nil {
			t.Fatal(err)
		}
		c.mustSeal("sharepoint", "three")
		for _, uri := range append(c.keys[:], c.spare[0]) {
			w.vaults.deny(uri)
		}
		c.dropAll()
		if err := c.reopen(); !fault.Is(err, fault.Denied) {
			t.Fatalf("CK-71 with both roots lost: %v", err)
		}
		fresh := [2]string{w.vaults.key("rescue-east", "root"), w.vaults.key("rescue-west", "root")}
		_, err := w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, fresh))
		wantReason(t, "CK-78 without recovery", err, fault.Conflict, policy.ReasonNoRecovery)
		err = w.service.BeginRecovery(t.Context(), c.admin, c.id, "default", time.Now().Add(time.Hour))
		wantReason(t, "CK-76 an administrator alone", err, fault.Forbidden, "")

		approved := directory.SystemCaller(c.id, "recovery", "request")
		begin := func(d time.Duration) {
			t.Helper()
			if err := w.service.BeginRecovery(t.Context(), approved, c.id, "default", time.Now().Add(d)); err != nil {
				t.Fatal(err)
			}
		}
		begin(time.Hour)
		if st := c.mustGeo(""); st.State != policy.Recovering || st.Recovery.IsZero() {
			t.Errorf("CK-78 %s until %s", st.State, st.Recovery)
		}
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{&change, nil})
		wantReason(t, "CK-178 Update in recovery", err, fault.Conflict, policy.ReasonBusy)
		time.Sleep(time.Hour)
		if _, err = w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, fresh)); !fault.Is(err, fault.Conflict) {
			t.Errorf("a recovery that is over: %v", err)
		}
		begin(time.Hour)
		if err := w.service.EndRecovery(t.Context(), approved, c.id, "default"); err != nil {
			t.Fatal(err)
		}
		if st := c.mustGeo(""); st.State == policy.Recovering {
			t.Error("an ended recovery goes on")
		}
		begin(time.Hour)
		if c.reopen() == nil {
			t.Fatal("CK-71 beginning a recovery opens content by itself")
		}
		start := time.Now()
		st, err := w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, fresh))
		if err != nil || st.State == policy.Recovering {
			t.Fatalf("%s, %v", st.State, err)
		}
		if err := c.reopen(); err != nil || time.Since(start) > 10*time.Second {
			t.Errorf("CK-77 after the restore, %s later: %v", time.Since(start), err)
		}
		w.work()
		wantGeo(t, "CK-77 at the end", c.mustGeo(""), policy.Registered, 100)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		if n := c.watched(fresh[0]); n != 1 {
			t.Errorf("%d rows watch the new root keys", n)
		}
		uses := 0
		for _, line := range c.entries() {
			if strings.HasPrefix(line, "allow availability.use") {
				uses++
			}
		}
		if uses != 2 { // one for each generation that something was under
			t.Errorf("CK-80 %d uses of the availability key in the log", uses)
		}
	})
}

// watched counts the rows by which a version of a root key is watched.
func (c *tenant) watched(uri string) (n int) {
	c.t.Helper()
	err := c.db.Read(c.t.Context(), func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM health_roots WHERE tenant_id = $1 AND uri = $2`, c.id, kid(uri, 1)).Scan(&n)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// CK-7, CK-9, CK-27, CK-29, CK-31: root keys and availability key wrap the policy key of a geo, each
// policy its own; that wraps the keys of sites, each its own.
func TestPolicyKeysOfGeos(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		nam, eur := c.mustRegister("nam").Status.Policy, c.mustRegister("eur").Status.Policy
		a, err := w.rows.Generation(t.Context(), c.id, nam.Generation)
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.rows.Generation(t.Context(), c.id, eur.Generation)
		if err != nil || string(a.Commitment) == string(b.Commitment) {
			t.Errorf("CK-27, CK-31 two policies share a policy key: %v", err)
		}
		if len(a.AvailabilityWrapped) == 0 || len(a.Roots[0].Wrapped) == 0 || len(a.Roots[1].Wrapped) == 0 {
			t.Error("CK-9 a copy of the policy key is missing")
		}
		c.mustSeal("sharepoint", "nam:one", "nam:two")
		keys, err := w.rows.ContainerKeys(t.Context(), c.id, policy.Place{}, 10)
		if err != nil || len(keys) != 2 || string(keys[0].Wrapped) == string(keys[1].Wrapped) {
			t.Fatalf("CK-29 keys of two sites: %d, %v", len(keys), err)
		}
		for _, k := range keys {
			if k.Generation != nam.Generation || k.Geo != "nam" {
				t.Errorf("CK-7 the key of %s is under %s, geo %q", k.Container, k.Generation, k.Geo)
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

// What Register stores is stored together: policy, generation, assignment and the work to come.
func TestRegisterIsOneTransaction(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one")
		var rows *failing
		config := w.config
		rows = &failing{Store: w.rows}
		config.Store = rows
		service := must(policy.New(config))
		rows.fails = true
		if _, err := service.Register(t.Context(), c.admin, "", pinned(1, c.keys)); err == nil {
			t.Fatal("registered without storing it")
		}
		wantGeo(t, "after the failure", c.mustGeo(""), policy.Unregistered, 0)
		rows.fails = false
		if _, err := service.Register(t.Context(), c.admin, "", pinned(1, c.keys)); err != nil {
			t.Fatal(err)
		}
		if st := c.mustGeo(""); st.Status.Operation == nil || st.Status.Operation.State != operation.Waiting {
			t.Errorf("the work to come: %+v", st.Status.Operation)
		}
	})
}

// failing is a store that cannot write.
type failing struct {
	policy.Store
	fails bool
}

func (f *failing) Apply(ctx context.Context, e policy.Edit) error {
	if f.fails {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	return f.Store.Apply(ctx, e)
}
