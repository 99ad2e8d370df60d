package policy_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// operator runs the service.
var operator = directory.Caller{
	Tenant: "provider", ID: uuid.NewString(), Kind: directory.User, Name: "operator@provider.example",
	Roles: []directory.Role{directory.ServiceOperator},
}

// all returns every policy of the tenant as it is stored, the service's own first.
func (c *tenant) all() (ps []policy.Policy) {
	c.t.Helper()
	for _, f := range []policy.Family{policy.ServiceOwned, policy.MultiWorkload, policy.Mailbox, policy.SharePoint} {
		ps = append(ps, must(c.rows.Policies(c.t.Context(), c.id, f, 100))...)
	}
	return ps
}

// spareKeys returns the availability keys of the tenant's policies, by policy.
func (c *tenant) spareKeys() map[string]string {
	keys := map[string]string{}
	for _, p := range c.all() {
		keys[p.ID] = p.AvailabilityKey
	}
	return keys
}

func (w *world) facts(tenant, id string) availability.Facts {
	w.t.Helper()
	return must(w.config.Availability.Facts(w.t.Context(), directory.SystemCaller(tenant, "test", ""), tenant, id))
}

func (w *world) mustTend() {
	w.t.Helper()
	if _, err := w.service.TendAvailability(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mustRoll(tenant string) {
	w.t.Helper()
	if err := w.service.RollAvailability(w.t.Context(), operator, tenant); err != nil {
		w.t.Fatal(err)
	}
}

// rolled fails unless every policy has another key than before, and its newest generation is
// wrapped under that.
func (c *tenant) rolled(before map[string]string) {
	c.t.Helper()
	for _, p := range c.all() {
		g := must(c.rows.Generation(c.t.Context(), c.id, p.Generation))
		if p.AvailabilityKey == before[p.ID] || g.AvailabilityKey != p.AvailabilityKey || g.State != hierarchy.Active {
			c.t.Errorf("%s has the key %s (before: %s), its generation %d, %s, that of %s", p.Name, p.AvailabilityKey, before[p.ID], g.Number, g.State, g.AvailabilityKey)
		}
	}
}

// CK-33, CK-282: on an operator's request each policy gets a new availability key and a new
// generation; content moves and opens all the time; the old keys are destroyed when nothing needs
// them. The operator sees no key, and the tenant's log says that he asked.
func TestRollOnRequest(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustCreate("P")
		c.mustMake(policy.Mailbox, "M")
		c.mustSeal("documents", "default")
		c.mustAssign("P")
		c.mustSeal("documents", "later")
		w.work()
		before := c.spareKeys()

		c.mustRollAs(operator)
		if err := w.service.RollAvailability(t.Context(), operator, c.id); !fault.Is(err, fault.Conflict) {
			t.Errorf("asked twice: %v", err)
		}
		w.work()
		c.rolled(before)
		if err := c.reopen(); err != nil {
			t.Fatal(err)
		}
		if op := must(w.rows.NewestOperation(t.Context(), c.id, "rollavailability")); op.State != operation.Done || op.Percent() != 100 {
			t.Errorf("%+v", op)
		}
		for _, p := range c.all() {
			if old := w.facts(c.id, before[p.ID]); old.Superseded.IsZero() || !old.Destroyed.IsZero() {
				t.Errorf("the old key of %s: %+v", p.Name, old)
			}
		}
		w.mustTend()
		for _, key := range before { // CK-230: a policy that is just being made may still take it
			if !w.facts(c.id, key).Destroyed.IsZero() {
				t.Error("destroyed within the hour")
			}
		}
		time.Sleep(61 * time.Minute)
		w.mustTend()
		for id, key := range before {
			if w.facts(c.id, key).Destroyed.IsZero() {
				t.Errorf("the old key of %s lives", id)
			}
		}
		c.rolled(before)
		if err := c.reopen(); err != nil {
			t.Fatal(err)
		}
		if log := strings.Join(c.entries(), "\n"); !strings.Contains(log, "allow availabilitykey.roll "+c.id) {
			t.Errorf("the tenant's log does not say who asked:\n%s", log)
		}
	})
}

// mustRollAs asks for a roll of the tenant's keys, a second after whatever came before.
func (c *tenant) mustRollAs(caller directory.Caller) {
	c.t.Helper()
	time.Sleep(time.Second)
	if err := c.service.RollAvailability(c.t.Context(), caller, c.id); err != nil {
		c.t.Fatal(err)
	}
}

