package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// retired returns the versions of a status that are safe to retire, short.
func retired(st policy.Status) (kids []string) {
	for _, v := range st.Roots {
		if v.SafeToRetire {
			kids = append(kids, v.KeyID)
		}
	}
	return kids
}

// CK-243: a refresh takes the newest versions and keeps the older generation until everything
// has moved. CK-246: then, and only then, the older version of a root is safe to retire.
func TestCK243_CK246_RefreshAndRetire(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("exchange", "alice", "bob", "carol")
		c.mustSeal("teams", "general")
		w.work()

		w.vaults.roll(c.keys[0]) // CK-240: one root only
		if st := c.mustStatus("P"); len(st.Roots) != 2 || retired(st) != nil {
			t.Errorf("before the refresh: %+v", st.Roots)
		}
		p2 := c.mustRefresh("P")
		if p2.Number != 2 || p2.Generation == p.Generation || p2.Roots != p.Roots || p2.AvailabilityKey != p.AvailabilityKey { // CK-245
			t.Errorf("after the refresh: %+v", p2)
		}
		if target, err := w.service.InForce(t.Context(), hierarchy.Container{Tenant: c.id, Workload: "exchange"}); err != nil || target.Generation != p2.Generation {
			t.Errorf("new content goes under %v, %v", target, err)
		}
		st := c.mustStatus("P") // nothing has moved yet
		want := []policy.RootVersion{
			{Root: 0, KeyID: kid(c.keys[0], 1), Containers: 4},
			{Root: 0, KeyID: kid(c.keys[0], 2), Current: true},
			{Root: 1, KeyID: kid(c.keys[1], 1), Containers: 4, Current: true},
		}
		if diff := cmp.Diff(want, st.Roots); diff != "" || st.Percent != 0 || st.Containers != 4 {
			t.Errorf("before the move: %v %%\n%s", st.Percent, diff)
		}
		if st.Generations[0].State != hierarchy.Draining || st.Generations[1].State != hierarchy.Active {
			t.Errorf("generations %+v", st.Generations)
		}

		w.work()
		st = c.mustStatus("P")
		want = []policy.RootVersion{
			{Root: 0, KeyID: kid(c.keys[0], 1), SafeToRetire: true},
			{Root: 0, KeyID: kid(c.keys[0], 2), Containers: 4, Current: true},
			{Root: 1, KeyID: kid(c.keys[1], 1), Containers: 4, Current: true},
		}
		if diff := cmp.Diff(want, st.Roots); diff != "" || st.Percent != 100 {
			t.Errorf("after the move: %v %%\n%s", st.Percent, diff)
		}
		old := st.Generations[0]
		if old.State != hierarchy.Destroyed || old.Destroyed.IsZero() || old.Containers != 0 {
			t.Errorf("the old generation: %+v", old)
		}
		g, err := w.rows.Generation(t.Context(), c.id, p.Generation)
		if err != nil || len(g.Roots[0].Wrapped)+len(g.Roots[1].Wrapped)+len(g.AvailabilityWrapped) != 0 {
			t.Errorf("its wrapped copies are still there: %+v, %v", g, err)
		}
		if log := c.entries(); !slices.Contains(log, "allow generation.destroy "+p.Generation) {
			t.Errorf("its end is not in the log: %q", log)
		}
		w.vaults.change(c.keys[0], func(k *vaultKey) { k.versions = 2 })
		if err := c.reopen(); err != nil {
			t.Errorf("reading everything again: %v", err)
		}
	})
}

// A version that another policy of the tenant still uses is not safe to retire.
func TestCK246_VersionSharedByTwoPolicies(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustCreate("Q") // under the same two root keys
		w.vaults.roll(c.keys[0])
		w.vaults.roll(c.keys[1])
		c.mustRefresh("P")
		w.work()
		if got := retired(c.mustStatus("P")); got != nil {
			t.Errorf("safe to retire: %q, but Q needs them", got)
		}
		c.mustRefresh("Q")
		w.work()
		for _, name := range []string{"P", "Q"} {
			if got := retired(c.mustStatus(name)); len(got) != 2 {
				t.Errorf("%s: safe to retire: %q, want both first versions", name, got)
			}
		}
	})
}

