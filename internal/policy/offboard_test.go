package policy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

var offboarding = policy.OffboardingAsk{TenantDomain: "contoso.example", Contact: "it@contoso.example", Reason: "we give up our own keys"}

// CK-249, CK-250: everything under a policy goes back to the keys of the service, by request and
// approval; the roots are needed until it has, and said so. CK-14: what is left is a policy too.
// CK-248: mailboxes one by one need nobody's approval. CK-247: then it can be disabled.
func TestCK249_Offboarding(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		for _, f := range []policy.Family{policy.MultiWorkload, policy.Mailbox} {
			c := w.tenant()
			c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
			p := c.mustMake(f, "Leaving")
			if f == policy.Mailbox {
				c.mustAssignTo("alice", "Leaving")
				c.mustAssignTo("bob", "Leaving")
			} else {
				c.mustAssign("Leaving")
			}
			c.mustSeal("exchange", "alice", "bob")
			w.work()
			status := func() policy.Status {
				st, err := w.service.Status(t.Context(), c.admin, f, "Leaving")
				if err != nil {
					t.Fatal(err)
				}
				return st
			}
			if st := status(); st.Free || st.Under != 2 {
				t.Errorf("%s: before: free %v, %d under it", f, st.Free, st.Under)
			}
			r, err := w.service.RequestOffboarding(t.Context(), c.admin, f, "Leaving", offboarding)
			if err != nil {
				t.Fatal(err)
			}
			w.work()
			if st := status(); st.Free || !st.Assigned {
				t.Errorf("%s: before it is approved: %+v", f, st)
			}
			if _, err := w.requests.Approve(t.Context(), w.operator, r.ID, r.Digest()); err != nil {
				t.Fatal(err)
			}
			w.work()
			got, err := w.requests.Get(t.Context(), c.admin, r.ID)
			if err != nil || got.State != request.Done {
				t.Fatalf("%s: %s: %s, %v", f, got.State, got.Outcome, err)
			}
			if st := status(); !st.Free || st.Assigned || st.Under != 0 {
				t.Errorf("%s: after: free %v, assigned %v, %d under it", f, st.Free, st.Assigned, st.Under)
			}
			w.vaults.deny(c.keys[0])
			w.vaults.deny(c.keys[1])
			time.Sleep(2 * time.Minute) // longer than any lease
			if err := c.reopen(); err != nil {
				t.Errorf("%s: with the permissions removed: %v", f, err)
			}
			off := false
			if _, err := w.service.Update(t.Context(), c.admin, f, p.ID, policy.Change{Enabled: &off}); err != nil {
				t.Errorf("%s: CK-247: %v", f, err)
			}
		}
	})
}

// onceAsked does something once, right after somebody has asked what is in force.
type onceAsked struct {
	policy.Store
	do func()
}

func (s *onceAsked) InForce(ctx context.Context, tenant string) ([]policy.Standing, error) {
	standing, err := s.Store.InForce(ctx, tenant)
	if do := s.do; do != nil {
		s.do = nil
		do()
	}
	return standing, err
}