// CK-32, CK-245: rolling a root never rolls the availability key; neither do all other changes of a
// policy.
func TestRootsDoNotRollAvailability(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		before := c.spareKeys()
		w.vaults.roll(c.keys[0])
		w.vaults.roll(c.keys[1])
		c.mustRefresh("P")
		c.mustAssign("P")
		text := "new"
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Description: &text}); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.mustTend()
		w.work()
		for _, p := range c.all() {
			g := must(w.rows.Generation(t.Context(), c.id, p.Generation))
			if p.AvailabilityKey != before[p.ID] || g.AvailabilityKey != before[p.ID] {
				t.Errorf("%s has another availability key", p.Name)
			}
		}
		if c.mustCreate("Q").AvailabilityKey == before[c.all()[1].ID] { // CK-32: but a new policy has its own
			t.Error("two policies share a key")
		}
	})
}

// A policy whose roots do not work keeps its key, is told of, and follows when they do.
func TestRollSkipsDeniedRoots(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		denied := c.mustCreate("Denied")
		w.vaults.deny(c.keys[1])
		c.keys = c.spare
		good := c.mustCreate("Good")
		before := c.spareKeys()
		c.mustRollAs(operator)
		w.work()
		after := c.spareKeys()
		if after[denied.ID] != before[denied.ID] || after[good.ID] == before[good.ID] {
			t.Errorf("keys %v became %v", before, after)
		}
		op := must(w.rows.NewestOperation(t.Context(), c.id, "rollavailability"))
		if op.State != operation.Failed || !strings.Contains(op.Error, "1 of 3 policies") || !strings.Contains(op.Error, "Denied: ") || op.Hint == "" {
			t.Errorf("%+v", op)
		}
		k := must(w.service.AvailabilityKeys(t.Context(), c.admin, "", "Denied"))
		if len(k) != 1 || k[0].State != policy.KeyRolling || k[0].Roll.ID != op.ID {
			t.Errorf("%+v", k)
		}

		calls := w.vaults.calls()
		w.mustTend()
		w.work()
		if w.vaults.calls() != calls {
			t.Error("the vaults are asked again at once")
		}
		for range 2 { // CK-35: as long as the policy needs the old key, it lives
			time.Sleep(61 * time.Minute)
			w.mustTend()
			w.work()
		}
		if !w.facts(c.id, before[denied.ID]).Destroyed.IsZero() {
			t.Error("a key that is needed was destroyed")
		}
		if c.spareKeys()[good.ID] != after[good.ID] {
			t.Error("the policy that was rolled is rolled again")
		}
		w.vaults.heal(denied.Roots[1].URI)
		time.Sleep(61 * time.Minute)
		w.mustTend()
		w.work()
		c.rolled(before)
	})
}

// What a tenant reads of a roll names none of the service's own vaults.
func TestRollSaysNothingOfTheService(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		w.vaults.cut(c.all()[0].Roots[0].URI)
		c.mustRollAs(operator)
		w.work()
		op := must(w.rows.NewestOperation(t.Context(), c.id, "rollavailability"))
		if op.State != operation.Failed || strings.Contains(op.Error, "service-one") || !strings.Contains(op.Error, "1 of 2 policies") {
			t.Errorf("%+v", op)
		}
	})
}

