package hierarchy_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// Files behind proxies: with one root down in any way, no read fails, and none waits for the
// root that is silent (CK-66); with both, the availability key helps nobody (CK-53, CK-71, CK-73).
func TestFilesWithRootsDown(t *testing.T) {
	t.Parallel()
	var first atomic.Int64
	s := newStack(t, storetest.SQLite(t, store.ServiceAreas()...), func(s *stack) {
		s.attempts = 1
		s.first = func() int { return int(first.Load()) }
	})
	east, west := throughProxies(t, s)
	key, err := s.availability.Create(t.Context(), s.system, availability.Scope{Kind: availability.PerForest, Tenant: s.vaults.Tenant, Policy: s.policy})
	s.must(err)
	g, err := s.keys.NewHedged(t.Context(), s.system, s.vaults.Tenant, s.policy, 1, s.refs, key)
	s.must(err)
	s.must(s.db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error { return store.AddGeneration(ctx, q, g) }))
	o, err := s.keys.ForSealing(t.Context(), s.alice, s.container(), hierarchy.Target{Policy: s.policy, Generation: g.ID})
	s.must(err)
	aad := envelope.Bind("item key 1", s.vaults.Tenant, "site", "1")
	_, wrapped, err := o.NewItemKey(aad)
	s.must(err)
	o.Close()

	for i, p := range []*proxy{east, west} {
		first.Store(int64(i))
		for _, how := range slices.Concat([]trouble{slow}, outages, denials) {
			p.trouble.Store(how)
			if err := s.read(s.alice, g, wrapped, aad); err != nil {
				t.Errorf("one root with %s: %v", how, err)
			}
		}
		p.trouble.Store(none)
	}
	for _, tt := range []struct {
		a, b trouble
		code fault.Code
	}{
		{refused, reset, fault.Unavailable}, {policy403, fire403, fault.Denied}, {gone404, broken, fault.Denied}, {broken, policy403, fault.Denied},
	} {
		east.trouble.Store(tt.a)
		west.trouble.Store(tt.b)
		for _, caller := range []directory.Caller{s.alice, s.system} {
			if err := s.read(caller, g, wrapped, aad); fault.CodeOf(err) != tt.code {
				t.Errorf("%s and %s, for %s: %v", tt.a, tt.b, caller.Kind, err)
			}
		}
	}
	entries, err := s.log.Entries(t.Context(), s.vaults.Tenant, 0, 10_000)
	s.must(err)
	for _, e := range entries {
		if e.Entry.Action == "availability.use" {
			t.Errorf("the availability key was used by itself: %+v", e.Entry)
		}
	}
}
