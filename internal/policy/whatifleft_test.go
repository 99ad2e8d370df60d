package policy_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// keysUnder returns the generation of each of the tenant's container keys.
func (c *tenant) keysUnder() map[policy.Place]string {
	c.t.Helper()
	keys, err := c.rows.ContainerKeys(c.t.Context(), c.id, policy.Place{}, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	at := map[policy.Place]string{}
	for _, k := range keys {
		at[policy.Place{Container: k.Container, Version: k.Version}] = k.Generation
	}
	return at
}

// versionsNeeded returns the versions of root keys under which there are living generations.
func (c *tenant) versionsNeeded() (kids []string) {
	c.t.Helper()
	live, err := c.rows.LiveGenerations(c.t.Context(), c.id)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, g := range live {
		kids = append(kids, g.Roots[0].KeyID, g.Roots[1].KeyID)
	}
	slices.Sort(kids)
	return slices.Compact(kids)
}

// wantTrue does what was foreseen, and compares: the same keys have moved, and the versions of
// root keys that are needed are those that the report keeps or takes.
func (c *tenant) wantTrue(what string, r policy.Report, act func()) {
	c.t.Helper()
	before := c.keysUnder()
	act()
	c.work()
	var moved int64
	for place, g := range c.keysUnder() {
		if before[place] != g {
			moved++
		}
	}
	if r.Moving.Keys != moved || moved == 0 {
		c.t.Errorf("%s moves %d keys, and was foreseen as %+v", what, moved, r.Moving)
	}
	then := slices.Sorted(slices.Values(slices.Concat(r.Kept, r.Taken)))
	if diff := cmp.Diff(then, c.versionsNeeded()); diff != "" {
		c.t.Errorf("%s: versions of root keys that are needed (-foreseen +needed):\n%s", what, diff)
	}
}

// CK-338: what leaving a policy would come to is what it comes to, and that takes along what a rule
// lets stay where it is.
func TestWhatIfOffboardedIsTrue(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		p := c.mustCreate("Leaving")
		c.mustAssign("Leaving")
		c.mustSeal("teams", "chat")
		c.mustSeal("exchange", "alice", "bob")
		w.work()
		r, err := w.service.WhatIfOffboarded(t.Context(), c.id, p.ID)
		if err != nil || r.Moving.Containers != 3 || len(r.Freed) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		if st := c.mustStatus("Leaving"); !st.Assigned || st.Under != 3 {
			t.Errorf("foreseeing it has taken the policy off: %+v", st)
		}
		r.Kept, r.Freed = slices.Concat(r.Kept, r.Freed), nil // the policy stays, with nothing under it
		c.wantTrue("offboarding", r, func() {
			asked, err := w.service.RequestOffboarding(t.Context(), c.admin, policy.MultiWorkload, "Leaving", offboarding)
			if err == nil {
				_, err = w.requests.Approve(t.Context(), w.operator, asked.ID, asked.Digest())
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if st := c.mustStatus("Leaving"); !st.Free {
			t.Errorf("what was foreseen as free is not: %+v", st)
		}
		if _, err := w.service.WhatIfOffboarded(t.Context(), c.id, "no policy"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no policy: %v", err)
		}
	})
}

// CK-338: what rolling the availability keys would come to is what it comes to; no key is made, and
// a policy whose roots are denied keeps its own.
func TestWhatIfRolledIsTrue(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("one")
		c.mustAssign("one")
		c.mustSeal("exchange", "alice", "bob")
		w.work()
		before := c.spareKeys()
		r, err := w.service.WhatIfRolled(t.Context(), w.operator, c.id)
		if err != nil || r.Rolled != r.Policies || r.Skipped != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if diff := cmp.Diff(before, c.spareKeys()); diff != "" {
			t.Errorf("foreseeing it has changed the keys:\n%s", diff)
		}
		c.wantTrue("a roll", r.Report, func() { w.mustRoll(c.id) })

		w.vaults.deny(c.keys[0])
		w.vaults.deny(c.keys[1])
		if r, err = w.service.WhatIfRolled(t.Context(), w.operator, c.id); err != nil || r.Skipped != 1 || r.Rolled != r.Policies-1 || r.First == "" {
			t.Errorf("with the roots denied: %+v, %v", r, err)
		}
		if n, err := w.service.AvailabilityDue(t.Context(), 100); err != nil || n < r.Policies {
			t.Errorf("%d keys are due, %v", n, err)
		}
	})
}

// CK-338: encrypting anew concerns all that a policy covers, what is not under it yet included.
func TestWhatIfRenewed(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustSeal("teams", "old chat")
		p := c.mustCreate("one")
		c.mustAssign("one")
		c.mustSeal("teams", "new chat")
		c.mustSeal("exchange", "alice")
		w.work()
		r, err := w.service.WhatIfRenewed(t.Context(), c.id, p.ID)
		if err != nil || r.Moving.Containers != 3 || r.Moving.Keys != 3 {
			t.Errorf("%+v, %v", r, err)
		}
		if len(r.Moves) != 1 || r.Moves[0].Workload != "teams" || r.Moves[0].Keys != 1 || r.Moves[0].To != "one" {
			t.Errorf("moves %+v", r.Moves)
		}
		if by, err := w.service.CoveredBy(t.Context(), c.id, "teams", ""); err != nil || by.ID != p.ID {
			t.Errorf("new chats are covered by %q, %v", by.Name, err)
		}
	})
}
