package operation_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/store"
)

func TestStartsAtOnceAndFinishes(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		r := mustNew(t, operation.Config{Store: rows, Handlers: map[string]operation.Handler{
			"count": func(ctx context.Context, run *operation.Run) error {
				for range 3 {
					if err := step(ctx, run, 3); err != nil {
						return err
					}
				}
				return nil
			},
		}})
		defer running(t, r)()
		synctest.Wait() // it sleeps until the next heartbeat
		begin := time.Now()
		op := mustStart(t, r, "count")
		synctest.Wait()
		got := wantState(t, r, op, operation.Done)
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("it took %v to begin, want none", waited)
		}
		if got.Checkpoint != "3" || got.Done != 3 || got.Total != 3 || got.Percent() != 100 || got.Finished.IsZero() {
			t.Errorf("row after the end: %+v", got)
		}
	})
}

// A runner that dies keeps its claim for the lease, and not longer; its successor begins at
// the last checkpoint; and what the dead one still writes is refused.
func TestKilledRunnerIsReplacedWithinTheLease(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		wire := &cable{Store: rows}
		wake, late := make(chan struct{}), make(chan error, 1)
		first := mustNew(t, operation.Config{Store: wire, Owner: "first", Handlers: map[string]operation.Handler{
			"count": func(ctx context.Context, run *operation.Run) error {
				for range 5 {
					if err := step(ctx, run, 10); err != nil {
						return err
					}
				}
				<-wake // frozen: does not even see its context end
				late <- step(context.WithoutCancel(ctx), run, 10)
				return ctx.Err()
			},
		}})
		var from string
		second := mustNew(t, operation.Config{Store: rows, Owner: "second", Handlers: map[string]operation.Handler{
			"count": func(ctx context.Context, run *operation.Run) error {
				from = run.Op.Checkpoint
				for run.Op.Done < 10 {
					if err := step(ctx, run, 10); err != nil {
						return err
					}
				}
				return nil
			},
		}})
		op := mustStart(t, first, "count")
		stopFirst := running(t, first)
		synctest.Wait()
		defer running(t, second)()
		time.Sleep(10 * time.Second) // heartbeats hold the lease
		wantState(t, first, op, operation.Running)

		wire.pulled.Store(true)
		time.Sleep(4 * time.Second) // one lease and one look
		got := wantState(t, second, op, operation.Done)
		if from != "5" || got.Checkpoint != "10" || got.Owner != "second" || got.Fence != 2 {
			t.Errorf("went on at %q, row %+v", from, got)
		}
		close(wake)
		if err := <-late; !operation.IsStale(err) {
			t.Errorf("late write of the first runner: %v, want a stale fence", err)
		}
		stopFirst()
		if after := mustGet(t, second, op); !cmp.Equal(after, got) {
			t.Errorf("the dead runner changed the row:\n%s", cmp.Diff(got, after))
		}
	})
}

func TestLostLeaseEndsTheHandler(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		wire := &cable{Store: rows}
		ended := make(chan time.Time, 1)
		r := mustNew(t, operation.Config{Store: wire, Handlers: map[string]operation.Handler{
			"wait": func(ctx context.Context, run *operation.Run) error {
				<-ctx.Done()
				ended <- time.Now()
				return ctx.Err()
			},
		}})
		mustStart(t, r, "wait")
		defer running(t, r)()
		synctest.Wait()
		wire.pulled.Store(true)
		begin := time.Now()
		if held := (<-ended).Sub(begin); held > 3*time.Second {
			t.Errorf("the handler went on for %v without a lease of 3 s", held)
		}
	})
}

// A node that stops gives its work back: the other one need not wait for the lease.
func TestStoppingNodeGivesWorkBack(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		handlers := map[string]operation.Handler{
			"wait": func(ctx context.Context, run *operation.Run) error {
				if err := step(ctx, run, 2); err != nil {
					return err
				}
				if run.Op.Done == 2 {
					return nil
				}
				<-ctx.Done()
				return fmt.Errorf("waiting: %w", ctx.Err())
			},
		}
		first := mustNew(t, operation.Config{Store: rows, Handlers: handlers})
		op := mustStart(t, first, "wait")
		stop := running(t, first)
		synctest.Wait()
		stop()
		got := wantState(t, first, op, operation.Waiting)
		if got.Attempts != 0 || got.Error != "" || got.LeaseUntil.After(time.Now()) {
			t.Errorf("given back as %+v", got)
		}
		defer running(t, mustNew(t, operation.Config{Store: rows, Handlers: handlers}))()
		synctest.Wait()
		wantState(t, first, op, operation.Done)
	})
}

