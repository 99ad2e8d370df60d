package store_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func mustOperation(t *testing.T, tenant, kind string, at time.Time) operation.Operation {
	t.Helper()
	op, err := operation.Fresh(tenant, kind, "subject", at)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func TestOperationRoundTrip(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ops, ctx, now := store.NewOperation(db), t.Context(), time.UnixMicro(1_000_000).UTC()
		op := mustOperation(t, "a", "k", now)
		op.Checkpoint, op.Done, op.Total, op.Error, op.Hint = "c", 1, 2, "e", "h"
		op.Attempts, op.Cancelling, op.Fence, op.Owner = 3, true, 4, "o"
		op.Started, op.Finished = now.Add(time.Second), now.Add(time.Minute)
		if err := ops.Add(ctx, op); err != nil {
			t.Fatal(err)
		}
		got, err := ops.Get(ctx, "a", op.ID)
		if diff := cmp.Diff(op, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if err := ops.Add(ctx, op); !fault.Is(err, fault.Conflict) {
			t.Errorf("adding it twice: %v, want a conflict", err)
		}
		if _, err := ops.Get(ctx, "b", op.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's: %v, want not found", err)
		}
	})
}

func TestOperationList(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ops, ctx := store.NewOperation(db), t.Context()
		var want []string // newest first
		for range 5 {
			op := mustOperation(t, "a", "k", time.Now())
			if err := ops.Add(ctx, op); err != nil {
				t.Fatal(err)
			}
			want = append([]string{op.ID}, want...)
		}
		if err := ops.Add(ctx, mustOperation(t, "b", "k", time.Now())); err != nil {
			t.Fatal(err)
		}
		var got []string
		for before := ""; ; before = got[len(got)-1] {
			page, err := ops.List(ctx, "a", before, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range page {
				got = append(got, op.ID)
			}
			if len(page) < 2 {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
	})
}

// Every write of an old fence is refused and changes nothing.
func TestOperationStaleFence(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ops, ctx, now := store.NewOperation(db), t.Context(), time.UnixMicro(1_000_000).UTC()
		op := mustOperation(t, "a", "k", now)
		if err := ops.Add(ctx, op); err != nil {
			t.Fatal(err)
		}
		claim := operation.Claim{Owner: "one", Kinds: []string{"k"}, Now: now, Until: now.Add(time.Second)}
		old, ok, err := ops.Claim(ctx, claim)
		if err != nil || !ok || old.Fence != 1 || old.State != operation.Running || old.Started != now {
			t.Fatalf("first claim: %+v, %v, %v", old, ok, err)
		}
		if _, ok, err := ops.Claim(ctx, claim); ok || err != nil {
			t.Fatalf("claimed under a live lease: %v, %v", ok, err)
		}
		claim.Owner, claim.Now, claim.Until = "two", now.Add(time.Second), now.Add(time.Minute)
		taken, ok, err := ops.Claim(ctx, claim)
		if err != nil || !ok || taken.Fence != 2 || taken.Owner != "two" || taken.Attempts != 2 || taken.Started != now {
			t.Fatalf("second claim: %+v, %v, %v", taken, ok, err)
		}
		if _, err := ops.Extend(ctx, "a", op.ID, 1, now.Add(time.Hour)); !operation.IsStale(err) {
			t.Errorf("Extend with an old fence: %v", err)
		}
		if err := ops.Save(ctx, operation.Fence{Tenant: "a", ID: op.ID, Number: 1, Checkpoint: "bad", At: now}); !operation.IsStale(err) {
			t.Errorf("Save with an old fence: %v", err)
		}
		if err := ops.Settle(ctx, operation.Outcome{Tenant: "a", ID: op.ID, Number: 1, State: operation.Done, At: now}); !operation.IsStale(err) {
			t.Errorf("Settle with an old fence: %v", err)
		}
		if got, err := ops.Get(ctx, "a", op.ID); err != nil || !cmp.Equal(got, taken) {
			t.Errorf("changed by an old fence: %v\n%s", err, cmp.Diff(taken, got))
		}
		done := operation.Outcome{Tenant: "a", ID: op.ID, Number: 2, State: operation.Done, At: now}
		if err := ops.Settle(ctx, done); err != nil {
			t.Fatal(err)
		}
		if err := ops.Settle(ctx, done); !operation.IsStale(err) {
			t.Errorf("settling a final operation: %v", err)
		}
	})
}

