package store_test

import (
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// What is asked of an operation is in its row, in any order with the claims, and a wish that
// comes between a runner's last look and the end of its claim is not lost.
func TestOperationControl(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ops, ctx, now := store.NewOperation(db), t.Context(), time.UnixMicro(1_000_000).UTC()
		must := func(op operation.Operation, err error) operation.Operation {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return op
		}
		claim := func() (operation.Operation, bool) {
			op, ok, err := ops.Claim(ctx, operation.Claim{Owner: "o", Kinds: []string{"k"}, Now: now, Until: now.Add(time.Second)})
			must(op, err)
			return op, ok
		}
		settle := func(op operation.Operation, state operation.State) operation.Operation {
			o := operation.Outcome{Tenant: "a", ID: op.ID, Number: op.Fence, Calls: op.Calls, State: state, Due: now, At: now}
			return must(op, ops.Settle(ctx, o))
		}
		first, second := mustOperation(t, "a", "k", now), mustOperation(t, "a", "k", now)
		must(first, ops.Add(ctx, first))
		must(second, ops.Add(ctx, second))

		if op := must(ops.Pause(ctx, "a", first.ID, now)); op.State != operation.Paused {
			t.Errorf("paused while waiting: %s", op.State)
		}
		if op, ok := claim(); ok {
			t.Errorf("%s was claimed behind a paused one", op.ID)
		}
		must(ops.Limit(ctx, "a", first.ID, 7, now))
		must(ops.Resume(ctx, "a", first.ID, now))
		op, ok := claim()
		if !ok || op.ID != first.ID || op.MaxRate != 7 {
			t.Fatalf("resumed: %+v, %v", op, ok)
		}
		must(ops.Pause(ctx, "a", op.ID, now))
		wish, err := ops.Extend(ctx, "a", op.ID, op.Fence, now.Add(time.Second))
		if want := (operation.Wish{Pause: true, MaxRate: 7}); err != nil || wish != want {
			t.Errorf("heard %+v, %v, want %+v", wish, err, want)
		}
		must(ops.Resume(ctx, "a", op.ID, now)) // before it has stopped
		settle(op, operation.Paused)
		if got := must(ops.Get(ctx, "a", op.ID)); got.State != operation.Waiting {
			t.Errorf("resumed before it stopped: %s, want waiting", got.State)
		}
		op, _ = claim()
		must(ops.Pause(ctx, "a", op.ID, now))
		settle(op, operation.Waiting) // its node stopped without having heard
		if got := must(ops.Get(ctx, "a", op.ID)); got.State != operation.Paused || got.Pausing {
			t.Errorf("paused as its node stopped: %+v", got)
		}
		if got := must(ops.Cancel(ctx, "a", op.ID, now)); got.State != operation.Cancelled {
			t.Errorf("cancelled while paused: %s", got.State)
		}
		if got := must(ops.Resume(ctx, "a", op.ID, now)); got.State != operation.Cancelled {
			t.Errorf("a final one was resumed: %s", got.State)
		}
		if op, ok := claim(); !ok || op.ID != second.ID {
			t.Errorf("after the end of the paused one: %+v, %v", op, ok)
		}
	})
}