// CK-33: on a schedule, each key when it has come to the age; never, if none is set.
func TestRollOnSchedule(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for _, every := range []time.Duration{month, 0} {
		t.Run(every.String(), func(t *testing.T) {
			inWorld(t, func(c *policy.Config) { c.AvailabilityRoll = every }, func(t *testing.T, w *world) {
				old := w.tenant()
				old.mustCreate("P")
				old.mustSeal("documents", "default")
				// Left behind by a policy that never came to be.
				orphan := must(w.config.Availability.Create(t.Context(), old.admin, availability.Scope{Kind: availability.PerPolicy, Tenant: old.id, Policy: "none"}))
				time.Sleep(month / 2)
				young := w.tenant()
				before := [2]map[string]string{old.spareKeys(), young.spareKeys()}
				time.Sleep(month/2 + time.Hour)
				for range 3 {
					w.mustTend()
					w.work()
				}
				if every == 0 {
					if fmt.Sprint(old.spareKeys()) != fmt.Sprint(before[0]) {
						t.Error("rolled without a schedule")
					}
					return
				}
				old.rolled(before[0])
				if fmt.Sprint(young.spareKeys()) != fmt.Sprint(before[1]) {
					t.Error("a key of half a month was rolled")
				}
				strange, err := w.service.TendAvailability(t.Context())
				if err != nil || strange != 1 || !w.facts(old.id, orphan).Destroyed.IsZero() {
					t.Errorf("a key that no policy was ever known to have: %+v; %d are strange, %v", w.facts(old.id, orphan), strange, err)
				}
				if err := old.reopen(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A key that was rolled is kept for as long as backups are: an older database of the service, put
// back within that time, opens by it.
func TestRetiredKeysOutliveBackups(t *testing.T) {
	const day = 24 * time.Hour
	inWorld(t, func(c *policy.Config) { c.AvailabilityKeep = 0 }, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("documents", "default")
		before := c.spareKeys()
		c.mustRollAs(operator)
		time.Sleep(10 * day) // the work is late: the wait begins when it is done
		w.work()
		c.rolled(before)
		time.Sleep(29 * day)
		w.mustTend()
		if f := w.facts(c.id, p.AvailabilityKey); f.Superseded.IsZero() || !f.Destroyed.IsZero() {
			t.Errorf("after 29 days: %+v", f)
		}
		time.Sleep(2 * day)
		w.mustTend()
		if f := w.facts(c.id, p.AvailabilityKey); f.Destroyed.IsZero() {
			t.Errorf("after 31 days: %+v", f)
		}
	})
}

// An older database of the service is put back, which does not know the newest policies yet: what
// it has never heard of it destroys never, however old that is and whoever asks for a roll. With
// the newer one put back, everything is there.
func TestAnOlderDatabaseDestroysNoUnknownKeys(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.AvailabilityRoll = 24 * time.Hour }, func(t *testing.T, w *world) {
		older := newWorld(t, func(c *policy.Config) { c.AvailabilityRoll = 24 * time.Hour })
		older.spare, older.spareLog, older.spareDB = w.spare, w.spareLog, w.spareDB
		older.assemble(func(c *policy.Config) { c.AvailabilityRoll = 24 * time.Hour })
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustCreate("P")
		c.mustMake(policy.Mailbox, "M")
		files := c.mustRegister("").Status.Policy.AvailabilityKey
		before := c.spareKeys()
		older.mustRoll("")
		for range 3 {
			time.Sleep(40 * 24 * time.Hour)
			strange, err := older.service.TendAvailability(t.Context())
			if err != nil || strange < 3 {
				t.Errorf("%d keys are strange, %v", strange, err)
			}
			older.work()
		}
		for policy, key := range before {
			if f := w.facts(c.id, key); !f.Destroyed.IsZero() {
				t.Errorf("the key of %s is destroyed: %+v", policy, f)
			}
		}
		for range 2 { // the newer database again: it takes the keys that were made meanwhile
			w.mustTend()
			w.work()
		}
		c.rolled(before)
		if w.facts(c.id, files).Superseded.IsZero() {
			t.Error("the key of the forest was not rolled")
		}
	})
}

// CK-25, CK-31: the key of the forest is rolled for all tenants at once, or not at all, and is
// destroyed when no tenant needs it.
func TestRollForest(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		a, b := w.tenant(), w.tenant()
		pa, pb := a.mustRegister("").Status.Policy, b.mustRegister("").Status.Policy
		if pa.AvailabilityKey != pb.AvailabilityKey {
			t.Fatal("two tenants have two keys")
		}
		a.mustSeal("sharepoint", "one")
		a.mustRollAs(operator)
		w.work()
		if a.spareKeys()[pa.ID] != pa.AvailabilityKey {
			t.Error("the forest's key was rolled for one tenant")
		}
		w.vaults.deny(b.keys[0])
		time.Sleep(time.Second)
		w.mustRoll("")
		for range 2 { // the first makes the key, the second sees that policies have an old one
			w.mustTend()
			w.work()
		}
		if key := a.spareKeys()[pa.ID]; key == pa.AvailabilityKey || w.facts(a.id, key).Kind != availability.PerForest {
			t.Errorf("%+v", w.facts(a.id, key))
		}
		if b.spareKeys()[pb.ID] != pb.AvailabilityKey {
			t.Error("rolled without a root")
		}
		time.Sleep(2 * time.Hour)
		w.mustTend()
		w.work()
		if !w.facts(a.id, pa.AvailabilityKey).Destroyed.IsZero() {
			t.Fatal("a key that a tenant needs was destroyed")
		}
		w.vaults.heal(b.keys[0])
		for range 2 {
			time.Sleep(2 * time.Hour)
			w.mustTend()
			w.work()
		}
		if a.spareKeys()[pa.ID] != b.spareKeys()[pb.ID] || b.spareKeys()[pb.ID] == pb.AvailabilityKey {
			t.Error("the second tenant has not followed")
		}
		w.mustTend()
		if w.facts(a.id, pa.AvailabilityKey).Destroyed.IsZero() {
			t.Error("the old key lives, and nobody needs it")
		}
		if err := a.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// CK-36: after the setting was changed to a key per tenant, the next roll brings it.
func TestForestToTenant(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		a, b := w.tenant(), w.tenant()
		pa, pb := a.mustRegister("").Status.Policy, b.mustRegister("").Status.Policy
		w.config.SharePointAvailability = availability.PerTenant
		w.process(newFuse(1 << 40))
		a.mustRollAs(operator)
		b.mustRollAs(operator)
		w.work()
		ka, kb := w.facts(a.id, a.spareKeys()[pa.ID]), w.facts(b.id, b.spareKeys()[pb.ID])
		if ka.Kind != availability.PerTenant || kb.Kind != availability.PerTenant || ka.ID == kb.ID || ka.Tenant != a.id {
			t.Errorf("%+v and %+v", ka, kb)
		}
		if more := a.mustRegister("eur").Status.Policy; more.AvailabilityKey != ka.ID {
			t.Error("two SharePoint policies of a tenant have two keys")
		}
	})
}

// Only an operator has keys rolled (CK-282), and he learns nothing by it.
func TestRollDoor(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		for name, caller := range map[string]directory.Caller{"administrator": c.admin, "system": directory.SystemCaller(c.id, "x", "")} {
			if err := w.service.RollAvailability(t.Context(), caller, c.id); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.service.RollAvailability(t.Context(), operator, uuid.NewString()); !fault.Is(err, fault.NotFound) || fault.As(err).Hint == "" {
			t.Errorf("an unknown tenant: %v", err)
		}
		for name, err := range map[string]error{
			"keys":  second(w.service.AvailabilityKeys(t.Context(), operator, "", "")),
			"limit": w.service.SetAvailabilityLimit(t.Context(), operator, "", "P", nil),
		} {
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s by an operator: %v", name, err)
			}
		}
	})
}

// mustPrepare makes a policy with content under it.
func (c *tenant) mustPrepare() {
	c.t.Helper()
	c.mustCreate("P")
	c.mustAssign("P")
	c.mustSeal("documents", "default")
	c.mustSeal("exchange", "alice")
	c.work()
	time.Sleep(time.Second)
}

// rollScript rolls the tenant's keys to the end; it can be run again after being cut off anywhere.
func (c *tenant) rollScript() error {
	if err := c.service.RollAvailability(c.t.Context(), operator, c.id); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	c.work()
	time.Sleep(2 * time.Hour)
	_, err := c.service.TendAvailability(c.t.Context())
	return err
}

// Killed after every second write of a roll: what is there is legal, everything opens, no key that
// is needed was destroyed, and what was begun ends by itself.
func TestCrashInRoll(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		for n, finished := int64(0), false; !finished; n += 2 * slow {
			c, f := w.tenant(), newFuse(n)
			w.process(newFuse(1 << 40))
			c.mustPrepare()
			before := c.spareKeys()
			w.process(f)
			err := c.rollScript()
			if finished = err == nil && !f.dead.Load(); !finished && !f.dead.Load() {
				t.Fatalf("after %d writes: %v", n, err)
			}
			w.process(newFuse(1 << 40))
			c.check(n)
			time.Sleep(2 * time.Hour)
			for range 2 {
				w.mustTend()
				w.work()
			}
			if asked := must(w.rows.NewestOperation(t.Context(), c.id, "rollavailability")) != nil; asked {
				c.rolled(before)
			}
			time.Sleep(2 * time.Hour)
			w.mustTend()
			c.check(n)
			c.noneLeft(n)
			if n > 100 {
				t.Fatal("the script does not end")
			}
		}
	})
}