// Batch and checkpoint commit together, and only under the newest fence: with four runners,
// one of which is an hour ahead and takes every lease, each step happens exactly once.
func TestOperationStepsHappenOnce(t *testing.T) {
	areas := func() []store.Area {
		return append(store.ServiceAreas(), store.Area{Name: "steps", Migrations: fstest.MapFS{"0001_steps.sql": {Data: []byte(
			"-- +goose Up\nCREATE TABLE steps (operation TEXT NOT NULL, n BIGINT NOT NULL);")}}})
	}
	storetest.Each(t, areas, func(t *testing.T, db *store.DB) {
		const steps, operations, runners = 15, 4, 4
		work := func(ctx context.Context, run *operation.Run) error {
			for run.Op.Done < steps {
				next := run.Op.Done + 1
				f := run.Fence(strconv.FormatInt(next, 10), next, steps)
				err := db.Write(ctx, func(ctx context.Context, q store.DBTX) error {
					if _, err := q.ExecContext(ctx, `INSERT INTO steps (operation, n) VALUES ($1, $2)`, f.ID, next); err != nil {
						return err
					}
					return store.SaveOperation(ctx, q, f)
				})
				if err != nil {
					return err
				}
				run.Saved(f)
				time.Sleep(time.Millisecond)
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		ops := store.NewOperation(db)
		for i := range runners {
			skew := time.Duration(i/(runners-1)) * time.Hour
			r, err := operation.New(operation.Config{Store: ops, Owner: fmt.Sprint("runner", i), Beat: 5 * time.Millisecond,
				Now:      func() time.Time { return time.Now().Add(skew) },
				Handlers: map[string]operation.Handler{"k": work}})
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { r.Run(ctx) }) //nolint:errcheck // always nil
		}
		var started []operation.Operation
		for i := range operations {
			op := mustOperation(t, fmt.Sprint("tenant", i%2), "k", time.Now())
			if err := ops.Add(ctx, op); err != nil {
				t.Fatal(err)
			}
			started = append(started, op)
		}
		for _, op := range started {
			for got := op; got.State != operation.Done; {
				var err error
				if got, err = ops.Get(ctx, op.Tenant, op.ID); err != nil || got.State == operation.Failed {
					t.Fatalf("operation %+v: %v", got, err)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
		cancel()
		wg.Wait()
		err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
			var all, distinct int
			row := q.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(DISTINCT operation || n) FROM steps`)
			if err := row.Scan(&all, &distinct); err != nil {
				return err
			}
			if all != steps*operations || distinct != all {
				t.Errorf("%d steps, %d different ones, want %d", all, distinct, steps*operations)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What a clock far ahead has left behind is free at once; what is over, held, near or to begin later
// stays as it is.
func TestOperationFree(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ops, ctx, now := store.NewOperation(db), t.Context(), time.UnixMicro(1_000_000).UTC()
		beyond, year := now.Add(time.Hour), now.Add(365*24*time.Hour)
		want := map[string]time.Time{}
		add := func(kind string, change func(op *operation.Operation), then time.Time) {
			op := mustOperation(t, "a", kind, now)
			change(&op)
			if err := ops.Add(ctx, op); err != nil {
				t.Fatal(err)
			}
			want[op.ID] = then
		}
		add("k", func(op *operation.Operation) { op.State, op.LeaseUntil = operation.Running, year }, now)
		add("k", func(op *operation.Operation) { op.Attempts, op.LeaseUntil = 1, year }, now)
		add("k", func(op *operation.Operation) { op.Created, op.LeaseUntil = year, year }, now)
		add("k", func(op *operation.Operation) { op.LeaseUntil = year }, year)
		add("k", func(op *operation.Operation) { op.Attempts, op.LeaseUntil = 1, beyond }, beyond)
		add("other", func(op *operation.Operation) { op.Attempts, op.LeaseUntil = 1, year }, year)
		if err := ops.Free(ctx, []string{"none", "k"}, now, beyond); err != nil {
			t.Fatal(err)
		}
		for id, then := range want {
			if op, err := ops.Get(ctx, "a", id); err != nil || !op.LeaseUntil.Equal(then) {
				t.Errorf("%v, %s, attempt %d: due at %v, want %v", err, op.State, op.Attempts, op.LeaseUntil, then)
			}
		}
	})
}
