package store_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// aGeneration returns generation number of policy, with every field filled.
func aGeneration(tenant, policy string, number int) hierarchy.Generation {
	id := fmt.Sprintf("%s-%d", policy, number)
	root := func(n string) hierarchy.RootCopy {
		return hierarchy.RootCopy{
			Ref:   hierarchy.RootRef{Tenant: "owner" + n, App: "app" + n, URI: "uri" + n},
			KeyID: "kid" + n, Alg: "alg" + n, Wrapped: []byte("root" + n + id),
		}
	}
	return hierarchy.Generation{
		Tenant: tenant, ID: id, Policy: policy, Number: number, State: hierarchy.Active, Unwrapping: hierarchy.Hedged,
		Roots: [2]hierarchy.RootCopy{root("1"), root("2")}, AvailabilityKey: "avk",
		AvailabilityWrapped: []byte("availability" + id), Commitment: []byte("commitment" + id),
		Created: time.UnixMicro(1_000_000).UTC(),
	}
}

func mustAddGeneration(t *testing.T, db *store.DB, g hierarchy.Generation) {
	t.Helper()
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return store.AddGeneration(ctx, q, g) })
}

func TestGenerations(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		h, ctx := store.NewHierarchy(db), t.Context()
		first, second, other := aGeneration("a", "p", 1), aGeneration("a", "p", 2), aGeneration("a", "q", 1)
		for _, g := range []hierarchy.Generation{first, other, second} {
			mustAddGeneration(t, db, g)
		}
		first.State = hierarchy.Draining
		var got []hierarchy.Generation
		err := db.Read(ctx, func(ctx context.Context, q store.DBTX) (err error) {
			got, err = store.ListGenerations(ctx, q, "a", "p")
			return err
		})
		if diff := cmp.Diff([]hierarchy.Generation{first, second}, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if g, err := h.Generation(ctx, "a", other.ID); err != nil || g.State != hierarchy.Active {
			t.Errorf("another policy's generation: %+v, %v", g, err)
		}
		if _, err := h.Generation(ctx, "b", first.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v, want not found", err)
		}
		again := aGeneration("a", "p", 2)
		again.ID = "another id"
		err = db.Write(ctx, func(ctx context.Context, q store.DBTX) error { return store.AddGeneration(ctx, q, again) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("the same number twice: %v, want a conflict", err)
		}
		if g, err := h.Generation(ctx, "a", second.ID); err != nil || g.State != hierarchy.Active {
			t.Errorf("after a refused generation the newest is %s, %v", g.State, err)
		}
	})
}

func aKey(g hierarchy.Generation, container string, version int) hierarchy.ContainerKey {
	return hierarchy.ContainerKey{
		Tenant: g.Tenant, Container: container, Version: version, Workload: "exchange", Policy: g.Policy, Generation: g.ID,
		Wrapped: []byte(container + strconv.Itoa(version)), Created: time.UnixMicro(2_000_000).UTC(),
	}
}

func wantReason(t *testing.T, what string, err error, reason string) {
	t.Helper()
	if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != reason {
		t.Errorf("%s: %v, want a conflict %q", what, err, reason)
	}
}

func TestContainerKeys(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		h, ctx := store.NewHierarchy(db), t.Context()
		g1, g2 := aGeneration("a", "p", 1), aGeneration("a", "p", 2)
		mustAddGeneration(t, db, g1)
		if _, err := h.ContainerKey(ctx, "a", "c", 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("nothing there: %v", err)
		}
		for v := 1; v <= 11; v++ { // past the point where text would sort 10 before 2
			if err := h.AddContainerKey(ctx, aKey(g1, "c", v)); err != nil {
				t.Fatal(err)
			}
		}
		wantReason(t, "the same version twice", h.AddContainerKey(ctx, aKey(g1, "c", 1)), hierarchy.ReasonKeyExists)
		for version, want := range map[int]int{0: 11, 3: 3} {
			k, err := h.ContainerKey(ctx, "a", "c", version)
			if diff := cmp.Diff(aKey(g1, "c", want), k); err != nil || diff != "" {
				t.Errorf("version %d: %v (-want +got):\n%s", version, err, diff)
			}
		}
		if _, err := h.ContainerKey(ctx, "b", "c", 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v", err)
		}

		mustAddGeneration(t, db, g2)
		wantReason(t, "adding under a draining generation", h.AddContainerKey(ctx, aKey(g1, "d", 1)), hierarchy.ReasonGenerationMoved)
		moved := aKey(g2, "c", 3)
		moved.Wrapped = []byte("moved")
		if err := h.MoveContainerKey(ctx, moved, g1.ID); err != nil {
			t.Fatal(err)
		}
		if k, err := h.ContainerKey(ctx, "a", "c", 3); err != nil || cmp.Diff(moved, k) != "" {
			t.Errorf("moved: %v, %v", k, err)
		}
		wantReason(t, "moving it again", h.MoveContainerKey(ctx, moved, g1.ID), hierarchy.ReasonKeyMoved)
		wantReason(t, "moving it back", h.MoveContainerKey(ctx, aKey(g1, "c", 3), g2.ID), hierarchy.ReasonGenerationMoved)
		wrong := aKey(g2, "c", 4)
		wrong.Policy = "q"
		wantReason(t, "a generation of another policy", h.MoveContainerKey(ctx, wrong, g1.ID), hierarchy.ReasonGenerationMoved)
		wantReason(t, "another tenant's generation", h.AddContainerKey(ctx, hierarchy.ContainerKey{
			Tenant: "b", Container: "c", Version: 1, Policy: g2.Policy, Generation: g2.ID, Wrapped: []byte("w"),
		}), hierarchy.ReasonGenerationMoved)
	})
}

