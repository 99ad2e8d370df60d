package policy_test

import (
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// The life of a policy in real time, on both engines, also where virtual time cannot be had:
// created, assigned, refreshed, taken back, with everything readable all the way.
func TestLifeInRealTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		w := newWorldOn(t, db, func(c *policy.Config) { c.Settle = 50 * time.Millisecond })
		c := w.tenant()
		c.mustSeal("exchange", "alice", "bob")
		first := c.mustCreate("P")
		c.mustAssign("P")
		c.mustSeal("teams", "general")
		w.work()
		w.vaults.roll(c.keys[0])
		c.mustRefresh("P")
		w.work()
		st := c.mustStatus("P")
		if st.Percent != 100 || st.Containers != 3 || st.Generations[0].ID != first.Generation || st.Generations[0].State != hierarchy.Destroyed {
			t.Errorf("after the refresh: %+v", st)
		}
		if got := retired(st); len(got) != 1 || got[0] != kid(c.keys[0], 1) {
			t.Errorf("safe to retire: %q", got)
		}
		c.mustAssign("")
		w.work()
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		c.wantWhere("exchange", first.ID, 0)
		c.wantWhere("teams", first.ID, 1)
	})
}

// How long asking takes where new content belongs.
func BenchmarkInForce(b *testing.B) {
	w := newWorld(b, nil)
	c := w.tenant()
	c.mustCreate("P")
	c.mustAssign("P")
	for b.Loop() {
		if _, err := w.service.InForce(b.Context(), hierarchy.Container{Tenant: c.id, Workload: "exchange"}); err != nil {
			b.Fatal(err)
		}
	}
}
