package availability_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// quiet is a log that keeps nothing.
type quiet struct{}

func (quiet) Record(context.Context, audit.Entry) error { return nil }

// A wrapped key with all that is needed to unwrap it.
type wrapped struct {
	fixture
	id    string
	bytes []byte
}

func mustWrapped(t *testing.T, db *store.DB, at time.Time) wrapped {
	t.Helper()
	s := mustService(t, db, envelope.NewKey())
	*s.clock = at
	id := s.mustCreate(t)
	b, err := s.Wrap(t.Context(), system, tenant, id, envelope.NewKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped{s, id, b}
}

// unwrap uses the key, in spite of a denial or not.
func (w wrapped) unwrap(ctx context.Context, denied bool) error {
	u := use(w.id)
	u.AfterDenial = denied
	_, err := w.Unwrap(ctx, system, u, w.bytes, nil)
	return err
}

func (w wrapped) limit(t *testing.T, n *int) {
	t.Helper()
	if err := w.SetLimit(t.Context(), tenant, policy, n); err != nil {
		t.Fatal(err)
	}
}

func number(n int) *int { return &n }

func wantUsage(t *testing.T, w wrapped, today, denials, ever int64, limit *int) {
	t.Helper()
	got, err := w.Usage(t.Context(), tenant, policy)
	if d := cmp.Diff(availability.Usage{Today: today, DenialsToday: denials, Ever: ever, PerDay: limit}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// CK-80, CK-320: uses are counted by day; the tenant's limit is for those in spite of a denial. An
// outage is not limited.
func TestLimit(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		w, ctx := mustWrapped(t, db, noon), t.Context()
		must := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		over := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != availability.ReasonLimit || fault.As(err).Hint == "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		must("without a limit", w.unwrap(ctx, true))
		w.limit(t, number(2))
		must("the second", w.unwrap(ctx, true))
		over("the third", w.unwrap(ctx, true))
		must("in an outage", w.unwrap(ctx, false))
		wantUsage(t, w, 3, 2, 3, number(2))

		*w.clock = noon.Add(-48 * time.Hour)
		over("the clock set back", w.unwrap(ctx, true))
		must("in an outage, the clock set back", w.unwrap(ctx, false))
		wantUsage(t, w, 4, 2, 4, number(2))
		*w.clock = noon.Add(12*time.Hour - time.Second)
		over("a second before midnight", w.unwrap(ctx, true))
		*w.clock = noon.Add(12 * time.Hour)
		must("the next day", w.unwrap(ctx, true))
		wantUsage(t, w, 1, 1, 5, number(2))

		w.limit(t, number(0))
		over("none allowed", w.unwrap(ctx, true))
		must("none allowed, in an outage", w.unwrap(ctx, false))
		w.limit(t, nil)
		must("unlimited again", w.unwrap(ctx, true))
		wantUsage(t, w, 3, 2, 7, nil)
		if err := w.SetLimit(ctx, tenant, policy, number(-1)); !fault.Is(err, fault.Invalid) {
			t.Errorf("a negative limit: %v", err)
		}
		if u, err := w.Usage(ctx, other, policy); err != nil || u.Ever != 0 {
			t.Errorf("another tenant's: %+v, %v", u, err)
		}
	})
}

// Of many nodes that want the last use, one gets it.
func TestLimitAtOnce(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		w := mustWrapped(t, db, noon)
		w.limit(t, number(3))
		var done sync.WaitGroup
		var mu sync.Mutex
		got := 0
		for range 10 {
			done.Go(func() {
				node := store.NewAvailability(db)
				err := node.AddUse(t.Context(), availability.Record{ID: uuid.NewString(), Use: availability.Use{Tenant: tenant, Policy: policy, AfterDenial: true}, Time: noon}, 20_000)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got++
				} else if fault.As(err).Reason != availability.ReasonLimit {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if got != 3 {
			t.Errorf("%d uses of 3", got)
		}
	})
}

// CK-355, CK-357, CK-359, CK-360: what is kept of a use, newest first, in pages.
func TestUses(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		w, ctx := mustWrapped(t, db, noon), t.Context()
		alice := directory.Caller{
			Tenant: tenant, ID: "alice-id", Kind: directory.User, Name: "alice@contoso.example", App: "app", Address: "192.0.2.1",
			Request: "request", Roles: []directory.Role{directory.GlobalReader},
		}
		for i := range 3 {
			*w.clock = noon.Add(time.Duration(i) * time.Minute)
			if _, err := w.Unwrap(ctx, alice, use(w.id), w.bytes, nil); err != nil {
				t.Fatal(err)
			}
		}
		page, err := w.Service.Uses(ctx, tenant, policy, "", 2)
		if err != nil || len(page) != 2 || !page[0].Time.Equal(noon.Add(2*time.Minute)) {
			t.Fatalf("%+v, %v", page, err)
		}
		rest, err := w.Service.Uses(ctx, tenant, policy, page[1].ID, 2)
		if err != nil || len(rest) != 1 || !rest[0].Time.Equal(noon) {
			t.Fatalf("%+v, %v", rest, err)
		}
		alice.Roles = nil
		want := availability.Record{ID: rest[0].ID, Use: use(w.id), Caller: alice, Time: noon}
		if d := cmp.Diff(want, rest[0]); d != "" || want.Initiator() != "user" {
			t.Error("(-want +got):\n" + d)
		}
		if all, err := w.Service.Uses(ctx, other, policy, "", 2); err != nil || len(all) != 0 {
			t.Errorf("another tenant's: %+v, %v", all, err)
		}
	})
}

// A use that cannot be counted does not happen.
func TestCountFirst(t *testing.T) {
	db := storetest.SQLite(t, store.AvailabilityAreas()...)
	sealing := seal.Of(envelope.NewKey())
	w := wrapped{fixture: mustServiceUnder(t, db, sealing)}
	w.id = w.mustCreate(t)
	var err error
	if w.bytes, err = w.Wrap(t.Context(), system, tenant, w.id, envelope.NewKey(), nil); err != nil {
		t.Fatal(err)
	}
	broken, err := availability.New(availability.Config{Store: full{store.NewAvailability(db)}, Seal: sealing, Audit: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Unwrap(t.Context(), system, use(w.id), w.bytes, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	wantUsage(t, w, 0, 0, 0, nil)
}

// full is a store on a full disk.
type full struct{ availability.Store }

func (full) AddUse(context.Context, availability.Record, int64) error {
	return fault.New(fault.Unavailable, "the disk is full")
}
