package store_test

import (
	"context"
	"io/fs"
	"testing"
	"testing/fstest"
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
		at := time.UnixMicro(1_000_000).UTC()
		k := availability.Key{
			Facts:  availability.Facts{Kind: availability.PerPolicy, Tenant: "a", ID: "k", Policy: "p", Created: at},
			Sealed: []byte("sealed"),
		}
		add := func(k availability.Key, since time.Time) availability.Key {
			t.Helper()
			kept, err := s.AddKey(ctx, k, since)
			if err != nil {
				t.Fatal(err)
			}
			return kept
		}
		k = add(k, at)
		got, err := s.Key(ctx, "a", "k")
		if diff := cmp.Diff(k, got); err != nil || diff != "" || got.Number != 1 {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if _, err := s.Key(ctx, "b", "k"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v, want not found", err)
		}
		if _, err := s.Newest(ctx, availability.Scope{Kind: availability.PerPolicy, Tenant: "b", Policy: "p"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's newest: %v, want not found", err)
		}

		later := availability.Key{Facts: availability.Facts{Kind: availability.PerPolicy, Tenant: "a", ID: "l", Policy: "p", Created: at.Add(time.Hour)}, Sealed: []byte("x")}
		if kept := add(later, at); kept.ID != "k" {
			t.Errorf("%+v was kept, where an older one does", kept)
		}
		if kept := add(later, later.Created); kept.ID != "l" || kept.Number != 2 {
			t.Errorf("%+v was kept", kept)
		}
		if got, err = s.Key(ctx, "a", "k"); err != nil || !got.Superseded.Equal(later.Created) {
			t.Errorf("the one before: %+v, %v", got, err)
		}
		if newest, err := s.Newest(ctx, availability.Scope{Kind: availability.PerPolicy, Tenant: "a", Policy: "p"}); err != nil || newest.ID != "l" {
			t.Errorf("%+v, %v", newest, err)
		}

		end := time.UnixMicro(5_000_000_000).UTC()
		for _, when := range []time.Time{end, end.Add(time.Hour)} { // the second time changes nothing
			if err := s.DestroyKey(ctx, "a", "k", when); err != nil {
				t.Fatal(err)
			}
		}
		k.Sealed, k.Superseded, k.Destroyed = nil, later.Created, end
		got, err = s.Key(ctx, "a", "k")
		if len(got.Sealed) == 0 {
			got.Sealed = nil // the engines differ here
		}
		if diff := cmp.Diff(k, got); err != nil || diff != "" {
			t.Errorf("destroyed: %v (-want +got):\n%s", err, diff)
		}
		if all, err := s.Superseded(ctx, "", "", 10); err != nil || len(all) != 0 {
			t.Errorf("destroyed, and still to be looked after: %+v, %v", all, err)
		}
	})
}

// A renewal that was asked for is never taken back by an earlier time.
func TestRenewalAsked(t *testing.T) {
	storetest.Each(t, store.AvailabilityAreas, func(t *testing.T, db *store.DB) {
		s, ctx := store.NewAvailability(db), t.Context()
		if at, err := s.RenewalAsked(ctx); err != nil || !at.IsZero() {
			t.Errorf("%v, %v", at, err)
		}
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for _, at := range []time.Time{day, day.Add(-time.Hour), day.Add(time.Hour)} {
			if err := s.AskRenewal(ctx, at); err != nil {
				t.Fatal(err)
			}
		}
		if at, err := s.RenewalAsked(ctx); err != nil || !at.Equal(day.Add(time.Hour)) {
			t.Errorf("%v, %v", at, err)
		}
	})
}

// Keys of before there were kinds serve their policies as they did.
func TestAvailabilityMigration(t *testing.T) {
	areas := store.AvailabilityAreas()
	old := store.AvailabilityAreas()
	for i, a := range old {
		if a.Name == "availability" {
			text, err := fs.ReadFile(a.Migrations, "0001_availability.sql")
			if err != nil {
				t.Fatal(err)
			}
			old[i].Migrations = fstest.MapFS{"0001_availability.sql": {Data: text}}
		}
	}
	path := t.TempDir() + "/availability.db"
	db, err := store.OpenSQLite(t.Context(), path, old...)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `INSERT INTO availability_keys (tenant_id, id, policy_id, sealed, created_at, destroyed_at) VALUES ('t', 'k', 'p', 'x', 1, 0)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = store.OpenSQLite(t.Context(), path, areas...); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	newest, err := store.NewAvailability(db).Newest(t.Context(), availability.Scope{Kind: availability.PerPolicy, Tenant: "t", Policy: "p"})
	if err != nil || newest.ID != "k" || newest.Number != 1 || !newest.Superseded.IsZero() {
		t.Errorf("%+v, %v", newest, err)
	}
}
