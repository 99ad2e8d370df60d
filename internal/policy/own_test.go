package policy_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// mailTenant is a tenant whose administrator may do all about mailbox policies.
func (w *world) mailTenant() *tenant {
	c := w.tenant()
	c.admin.Roles = []directory.Role{directory.ExchangeAdministrator}
	return c
}

func holder(name string) policy.Holder {
	return policy.Holder{Container: "exchange/" + name, Name: name + "@contoso.example"}
}

func (c *tenant) mustAssignTo(name, identity string) {
	c.t.Helper()
	if err := c.service.AssignTo(c.t.Context(), c.admin, holder(name), identity); err != nil {
		c.t.Fatal(err)
	}
}

func (c *tenant) coverage(name string) policy.Coverage {
	c.t.Helper()
	got, err := c.service.Coverage(c.t.Context(), c.admin, container(c.id, "exchange", name))
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func (c *tenant) wantCovered(name, by string, keys, settled int64) {
	c.t.Helper()
	got := c.coverage(name)
	if got.Policy.ID != by || got.Keys != keys || got.Settled != settled {
		c.t.Errorf("mailbox %s is covered by %s with %d of %d keys there, want %s with %d of %d", name, got.Policy.Name, got.Settled, got.Keys, by, settled, keys)
	}
}

// CK-120, CK-232, CK-233: one policy per mailbox, many mailboxes per policy; what is stored
// follows. CK-293: existing and new data. CK-248: $null takes it back. X-24: it then goes by the
// tenant's policy. CK-126: the id that a mailbox shows.
func TestCK120_AMailboxAndItsPolicy(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		service := c.inForce("exchange")
		p, q := c.mustMake(policy.Mailbox, "USA"), c.mustMake(policy.Mailbox, "EUR") // CK-299: one per region
		tenant := c.mustCreate("Tenant")
		c.mustSeal("exchange", "alice", "bob")
		if got := c.coverage("alice"); got.Customer || got.Own || got.Policy.ID != service {
			t.Errorf("before any assignment: %+v", got)
		}

		c.mustAssignTo("alice", "usa")
		c.wantCovered("alice", p.ID, 1, 0)
		if got := c.coverage("alice"); got.Customer || !got.Own || got.Generation == p.Generation {
			t.Errorf("before anything has moved: %+v", got)
		}
		w.work()
		c.wantCovered("alice", p.ID, 1, 1)
		c.wantCovered("bob", service, 1, 1)
		if got := c.coverage("alice"); !got.Customer || got.Generation != p.Generation {
			t.Errorf("after it has moved: %+v", got)
		}
		p, err := w.service.Refresh(t.Context(), c.admin, policy.Mailbox, c.coverage("alice").Generation) // S4
		if err != nil {
			t.Fatal(err)
		}
		w.work()
		if got := c.coverage("alice"); got.Generation != p.Generation {
			t.Errorf("CK-126: after a refresh it shows %s, want %s", got.Generation, p.Generation)
		}

		c.mustAssignTo("carol", "USA") // nothing is stored yet: the policy waits for it
		if got := c.coverage("carol"); !got.Customer || got.Keys != 0 || got.Generation != p.Generation {
			t.Errorf("an empty mailbox: %+v", got)
		}
		c.mustSeal("exchange", "carol")
		c.wantCovered("carol", p.ID, 1, 1)

		c.mustAssignTo("alice", "EUR") // in place of the other
		w.work()
		c.wantCovered("alice", q.ID, 1, 1)
		c.mustAssign("Tenant") // CK-296: takes all others
		c.mustAssignTo("alice", "")
		c.mustAssignTo("alice", "") // without one: nothing
		w.work()
		for name, by := range map[string]string{"alice": tenant.ID, "bob": tenant.ID, "carol": p.ID} {
			c.wantCovered(name, by, 1, 1)
		}
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// Many assignments in a row wait for one and the same walk.
func TestAssignmentsShareTheWork(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		c.mustMake(policy.Mailbox, "P")
		for i := range 20 {
			c.mustAssignTo(fmt.Sprint("box", i), "P")
		}
		if ops, err := w.runner.List(t.Context(), c.id, "", 100); err != nil || len(ops) != 1 {
			t.Errorf("%d operations wait for 20 assignments, %v", len(ops), err)
		}
		st, err := w.service.Status(t.Context(), c.admin, policy.Mailbox, "P")
		if err != nil || st.Objects != 20 || !st.Assigned || st.Policy.State != policy.Active {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// Two administrators give out one new policy at once: both succeed. Of two that change it, one
// is told.
func TestTwoAdministratorsAtOnce(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		c.mustMake(policy.Mailbox, "P")
		var both sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			both.Go(func() { errs[i] = w.service.AssignTo(t.Context(), c.admin, holder(fmt.Sprint("box", i)), "P") })
		}
		both.Wait()
		for i, err := range errs {
			if err != nil {
				t.Errorf("assignment %d: %v", i, err)
			}
		}
		name := "Q"
		p := must(w.service.Get(t.Context(), c.admin, policy.Mailbox, "P"))
		stale := p
		stale.Description = "late"
		if _, err := w.service.Update(t.Context(), c.admin, policy.Mailbox, "P", policy.Change{Name: &name}); err != nil {
			t.Fatal(err)
		}
		err := w.rows.Apply(t.Context(), policy.Edit{Tenant: c.id, Policy: &stale})
		if fault.As(err).Reason != policy.ReasonChanged || fault.As(err).Hint == "" {
			t.Errorf("the slower one is told %v", err)
		}
	})
}

// CK-174, CK-247: a disabled policy takes no mailbox more and keeps those it has.
func TestCK174_DisabledMailboxPolicy(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		p, q := c.mustMake(policy.Mailbox, "P"), c.mustMake(policy.Mailbox, "Q")
		c.mustAssignTo("alice", "P")
		off := false
		if _, err := w.service.Update(t.Context(), c.admin, policy.Mailbox, "P", policy.Change{Enabled: &off}); err != nil {
			t.Fatalf("CK-247: disabling a policy that a mailbox has: %v", err)
		}
		refused := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != policy.ReasonDisabled || !strings.Contains(fault.As(err).Hint, "Set-DataEncryptionPolicy") {
				t.Errorf("%s: %v, hint %q", what, err, fault.As(err).Hint)
			}
		}
		refused("assigning it", w.service.AssignTo(t.Context(), c.admin, holder("bob"), "P"))
		refused("the default", w.service.SetDefault(t.Context(), c.admin, "P"))
		c.mustAssignTo("bob", "Q")
		_, err := w.service.Reassign(t.Context(), c.admin, "Q", "P")
		refused("moving many to it", err)
		c.mustSeal("exchange", "alice", "bob")
		c.wantCovered("alice", p.ID, 1, 1)
		c.wantCovered("bob", q.ID, 1, 1)
		// The rule is kept where the row is written, too: a policy disabled meanwhile is found out.
		err = w.rows.Apply(t.Context(), policy.Edit{Tenant: c.id, Assignment: &policy.Assignment{Family: policy.Mailbox, Container: "exchange/carol", Policy: p.ID}})
		refused("in the store", err)
	})
}