// forestScript rolls all keys of all tenants to the end.
func (w *world) forestScript() error {
	ctx := w.t.Context()
	if err := w.service.RollAvailability(ctx, operator, ""); err != nil {
		return err
	}
	for range 3 {
		if _, err := w.service.TendAvailability(ctx); err != nil {
			return err
		}
		w.work()
		time.Sleep(2 * time.Hour)
	}
	_, err := w.service.TendAvailability(ctx)
	return err
}

// The same for the key that all tenants share: killed after every fifth write, each tenant follows,
// and the old key goes when none needs it.
func TestCrashInForestRoll(t *testing.T) {
	for start := range int64(2) {
		t.Run(fmt.Sprint(start), func(t *testing.T) {
			inWorld(t, nil, func(t *testing.T, _ *world) {
				for n, finished := start, false; !finished; n += 10 * slow {
					finished = crashInForestRoll(t, n)
					if n > 300 {
						t.Fatal("the script does not end")
					}
				}
			})
		})
	}
}

// crashInForestRoll is one round, killed after n writes; it reports whether the script had ended by
// then.
func crashInForestRoll(t *testing.T, n int64) (finished bool) {
	w, f := newWorld(t, nil), newFuse(n)
	tenants := []*tenant{w.tenant(), w.tenant()}
	var before [2]map[string]string
	var old string
	for i, c := range tenants {
		old = c.mustRegister("").Status.Policy.AvailabilityKey
		c.mustSeal("sharepoint", "one")
		before[i] = c.spareKeys()
	}
	w.work()
	time.Sleep(time.Second)
	w.process(f)
	err := w.forestScript()
	if finished = err == nil && !f.dead.Load(); !finished && !f.dead.Load() {
		t.Fatalf("after %d writes: %v", n, err)
	}
	w.process(newFuse(1 << 40))
	for _, c := range tenants {
		c.check(n)
	}
	asked := !must(w.config.Availability.RenewalAsked(t.Context())).IsZero()
	for range 4 {
		time.Sleep(2 * time.Hour)
		w.mustTend()
		w.work()
	}
	for i, c := range tenants {
		c.check(n)
		c.noneLeft(n)
		if asked {
			c.rolled(before[i])
		}
	}
	if gone := !w.facts(tenants[0].id, old).Destroyed.IsZero(); gone != asked {
		t.Errorf("killed after %d writes: the old key is destroyed: %v, a roll was asked for: %v", n, gone, asked)
	}
	return finished
}