func TestFailures(t *testing.T) {
	refused := func(code fault.Code) error { return fault.New(code, "no").WithHint("say please") }
	tests := []struct {
		name     string
		handler  operation.Handler
		want     operation.State
		attempts int
		error    string
	}{
		{"an error is tried again, a bounded number of times", func(context.Context, *operation.Run) error { return refused(fault.Unavailable) }, operation.Failed, 4, "no"},
		{"an invalid request is hopeless", func(context.Context, *operation.Run) error { return refused(fault.Invalid) }, operation.Failed, 1, "no"},
		{"damaged bytes stay damaged", func(context.Context, *operation.Run) error { return refused(fault.Corrupt) }, operation.Failed, 1, "no"},
		{"a panic is an internal error", func(context.Context, *operation.Run) error { panic("secret") }, operation.Failed, 4, "internal error"},
		{"insides stay inside", func(context.Context, *operation.Run) error { return errors.New("SELECT secret") }, operation.Failed, 4, "internal error"},
		{"progress starts the count anew", func(ctx context.Context, run *operation.Run) error {
			if run.Op.Done == 20 {
				return nil
			}
			if err := step(ctx, run, 20); err != nil {
				return err
			}
			return refused(fault.Denied)
		}, operation.Done, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, rows *store.Operation) {
				r := mustNew(t, operation.Config{Store: rows, Attempts: 4, Handlers: map[string]operation.Handler{"k": tt.handler}})
				op := mustStart(t, r, "k")
				defer running(t, r)()
				time.Sleep(time.Minute)
				got := wantState(t, r, op, tt.want)
				if tt.want == operation.Failed && (got.Attempts != tt.attempts || got.Error != tt.error) {
					t.Errorf("failed with %q after %d attempts, want %q after %d", got.Error, got.Attempts, tt.error, tt.attempts)
				}
			})
		})
	}
}