// CK-314: a default covers all mailboxes without a policy of their own, later ones too; CK-235:
// without it none gets one by itself.
func TestCK314_DefaultForMailboxes(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		service := c.inForce("exchange")
		tenant, p, own := c.mustCreate("Tenant"), c.mustMake(policy.Mailbox, "Default"), c.mustMake(policy.Mailbox, "Own")
		c.mustAssign("Tenant")
		c.mustSeal("exchange", "alice", "bob")
		c.mustSeal("documents", "wiki")
		c.wantCovered("alice", tenant.ID, 1, 1) // CK-235
		if d, err := w.service.Default(t.Context(), c.admin); err != nil || d != nil {
			t.Errorf("default %v, %v", d, err)
		}
		if err := w.service.SetDefault(t.Context(), c.admin, "Default"); err != nil {
			t.Fatal(err)
		}
		c.mustAssignTo("bob", "Own")
		w.work()
		c.mustSeal("exchange", "new")
		for name, by := range map[string]string{"alice": p.ID, "bob": own.ID, "new": p.ID} {
			c.wantCovered(name, by, 1, 1)
		}
		c.wantWhere("documents", tenant.ID, 1)
		off := false
		_, err := w.service.Update(t.Context(), c.admin, policy.Mailbox, "Default", policy.Change{Enabled: &off})
		if fault.As(err).Reason != policy.ReasonAssigned || !strings.Contains(fault.As(err).Hint, "Set-CKDefaultMailboxPolicy") {
			t.Errorf("disabling the default: %v", err)
		}
		if d, err := w.service.Default(t.Context(), c.admin); err != nil || d == nil || d.ID != p.ID {
			t.Errorf("default %v, %v", d, err)
		}
		if a, err := w.service.Assignment(t.Context(), c.admin); err != nil || a == nil || a.ID != tenant.ID {
			t.Errorf("the tenant's assignment is %v, %v", a, err)
		}
		if err := w.service.SetDefault(t.Context(), c.admin, ""); err != nil {
			t.Fatal(err)
		}
		c.mustAssign("")
		w.work()
		c.wantCovered("alice", service, 1, 1)
		c.wantCovered("bob", own.ID, 1, 1)
	})
}