// check checks what must hold at every moment.
func (c *tenant) check(n int64) {
	c.t.Helper()
	if err := c.legal(); err != nil {
		c.t.Fatalf("killed after %d writes: %v", n, err)
	}
	for _, g := range must(c.rows.LiveGenerations(c.t.Context(), c.id)) {
		if f := c.facts(c.id, g.AvailabilityKey); !f.Destroyed.IsZero() {
			c.t.Fatalf("killed after %d writes: generation %d needs a destroyed key", n, g.Number)
		}
	}
}

// noneLeft fails if a key lives that no policy names.
func (c *tenant) noneLeft(n int64) {
	c.t.Helper()
	left := must(c.config.Availability.Superseded(c.t.Context(), availability.Facts{}, 100))
	for _, f := range left {
		if f.Tenant == c.id {
			c.t.Errorf("killed after %d writes: the key %d of %s lives on", n, f.Number, f.Policy)
		}
	}
}

// An older database of availability keys, or a new one where it was lost, knows nothing of the keys
// of policies that are younger: these get others as soon as the server runs. Until then they have
// their two roots alone, and if those were lost so would be the content. Policies whose keys are
// there keep them.
func TestAnOlderDatabaseHasLostKeys(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		old := c.mustMake(policy.Mailbox, "Old")
		backup := w.backUp()
		c.mustCreate("Young")
		c.mustAssign("Young")
		c.mustRegister("")
		c.mustSeal("exchange", "alice")
		c.mustSeal("sharepoint", "site")
		w.work()
		r := w.restored(copied{w.backUp().service, backup.availability})
		again := *c
		again.world = r
		for range 2 {
			r.mustTend()
			r.work()
		}
		states := map[string]policy.AvailabilityState{}
		keys, err := r.service.AvailabilityKeys(t.Context(), c.admin, "", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if states[k.Policy.Name] = k.State; k.Policy.ID == old.ID && (k.Facts.ID != old.AvailabilityKey || k.Policy.Number != 1) {
				t.Error("a key that is there was rolled")
			}
		}
		want := map[string]policy.AvailabilityState{"Old": policy.KeyActive, "Young": policy.KeyActive, "default": policy.KeyActive}
		if !maps.Equal(states, want) {
			t.Errorf("the keys are %v", states)
		}
		for _, uri := range c.keys {
			w.vaults.cut(uri)
		}
		time.Sleep(2 * time.Minute) // no lease is left
		mail := again
		mail.items = c.items[:1]
		if err := mail.reopen(); err != nil {
			t.Errorf("with both vaults out of reach: %v", err)
		}
	})
}