// Refreshing without a newer version makes a generation all the same; also for a policy that
// is not assigned or is disabled.
func TestRefreshAlwaysMakesAGeneration(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		off := false
		if _, err := w.service.Update(t.Context(), c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &off}); err != nil {
			t.Fatal(err)
		}
		for n := 2; n < 5; n++ {
			if p := c.mustRefresh("P"); p.Number != n || p.State != policy.PendingActivation {
				t.Errorf("refreshed: %+v", p)
			}
		}
		w.work()
		st := c.mustStatus("P")
		for i, g := range st.Generations {
			if want := i == 3; (g.State == hierarchy.Active) != want || (g.State == hierarchy.Destroyed) == want {
				t.Errorf("generation %d: %s", g.Number, g.State)
			}
		}
		if retired(st) != nil {
			t.Errorf("safe to retire: %q, but it is the version in use", retired(st))
		}
	})
}

// A refresh checks the roots as a creation does, and leaves the policy as it was when refused.
func TestCK170_RefreshChecksTheRoots(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		before := c.mustStatus("P")
		w.vaults.change(c.keys[0], func(k *vaultKey) { k.facts.Enabled = false })
		w.vaults.change(c.keys[1], func(k *vaultKey) { k.facts.RecoveryLevel = "Recoverable" })
		_, err := w.service.Refresh(t.Context(), c.admin, policy.MultiWorkload, "P")
		if diff := cmp.Diff([]string{"CK-170", "CK-168"}, rowsOf(t, err)); diff != "" {
			t.Error(diff)
		}
		if after := c.mustStatus("P"); !cmp.Equal(before, after) {
			t.Errorf("changed:\n%s", cmp.Diff(before, after))
		}
	})
}

// Two operations never wait for the same work: changes that come before the first has begun
// share it.
func TestWaitingWorkIsShared(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustAssign("P")
		for range 5 {
			c.mustRefresh("P")
		}
		ops, err := w.runner.List(t.Context(), c.id, "", 100)
		if err != nil || len(ops) != 1 || ops[0].State != operation.Waiting || ops[0].Kind != "converge" {
			t.Errorf("%d operations %+v, %v", len(ops), ops, err)
		}
		w.work()
		st := c.mustStatus("P")
		if st.Operation.State != operation.Done || st.Generations[4].State != hierarchy.Destroyed {
			t.Errorf("%+v %+v", st.Operation, st.Generations)
		}
		c.mustRefresh("P")
		if ops, err := w.runner.List(t.Context(), c.id, "", 100); err != nil || len(ops) != 2 {
			t.Errorf("%d operations after a change once the first was done, %v", len(ops), err)
		}
	})
}

func TestStatusShowsHealth(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("exchange", "alice")
		w.work()
		for i, h := range c.mustStatus("P").Health {
			if !h.Known || h.State != hierarchy.Healthy || h.URI != c.keys[i] {
				t.Errorf("root %d: %+v", i, h)
			}
		}
		w.vaults.deny(c.keys[0])
		w.vaults.cut(c.keys[1])
		if _, err := w.service.Refresh(t.Context(), c.admin, policy.MultiWorkload, "P"); !fault.Is(err, fault.Denied) || !strings.Contains(fault.As(err).Hint, "(2)") {
			t.Errorf("refresh with both roots failing: %v", err)
		}
		w.keys.Drop(c.id, c.mustStatus("P").Policy.Generation)
		if err := c.reopen(); !fault.Is(err, fault.Denied) {
			t.Errorf("CK-62: reading with one root denied and the other unreachable: %v", err)
		}
		st := c.mustStatus("P")
		if st.Health[0].State != hierarchy.Denying || st.Health[1].State != hierarchy.Unreachable {
			t.Errorf("health %+v", st.Health)
		}
	})
}