// CK-254, CK-74: all mailboxes of one policy go to another in one act.
func TestCK254_ReassignMany(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		service := c.inForce("exchange")
		p, q := c.mustMake(policy.Mailbox, "P"), c.mustMake(policy.Mailbox, "Q")
		c.mustAssignTo("alice", "P")
		c.mustAssignTo("bob", "P")
		c.mustAssignTo("carol", "Q")
		c.mustSeal("exchange", "alice", "bob", "carol", "dave")
		if n, err := w.service.Reassign(t.Context(), c.admin, "P", "Q"); err != nil || n != 2 {
			t.Fatalf("%d, %v", n, err)
		}
		w.work()
		for name, by := range map[string]string{"alice": q.ID, "bob": q.ID, "carol": q.ID, "dave": service} {
			c.wantCovered(name, by, 1, 1)
		}
		if _, err := w.service.Reassign(t.Context(), c.admin, "Q", q.ID); !fault.Is(err, fault.Invalid) {
			t.Errorf("to itself: %v", err)
		}
		if _, err := w.service.Reassign(t.Context(), c.admin, "Q", "nothing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("to nothing: %v", err)
		}
		if n, err := w.service.Reassign(t.Context(), c.admin, "Q", ""); err != nil || n != 3 {
			t.Fatalf("%d, %v", n, err)
		}
		w.work()
		c.wantCovered("carol", service, 1, 1)
		c.wantWhere("exchange", p.ID, 0)
	})
}

// CK-175, CK-301, X-25: 50 enabled mailbox policies in a tenant; disabled ones do not count,
// and tenant policies are not limited so.
func TestCK175_FiftyActivePolicies(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		off, on := false, true
		for i := range policy.MaxActive {
			c.mustMake(policy.Mailbox, fmt.Sprintf("P%02d", i))
		}
		tooMany := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != policy.ReasonTooMany || fault.As(err).Hint == "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		d := policy.Draft{Family: policy.Mailbox, Name: "P50", KeyURIs: c.keys[:], Enabled: true}
		asked := w.vaults.calls()
		_, err := w.service.Create(t.Context(), c.admin, d)
		tooMany("the 51st", err)
		if w.vaults.calls() != asked {
			t.Error("a vault was asked before")
		}
		d.Enabled = false
		must(w.service.Create(t.Context(), c.admin, d))
		_, err = w.service.Update(t.Context(), c.admin, policy.Mailbox, "P50", policy.Change{Enabled: &on})
		tooMany("enabling the 51st", err)
		must(w.service.Update(t.Context(), c.admin, policy.Mailbox, "P07", policy.Change{Enabled: &off}))
		must(w.service.Update(t.Context(), c.admin, policy.Mailbox, "P50", policy.Change{Enabled: &on}))
		c.mustCreate("P50") // CK-182: names are unique in a family; the tenant's are another
		c.mustCreate("P51")
	})
}

// CK-81, CK-128: in the mailbox family too, an identity names a policy of the family, and the
// service's own does not exist.
func TestCK128_MailboxIdentities(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		p, tenant := c.mustMake(policy.Mailbox, "Same"), c.mustCreate("Same")
		got, err := w.service.Get(t.Context(), c.admin, policy.Mailbox, "same")
		if err != nil || got.ID != p.ID {
			t.Errorf("by name: %v, %v", got.ID, err)
		}
		target := must(w.service.InForce(t.Context(), hierarchy.Container{Tenant: c.id, Workload: "exchange"}))
		for _, identity := range []string{tenant.ID, tenant.Generation, target.Policy, target.Generation, "Service-managed keys"} {
			if err := w.service.AssignTo(t.Context(), c.admin, holder("alice"), identity); !fault.Is(err, fault.NotFound) {
				t.Errorf("assigning %s: %v", identity, err)
			}
			if _, err := w.service.Replace(t.Context(), c.admin, policy.Mailbox, identity, c.spare[:]); !fault.Is(err, fault.NotFound) {
				t.Errorf("replacing the roots of %s: %v", identity, err)
			}
		}
		for _, who := range []directory.Role{directory.ComplianceAdministrator, directory.GlobalReader, directory.ServiceOperator} { // CK-278
			caller := c.admin
			caller.Roles = []directory.Role{who}
			for what, err := range map[string]error{
				"assign":      w.service.AssignTo(t.Context(), caller, holder("alice"), "Same"),
				"assign none": w.service.AssignTo(t.Context(), caller, holder("alice"), ""),
				"default":     w.service.SetDefault(t.Context(), caller, "Same"),
				"reassign":    second(w.service.Reassign(t.Context(), caller, "Same", "")),
				"replace":     second(w.service.Replace(t.Context(), caller, policy.Mailbox, "Same", c.spare[:])),
			} {
				if !fault.Is(err, fault.Forbidden) {
					t.Errorf("%s as %s: %v", what, who, err)
				}
			}
		}
	})
}