func TestContainerKeyPagesAndCounts(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		h, ctx := store.NewHierarchy(db), t.Context()
		g, other, foreign := aGeneration("a", "p", 1), aGeneration("a", "q", 1), aGeneration("b", "p", 1)
		var want []string
		for _, g := range []hierarchy.Generation{g, other, foreign} {
			mustAddGeneration(t, db, g)
		}
		for _, c := range []string{"B", "a", "b", "ä"} { // by bytes
			for v := 1; v <= 12; v++ {
				under := g
				if v%3 == 0 {
					under = other
				}
				if err := h.AddContainerKey(ctx, aKey(under, c, v)); err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprint(c, v))
			}
		}
		if err := h.AddContainerKey(ctx, aKey(foreign, "a", 1)); err != nil {
			t.Fatal(err)
		}
		var got []string
		var at store.ContainerKeyCursor
		for page := 0; ; page++ {
			var keys []hierarchy.ContainerKey
			err := db.Read(ctx, func(ctx context.Context, q store.DBTX) (err error) {
				keys, err = store.ListContainerKeys(ctx, q, "a", at, 5)
				return err
			})
			if err != nil || page > len(want) {
				t.Fatal(page, err)
			}
			if len(keys) == 0 {
				break
			}
			for _, k := range keys {
				got = append(got, fmt.Sprint(k.Container, k.Version))
				at = store.ContainerKeyCursor{Container: k.Container, Version: k.Version}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
		usage, err := store.NewPolicy(db).Usage(ctx, "a")
		counts := map[string]int64{}
		for _, u := range usage {
			counts[u.Generation] += u.Keys
		}
		if diff := cmp.Diff(map[string]int64{g.ID: 32, other.ID: 16}, counts); err != nil || diff != "" {
			t.Errorf("counts (-want +got): %v\n%s", err, diff)
		}
	})
}

// Only a draining generation without keys is destroyed, and its wrapped copies are gone then.
func TestDestroyGeneration(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		h, ctx := store.NewHierarchy(db), t.Context()
		g1, g2 := aGeneration("a", "p", 1), aGeneration("a", "p", 2)
		now := time.UnixMicro(9_000_000).UTC()
		destroy := func(want bool, when string) {
			t.Helper()
			mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
				got, err := store.DestroyGeneration(ctx, q, "a", g1.ID, now)
				if got != want {
					t.Errorf("%s: destroyed %v, want %v", when, got, want)
				}
				return err
			})
		}
		mustAddGeneration(t, db, g1)
		destroy(false, "active")
		if err := h.AddContainerKey(ctx, aKey(g1, "c", 1)); err != nil {
			t.Fatal(err)
		}
		mustAddGeneration(t, db, g2)
		destroy(false, "with a key under it")
		if err := h.MoveContainerKey(ctx, aKey(g2, "c", 1), g1.ID); err != nil {
			t.Fatal(err)
		}
		destroy(true, "drained")
		destroy(false, "again")
		got, err := h.Generation(ctx, "a", g1.ID)
		if err != nil || got.State != hierarchy.Destroyed || !got.Destroyed.Equal(now) ||
			len(got.Roots[0].Wrapped)+len(got.Roots[1].Wrapped)+len(got.AvailabilityWrapped)+len(got.Commitment) != 0 {
			t.Errorf("destroyed: %+v, %v", got, err)
		}
		if got.Roots[0].KeyID != "kid1" {
			t.Error("which root version protected it is forgotten")
		}
	})
}

// Keys that are added while their generation is replaced and destroyed end up under a
// generation that lives, whoever comes first.
func TestNoKeyUnderADestroyedGeneration(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		h, ctx := store.NewHierarchy(db), t.Context()
		for round := range 10 {
			policy := fmt.Sprint("p", round)
			g1, g2 := aGeneration("a", policy, 1), aGeneration("a", policy, 2)
			mustAddGeneration(t, db, g1)
			var both sync.WaitGroup
			destroyed := false
			var added error
			both.Go(func() { added = h.AddContainerKey(ctx, aKey(g1, policy, 1)) })
			both.Go(func() {
				mustAddGeneration(t, db, g2)
				err := db.Write(ctx, func(ctx context.Context, q store.DBTX) (err error) {
					destroyed, err = store.DestroyGeneration(ctx, q, "a", g1.ID, time.Now())
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			if destroyed == (added == nil) {
				t.Fatalf("round %d: destroyed %v, added %v", round, destroyed, added)
			}
		}
	})
}
