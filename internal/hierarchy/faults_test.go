package hierarchy_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A content is an item key of a generation, for reading it cold.
type content struct {
	g            hierarchy.Generation
	wrapped, aad []byte
}

// proxied returns a stack whose service reaches its vaults through proxies, with one content. It
// asks the root that first says.
func proxied(t *testing.T, first *atomic.Int64) (s *stack, east, west *proxy, c content) {
	t.Helper()
	s = newStack(t, storetest.SQLite(t, store.ServiceAreas()...), func(s *stack) {
		s.attempts = 1
		s.first = func() int { return int(first.Load()) }
	})
	east, west = throughProxies(t, s)
	key, err := s.availability.Create(t.Context(), s.system, availability.Scope{Kind: availability.PerPolicy, Tenant: s.vaults.Tenant, Policy: s.policy})
	s.must(err)
	c.g = s.generation(1, key)
	o, err := s.keys.ForSealing(t.Context(), s.alice, s.container(), hierarchy.Target{Policy: s.policy, Generation: c.g.ID})
	s.must(err)
	defer o.Close()
	c.aad = envelope.Bind("item key 1", s.vaults.Tenant, "mailbox", "1")
	_, c.wrapped, err = o.NewItemKey(c.aad)
	s.must(err)
	return s, east, west, c
}

// With one root down in any way, no read of a user fails, though that root is the one asked
// first (rows CK-44 to CK-46, CK-54 to CK-60); the availability key is not touched (CK-47).
func TestOneRootDown(t *testing.T) {
	t.Parallel()
	var first atomic.Int64
	s, east, west, c := proxied(t, &first)
	for i, p := range []*proxy{east, west} {
		first.Store(int64(i))
		for _, how := range slices.Concat([]trouble{slow}, outages, denials) {
			if patient := []trouble{silent, trickle}; slices.Contains(patient, how) && (testing.Short() || how != patient[i]) {
				continue // each takes the whole time for a call
			}
			p.trouble.Store(how)
			if err := s.read(s.alice, c.g, c.wrapped, c.aad); err != nil {
				t.Errorf("one root with %s: %v", how, err)
			}
		}
		p.trouble.Store(none)
	}
	entries, err := s.log.Entries(t.Context(), s.vaults.Tenant, 0, 1000)
	s.must(err)
	for _, e := range entries {
		if e.Entry.Action == "availability.use" {
			t.Errorf("the availability key was used though a root worked: %+v", e.Entry)
		}
	}
}

// With both down, the pair decides: outage lets everybody go on by the availability key, denial
// only the service's own work, and one of each counts as denial for people (rows CK-48 to CK-50, CK-62).
func TestBothRootsDown(t *testing.T) {
	t.Parallel()
	s, east, west, c := proxied(t, new(atomic.Int64))
	everybody := []directory.Caller{s.alice, s.system}
	try := func(a, b trouble) {
		t.Helper()
		east.trouble.Store(a)
		west.trouble.Store(b)
		for _, caller := range everybody {
			refuse := (slices.Contains(denials, a) || slices.Contains(denials, b)) && caller.Kind == directory.User
			switch err := s.read(caller, c.g, c.wrapped, c.aad); {
			case refuse && !fault.Is(err, fault.Denied):
				t.Errorf("%s and %s, %s: %v, want a denial", a, b, caller.Kind, err)
			case !refuse && err != nil:
				t.Errorf("%s and %s, %s: %v", a, b, caller.Kind, err)
			}
		}
	}
	for i, how := range outages {
		if how == silent || how == trickle {
			continue // below, once
		}
		try(how, away)
		try(how, denials[i%len(denials)])
		try(denials[(i+1)%len(denials)], how)
	}
	for _, a := range denials {
		for _, b := range denials {
			try(a, b)
		}
	}
	if !testing.Short() { // these take their time
		everybody = everybody[:1]
		try(silent, trickle)
		try(policy403, silent)
	}
	east.trouble.Store(none)
	west.trouble.Store(none)
	s.must(s.read(s.alice, c.g, c.wrapped, c.aad)) // given back: everything is there
}

// Of 3,000 readers at once who find no lease, one asks: an unwrap, and a look at the dates of the
// key beside it. So a vault that throttles is left in peace (CK-65).
func TestColdReadersShareOneUnwrap(t *testing.T) { // not beside tests whose vaults must answer in time
	s, east, west, c := proxied(t, new(atomic.Int64))
	s.must(s.read(s.alice, c.g, c.wrapped, c.aad))
	s.keys.Drop(s.vaults.Tenant, c.g.ID)
	before := east.calls.Load() + west.calls.Load()
	const readers = 3000
	start := make(chan struct{})
	failed := make(chan error, readers)
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			<-start
			o, err := s.keys.ForOpening(t.Context(), s.alice, s.container(), 1)
			if err == nil {
				_, err = o.ItemKey(c.wrapped, c.aad)
				o.Close()
			}
			failed <- err
		})
	}
	began := time.Now()
	close(start)
	all.Wait()
	close(failed)
	for err := range failed {
		s.must(err)
	}
	calls := east.calls.Load() + west.calls.Load() - before
	t.Logf("%d cold readers in %v, %d vault calls", readers, time.Since(began).Round(time.Millisecond), calls)
	if calls > 2 {
		t.Errorf("%d vault calls, want at most 2", calls)
	}
}