// CK-249: while a policy is left an administrator puts another one in its place. That one stays.
func TestCK249_AnotherPolicyMeanwhile(t *testing.T) {
	asked := &onceAsked{}
	inWorld(t, func(c *policy.Config) { asked.Store, c.Store = c.Store, asked }, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustMake(policy.MultiWorkload, "Leaving")
		other, err := w.service.Create(t.Context(), c.admin, policy.Draft{Family: policy.MultiWorkload, Name: "Other", KeyURIs: c.spare[:], Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		c.mustAssign("Leaving")
		c.mustSeal("documents", "files")
		w.work()
		r, err := w.service.RequestOffboarding(t.Context(), c.admin, policy.MultiWorkload, "Leaving", offboarding)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.requests.Approve(t.Context(), w.operator, r.ID, r.Digest()); err != nil {
			t.Fatal(err)
		}
		asked.do = func() { c.mustAssign("Other") }
		w.work()
		if now, err := w.service.Assignment(t.Context(), c.admin); err != nil || now == nil || now.ID != other.ID {
			t.Errorf("in force is %v (%v), want what was assigned", now, err)
		}
		if st := c.mustStatus("Leaving"); !st.Free {
			t.Errorf("%d are under what was left", st.Under)
		}
	})
}

// Who leaves takes along also what a rule lets stay where it is (rows CK-284, CK-249). As long
// as anything cannot move, the permissions are not safe to remove, and it goes on by itself.
func TestTheRootsAreNeededUntilAllHasMoved(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustCreate("Leaving")
		c.mustAssign("Leaving")
		c.mustSeal("teams", "chat")
		c.mustSeal("exchange", "alice")
		w.work()
		r, err := w.service.RequestOffboarding(t.Context(), c.admin, policy.MultiWorkload, "Leaving", offboarding)
		if err != nil {
			t.Fatal(err)
		}
		service := w.vaults.key("service-one", "default")
		w.vaults.change(service, func(k *vaultKey) { k.failed = fault.New(fault.Unavailable, "away").WithReason("Timeout") })
		w.log.refuse = func(e audit.Entry) bool { return e.Action == "policykey.unwrap" && e.Caller.Kind == directory.System }
		live, err := w.rows.LiveGenerations(t.Context(), c.id)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range live {
			w.keys.Drop(c.id, g.ID)
		}
		if _, err := w.requests.Approve(t.Context(), w.operator, r.ID, r.Digest()); err != nil {
			t.Fatal(err)
		}
		w.work()
		if st := c.mustStatus("Leaving"); st.Free || st.Under == 0 {
			t.Errorf("while nothing can move: free %v, %d under it", st.Free, st.Under)
		}
		w.log.refuse = nil
		w.vaults.heal(service)
		time.Sleep(10 * time.Minute)
		w.work()
		st := c.mustStatus("Leaving")
		got, err := w.requests.Get(t.Context(), c.admin, r.ID)
		if err != nil || !st.Free || st.Under != 0 || got.State != request.Done {
			t.Errorf("in the end: free %v, %d under it, the request is %s: %s, %v", st.Free, st.Under, got.State, got.Outcome, err)
		}
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}

// One key that does not open keeps no other from leaving, whatever rule it is stored by; it is
// named, and the request is not done before it has left too. Keys of another policy that cannot
// move are none of its business.
func TestOffboardingLeavesADamagedKey(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustCreate("Leaving")
		c.mustMake(policy.Mailbox, "Other")
		c.mustAssign("Leaving")
		c.mustSeal("teams", "a", "b", "c", "d")
		c.mustSeal("documents", "e", "f")
		c.mustSeal("exchange", "alice")
		w.work()
		c.exec(`UPDATE container_keys SET wrapped = '0123' WHERE container_id IN ('teams/b', 'documents/e', 'exchange/alice')`)
		c.mustAssignTo("alice", "Other") // and cannot come there
		r, err := w.service.RequestOffboarding(t.Context(), c.admin, policy.MultiWorkload, "Leaving", offboarding)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.requests.Approve(t.Context(), w.operator, r.ID, r.Digest()); err != nil {
			t.Fatal(err)
		}
		w.work()
		st := c.mustStatus("Leaving")
		got, err := w.requests.Get(t.Context(), c.admin, r.ID)
		if err != nil || st.Free || st.Under != 3 || got.State != request.Running {
			t.Errorf("free %v, %d under it, the request is %s: %s, %v", st.Free, st.Under, got.State, got.Outcome, err)
		}
		op, err := w.service.Operation(t.Context(), c.admin, got.Operation)
		if err != nil || op.State != operation.Waiting || op.Hint == "" {
			t.Errorf("%+v, %v", op, err)
		}
		for _, name := range []string{"3 container keys", "teams/b/1", "documents/e/1", "exchange/alice/1", "does not open"} {
			if !strings.Contains(op.Error, name) {
				t.Errorf("%q does not say %q", op.Error, name)
			}
		}
		tried := func() int { return count(c.entries(), "allow policy.offboard "+st.Policy.ID) }
		before, stop := tried(), w.background()
		time.Sleep(time.Hour)
		stop()
		if n := tried() - before; n < 10 || n > 60 { // each looks at every key of the organization
			t.Errorf("in an hour all keys were looked at %d times", n)
		}
		c.exec(`DELETE FROM container_keys WHERE container_id IN ('teams/b', 'documents/e')`)
		other := c.mustMake(policy.Mailbox, "Third")
		c.exec(`UPDATE container_keys SET policy_id = '` + other.ID + `', generation_id = '` + other.Generation + `' WHERE container_id = 'exchange/alice'`)
		time.Sleep(2 * time.Hour)
		w.work()
		st = c.mustStatus("Leaving")
		if got, err = w.requests.Get(t.Context(), c.admin, r.ID); err != nil || !st.Free || got.State != request.Done {
			t.Errorf("after the repair: free %v, %d under it, the request is %s: %s, %v", st.Free, st.Under, got.State, got.Outcome, err)
		}
	})
}

// CK-251, X-16: SharePoint does not go back unless who runs the service allows it. X-9: a tenant
// can also take its assignment back by itself. Who may ask, and with what.
func TestX16_WhatIsNotOffboarded(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.mustCreate("Leaving")
		ask := func(caller directory.Caller, a policy.OffboardingAsk) error {
			_, err := w.service.RequestOffboarding(t.Context(), caller, policy.MultiWorkload, "Leaving", a)
			return err
		}
		stranger := directory.Caller{Tenant: uuid.NewString(), ID: uuid.NewString(), Kind: directory.User, Roles: c.admin.Roles}
		wantFault(t, "another organization", ask(stranger, offboarding), fault.NotFound, "")
		wantFault(t, "an operator", ask(w.operator, offboarding), fault.Forbidden, "")
		wantFault(t, "without a domain", ask(c.admin, policy.OffboardingAsk{Contact: "x", Reason: "y"}), fault.Invalid, "")
		if err := w.service.Assign(t.Context(), c.admin, "Leaving"); err != nil {
			t.Fatal(err)
		}
		if err := w.service.Assign(t.Context(), c.admin, ""); err != nil {
			t.Errorf("X-9: %v", err)
		}
		if r := policy.RequestRules(0, true)[policy.OffboardingKind]; r.Needs != request.NeedsRule {
			t.Errorf("a rule may approve, and it needs %s", r.Needs)
		}
	})
}
