package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestAvailabilityKeys(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		s, ctx := store.NewAvailability(db), t.Context()
		k := availability.Key{Tenant: "a", ID: "k", Policy: "p", Sealed: []byte("sealed"), Created: time.UnixMicro(1_000_000).UTC()}
		if err := s.AddKey(ctx, k); err != nil {
			t.Fatal(err)
		}
		if err := s.AddKey(ctx, k); err == nil {
			t.Error("the same key twice")
		}
		got, err := s.Key(ctx, "a", "k")
		if diff := cmp.Diff(k, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if _, err := s.Key(ctx, "b", "k"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v, want not found", err)
		}

		at := time.UnixMicro(5_000_000).UTC()
		for _, when := range []time.Time{at, at.Add(time.Hour)} { // the second time changes nothing
			if err := s.DestroyKey(ctx, "a", "k", when); err != nil {
				t.Fatal(err)
			}
		}
		k.Sealed, k.Destroyed = nil, at
		got, err = s.Key(ctx, "a", "k")
		if len(got.Sealed) == 0 {
			got.Sealed = nil // the engines differ here
		}
		if diff := cmp.Diff(k, got); err != nil || diff != "" {
			t.Errorf("destroyed: %v (-want +got):\n%s", err, diff)
		}
	})
}
