package policy_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// where returns how many of a tenant's container keys are under each policy, by workload.
func (c *tenant) where() map[string]int64 {
	c.t.Helper()
	usage, err := c.rows.Usage(c.t.Context(), c.id)
	if err != nil {
		c.t.Fatal(err)
	}
	found := map[string]int64{}
	for _, u := range usage {
		found[u.Workload+" under "+u.Policy] += u.Keys
	}
	return found
}

func (c *tenant) wantWhere(workload, policy string, want int64) {
	c.t.Helper()
	if got := c.where()[workload+" under "+policy]; got != want {
		c.t.Errorf("%d container keys of %s are under %s, want %d: %v", got, workload, policy, want, c.where())
	}
}

func (c *tenant) inForce(workload string) string {
	c.t.Helper()
	target, err := c.service.InForce(c.t.Context(), hierarchy.Container{Tenant: c.id, Workload: workload})
	if err != nil {
		c.t.Fatal(err)
	}
	return target.Policy
}

// CK-91: one in force per tenant, replacing the one before; CK-231: encryption starts by
// itself; CK-288, CK-289: what is there already follows; CK-284: for chats new data only.
func TestCK91_AssignMovesExistingAndNewData(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		own := c.inForce("exchange")
		c.mustSeal("exchange", "alice", "bob")
		c.mustSeal("teams", "general")
		p, q := c.mustCreate("P"), c.mustCreate("Q")

		c.mustAssign("P")
		if got := c.inForce("exchange"); got != p.ID { // at once, before any work was done
			t.Errorf("in force is %s, want %s", got, p.ID)
		}
		c.mustSeal("exchange", "alice", "carol")
		c.mustSeal("teams", "general", "random")
		w.work()
		c.wantWhere("exchange", p.ID, 3)
		c.wantWhere("exchange", own, 0)
		c.wantWhere("teams", own, 1) // the old messages of general
		c.wantWhere("teams", p.ID, 2)

		c.mustAssign(q.ID)
		w.work()
		c.wantWhere("exchange", q.ID, 3)
		c.wantWhere("teams", p.ID, 2)
		if got, err := w.service.Assignment(t.Context(), c.admin); err != nil || got.ID != q.ID {
			t.Errorf("assignment: %v, %v", got, err)
		}
		if st := c.mustStatus("Q"); st.Percent != 100 || st.Containers != 3 || !st.Assigned || st.Operation.State != operation.Done {
			t.Errorf("status %+v", st)
		}
		if err := c.reopen(); err != nil {
			t.Errorf("reading everything again: %v", err)
		}
	})
}

func TestCK161_StateAfterFirstAssignment(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		if p := c.mustCreate("P"); p.State != policy.PendingActivation {
			t.Errorf("new: %s", p.State)
		}
		c.mustAssign("P")
		c.mustAssign("")
		if st := c.mustStatus("P"); st.Policy.State != policy.Active || st.Assigned {
			t.Errorf("after taking the assignment back: %s, assigned %v", st.Policy.State, st.Assigned)
		}
	})
}

// CK-306, X-9, X-24: $null goes back to the policy that the service owns. CK-181: that one is
// never taken away.
func TestCK306_CK181_Unassign(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		own := c.inForce("exchange")
		c.mustAssign("") // nothing to take back
		p := c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("exchange", "alice")
		w.work()
		for range 2 {
			c.mustAssign("")
			if got := c.inForce("exchange"); got != own {
				t.Errorf("in force is %s, want the service's %s", got, own)
			}
		}
		w.work()
		c.wantWhere("exchange", own, 1)
		c.wantWhere("exchange", p.ID, 0)
		w.vaults.deny(c.keys[0])
		w.vaults.deny(c.keys[1])
		if err := c.reopen(); err != nil {
			t.Errorf("CK-249: without the customer's keys: %v", err)
		}
	})
}

func TestCK171_CK174_DisabledAndAssignedExcludeEachOther(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		off, on := false, true
		c.mustAssign("P")
		_, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &off})
		if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != policy.ReasonAssigned || !strings.Contains(fault.As(err).Hint, "$null") {
			t.Errorf("CK-171: %v, hint %q", err, fault.As(err).Hint)
		}
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &on}); err != nil {
			t.Errorf("enabling what is enabled: %v", err)
		}
		c.mustAssign("")
		if p, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &off}); err != nil || p.Enabled {
			t.Errorf("CK-247: after unassigning: %v", err)
		}
		if err := w.service.Assign(t.Context(), c.admin, "P"); !fault.Is(err, fault.Conflict) || fault.As(err).Reason != policy.ReasonDisabled {
			t.Errorf("CK-174: %v", err)
		}
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &on}); err != nil {
			t.Fatal(err)
		}
		c.mustAssign("P")
	})
}

func TestUpdate(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustCreate("Q")
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("X-8: nothing given: %v", err)
		}
		name, text, taken, bad := "p", "what it is for", "q", "a\nb"
		p, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Name: &name, Description: &text})
		if err != nil || p.Name != "p" || p.Description != text || p.Revision != 2 { // its own name in another case
			t.Errorf("%+v, %v", p, err)
		}
		if got, err := w.service.Get(t.Context(), c.admin, policy.MultiWorkload, "p"); err != nil || got != p {
			t.Errorf("read back %+v, %v", got, err)
		}
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "p", policy.Change{Name: &taken}); !fault.Is(err, fault.Conflict) || fault.As(err).Reason != policy.ReasonNameTaken {
			t.Errorf("CK-182: %v", err)
		}
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "p", policy.Change{Description: &bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a bad description: %v", err)
		}
	})
}

// Many changes of one policy at once: each is made wholly or refused with a conflict, and
// the revision counts those that were made.
func TestConcurrentChanges(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		var mu sync.Mutex
		var all sync.WaitGroup
		made := int64(1)
		off, on := false, true
		for i := range 32 {
			all.Go(func() {
				var err error
				switch i % 4 {
				case 0:
					_, err = w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &off})
				case 1:
					_, err = w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &on})
				case 2:
					err = w.service.Assign(t.Context(), c.admin, "P")
				case 3:
					_, err = w.service.Refresh(t.Context(), c.admin, policy.MultiWorkload, "P")
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
				} else if !fault.Is(err, fault.Conflict) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		all.Wait()
		st := c.mustStatus("P")
		if st.Policy.Revision != made || made < 2 {
			t.Errorf("revision %d after %d changes", st.Policy.Revision, made)
		}
		if st.Assigned && !st.Policy.Enabled {
			t.Error("a disabled policy is assigned")
		}
		if n := len(st.Generations); n != st.Policy.Number {
			t.Errorf("%d generations, the newest has number %d", n, st.Policy.Number)
		}
	})
}