func TestBackoffDoubles(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var at []time.Duration
		begin := time.Now()
		r := mustNew(t, operation.Config{Store: rows, Attempts: 5, Beat: 50 * time.Millisecond, Handlers: map[string]operation.Handler{
			"k": func(context.Context, *operation.Run) error {
				at = append(at, time.Since(begin).Round(100*time.Millisecond))
				return fault.New(fault.Unavailable, "no")
			},
		}})
		mustStart(t, r, "k")
		stop := running(t, r)
		time.Sleep(16 * time.Second)
		stop()
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

// An operation that takes its process down each time is given up like any other failure.
func TestCrashLoopEnds(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		r := mustNew(t, operation.Config{Store: rows, Attempts: 3, Handlers: map[string]operation.Handler{
			"k": func(context.Context, *operation.Run) error { return nil },
		}})
		op := mustStart(t, r, "k")
		for range 3 { // three runners that were killed right after their claim
			now := time.Now()
			if _, ok, err := rows.Claim(t.Context(), operation.Claim{Owner: "dead", Kinds: []string{"k"}, Now: now, Until: now}); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		defer running(t, r)()
		synctest.Wait()
		if got := wantState(t, r, op, operation.Failed); got.Hint == "" {
			t.Error("no hint")
		}
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		handlers := map[string]operation.Handler{"wait": func(ctx context.Context, run *operation.Run) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		r := mustNew(t, operation.Config{Store: rows, Handlers: handlers})
		waiting := mustStart(t, r, "wait")
		if op, err := r.Cancel(t.Context(), tenant, waiting.ID); err != nil || op.State != operation.Cancelled {
			t.Errorf("cancelling a waiting one: %q, %v", op.State, err)
		}
		orphan := mustStart(t, r, "wait") // its runner dies, then it is cancelled
		now := time.Now()
		if _, ok, err := rows.Claim(t.Context(), operation.Claim{Owner: "dead", Kinds: []string{"wait"}, Now: now, Until: now}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if op, err := r.Cancel(t.Context(), tenant, orphan.ID); err != nil || op.State != operation.Running || !op.Cancelling {
			t.Errorf("cancelling a running one: %+v, %v", op, err)
		}
		defer running(t, r)()
		synctest.Wait()
		wantState(t, r, orphan, operation.Cancelled)

		live := mustStart(t, r, "wait")
		synctest.Wait()
		wantState(t, r, live, operation.Running)
		if _, err := r.Cancel(t.Context(), tenant, live.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond) // one heartbeat
		got := wantState(t, r, live, operation.Cancelled)
		if again, err := r.Cancel(t.Context(), tenant, live.ID); err != nil || !cmp.Equal(again, got) {
			t.Errorf("cancelling twice: %v\n%s", err, cmp.Diff(got, again))
		}
		if _, err := r.Cancel(t.Context(), "other", live.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("cancelling another tenant's: %v, want not found", err)
		}
	})
}

// Four runners, one of them an hour ahead, so that it takes every lease at once: no fence is
// handed out twice, and every operation comes to its end.
func TestNoFenceIsWorkedTwice(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var mu sync.Mutex
		seen := map[string]string{}
		finished := map[string]bool{}
		handlerOf := func(owner string) operation.Handler {
			return func(ctx context.Context, run *operation.Run) error {
				key := fmt.Sprint(run.Op.ID, run.Op.Fence)
				mu.Lock()
				if other, ok := seen[key]; ok {
					t.Errorf("%s and %s work on the same fence %s", owner, other, key)
				}
				seen[key] = owner
				mu.Unlock()
				for run.Op.Done < 5 {
					time.Sleep(200 * time.Millisecond)
					if err := step(ctx, run, 5); err != nil {
						return err
					}
				}
				mu.Lock()
				finished[run.Op.ID] = true
				mu.Unlock()
				return nil
			}
		}
		var first *operation.Runner
		for i, skew := range []time.Duration{0, 0, 0, time.Hour} {
			owner := fmt.Sprint("runner", i)
			r := mustNew(t, operation.Config{Store: rows, Owner: owner,
				Now:      func() time.Time { return time.Now().Add(skew) },
				Handlers: map[string]operation.Handler{"k": handlerOf(owner)},
			})
			if first == nil {
				first = r
			}
			defer running(t, r)()
		}
		var want []string
		for range 6 {
			want = append(want, mustStart(t, first, "k").ID)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Minute)
		for _, id := range want {
			got, err := first.Get(t.Context(), tenant, id)
			if err != nil || got.State != operation.Done || got.Checkpoint != "5" {
				t.Errorf("operation %s: %+v, %v", id, got, err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if len(finished) != len(want) {
			t.Errorf("%d operations finished, want %d", len(finished), len(want))
		}
	})
}

func TestOldestFirstOnePerTenantAndKind(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var mu sync.Mutex
		var order []string
		busy := map[string]int{}
		r := mustNew(t, operation.Config{Store: rows, Slots: 8, Handlers: map[string]operation.Handler{
			"k": func(ctx context.Context, run *operation.Run) error {
				mu.Lock()
				order = append(order, run.Op.Tenant+run.Op.Subject)
				if busy[run.Op.Tenant]++; busy[run.Op.Tenant] > 1 {
					t.Errorf("two at a time for tenant %s", run.Op.Tenant)
				}
				mu.Unlock()
				time.Sleep(100 * time.Millisecond)
				mu.Lock()
				busy[run.Op.Tenant]--
				mu.Unlock()
				return nil
			},
		}})
		for _, what := range []string{"a1", "a2", "a3", "b1", "b2"} {
			if _, err := r.Start(t.Context(), operation.Operation{Tenant: what[:1], Kind: "k", Subject: what[1:]}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		mustStart(t, r, "foreign") // no handler here: left to other nodes
		stop := running(t, r)
		time.Sleep(time.Minute)
		stop()
		turn := func(i, j int) map[string]bool { return map[string]bool{order[i]: true, order[j]: true} }
		if len(order) != 5 || order[4] != "a3" ||
			!cmp.Equal(turn(0, 1), map[string]bool{"a1": true, "b1": true}) || !cmp.Equal(turn(2, 3), map[string]bool{"a2": true, "b2": true}) {
			t.Errorf("order %v", order)
		}
	})
}

func TestNewChecksItsConfig(t *testing.T) {
	for _, c := range []operation.Config{{}, {Store: &cable{}, Lease: -1}, {Store: &cable{}, Lease: time.Second, Beat: time.Second}} {
		if _, err := operation.New(c); err == nil {
			t.Errorf("New(%+v) gave no error", c)
		}
	}
	r := mustNew(t, operation.Config{Store: &cable{}})
	if _, err := r.Start(t.Context(), operation.Operation{Kind: "k"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Start without a tenant: %v", err)
	}
}

func TestPercentAndPace(t *testing.T) {
	tests := []struct {
		op      operation.Operation
		percent float64
		rate    float64
		left    time.Duration
		ok      bool
	}{
		{operation.Operation{State: operation.Waiting, Total: 10, Rate: 2}, 0, 0, 0, false},
		{operation.Operation{State: operation.Running, Rate: 1, Done: 5, Total: 10}, 50, 1, 5 * time.Second, true},
		{operation.Operation{State: operation.Running, Rate: 2, Done: 10, Total: 10}, 99.9, 2, 0, true},
		{operation.Operation{State: operation.Running, Done: 5, Total: 10}, 50, 0, 0, false},
		{operation.Operation{State: operation.Running, Rate: 7, Done: 7}, 0, 7, 0, true},
		{operation.Operation{State: operation.Running, Rate: 1, Done: 5, Total: 20, Reached: 500_000}, 50, 1, 15 * time.Second, true},
		{operation.Operation{State: operation.Paused, Rate: 1, Done: 5, Total: 20, Reached: 500_000}, 50, 0, 0, false},
		{operation.Operation{State: operation.Done, Rate: 3, Done: 3, Total: 10}, 100, 0, 0, false},
	}
	for _, tt := range tests {
		rate, left, ok := tt.op.Pace()
		if got := tt.op.Percent(); got != tt.percent || rate != tt.rate || left != tt.left || ok != tt.ok {
			t.Errorf("%+v: %v %%, %v/s, %v left, %v", tt.op, got, rate, left, ok)
		}
	}
}

// A clock that was a year ahead holds nothing up once it is right: neither what was claimed by a
// node that was killed, nor what failed and waits for its next attempt, nor what was begun then. What
// is to begin later begins later.
func TestAClockFarAheadHoldsNothingUp(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		const year = 365 * 24 * time.Hour
		ahead := func() time.Time { return time.Now().Add(year) }
		died, wrong := make(chan struct{}), &cable{Store: rows}
		first := mustNew(t, operation.Config{Store: wrong, Now: ahead, Handlers: map[string]operation.Handler{
			"killed": func(ctx context.Context, _ *operation.Run) error {
				close(died)
				<-ctx.Done()
				return ctx.Err()
			},
			"failed": func(context.Context, *operation.Run) error {
				return operation.Again(fault.New(fault.Unavailable, "the certificate is over"), time.Hour)
			},
		}})
		killed, failed := mustStart(t, first, "killed"), mustStart(t, first, "failed")
		stop := running(t, first)
		<-died
		time.Sleep(time.Second)
		wrong.pulled.Store(true) // nothing of its end reaches the rows
		stop()
		fresh := mustStart(t, first, "fresh")

		done := func(context.Context, *operation.Run) error { return nil }
		second := mustNew(t, operation.Config{Store: rows, Handlers: map[string]operation.Handler{
			"killed": done, "failed": done, "fresh": done, "later": done,
		}})
		later, err := operation.Fresh(tenant, "later", "s", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		later.LeaseUntil = time.Now().Add(year)
		if err := rows.Add(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		stop = running(t, second)
		time.Sleep(2 * time.Minute)
		stop()
		for _, op := range []operation.Operation{killed, failed, fresh} {
			wantState(t, second, op, operation.Done)
		}
		wantState(t, second, later, operation.Waiting)
	})
}

// A step that is taken anew at each attempt is no progress: the pauses between attempts grow, what
// is wrong stays to be seen, and in the end the work is given up.
func TestAStepIsNoProgress(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var tries atomic.Int64
		r := mustNew(t, operation.Config{Store: rows, Attempts: 9, Handlers: map[string]operation.Handler{
			"k": func(ctx context.Context, run *operation.Run) error {
				n := tries.Add(1)
				if err := run.Save(ctx, strconv.FormatInt(n, 10), 7, 20); err != nil {
					return err
				}
				if n > 1 && run.Op.Error != "the vault is away" {
					t.Errorf("attempt %d shows %q", n, run.Op.Error)
				}
				return fault.New(fault.Unavailable, "the vault is away")
			},
		}})
		op := mustStart(t, r, "k")
		defer running(t, r)()
		time.Sleep(70 * time.Second)
		if got := wantState(t, r, op, operation.Waiting); tries.Load() > 7 || got.Error != "the vault is away" || got.Checkpoint == "" {
			t.Errorf("%d attempts in 70 s, %+v", tries.Load(), got)
		}
		time.Sleep(time.Hour)
		wantState(t, r, op, operation.Failed)
	})
}

// What waits for another attempt is tried at once when it is told that this may help; what is to begin
// later, and other tenants' work, is left alone.
func TestHasten(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var healed atomic.Bool
		r := mustNew(t, operation.Config{Store: rows, Handlers: map[string]operation.Handler{
			"k": func(context.Context, *operation.Run) error {
				if healed.Load() {
					return nil
				}
				return fault.New(fault.Unavailable, "the vault is away")
			},
		}})
		op := mustStart(t, r, "k")
		later, err := operation.Fresh(tenant, "k", "later", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		later.LeaseUntil = later.LeaseUntil.Add(10 * time.Hour)
		if err := rows.Add(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		defer running(t, r)()
		time.Sleep(10 * time.Minute) // attempts after 511 s and 811 s
		healed.Store(true)
		for _, told := range []string{"another", tenant} {
			wantState(t, r, op, operation.Waiting)
			if err := r.Hasten(t.Context(), told); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		wantState(t, r, op, operation.Done)
		wantState(t, r, later, operation.Waiting)
	})
}
