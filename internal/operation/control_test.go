package operation_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/store"
)

// counter returns a handler that works off units one after the other, 10 a second at most by
// itself, and never ends.
func counter(done *atomic.Int64) operation.Handler {
	return func(ctx context.Context, run *operation.Run) error {
		for n := run.Op.Done + 1; ; n++ {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := run.Save(ctx, "c", n, 1000); err != nil {
				return err
			}
			done.Add(1)
			if err := run.Slow(ctx, 1); err != nil {
				return err
			}
		}
	}
}

func control(t *testing.T, r *operation.Runner, op operation.Operation, err error) operation.Operation {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	r.Wake()
	synctest.Wait()
	return op
}

// Issue: pause, resume, throttle take effect at once, are kept over restarts, and the rate
// that is shown is that of the last seconds of work.
func TestPauseResumeThrottle(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		ctx := t.Context()
		var done atomic.Int64
		handlers := map[string]operation.Handler{"k": counter(&done)}
		r := mustNew(t, operation.Config{Store: rows, Handlers: handlers})
		op := mustStart(t, r, "k")
		stop := running(t, r)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		before := wantState(t, r, op, operation.Running)
		if rate, left, ok := before.Pace(); !ok || rate < 9.5 || rate > 10.5 || left < 70*time.Second || left > 90*time.Second {
			t.Errorf("%v/s, %v left, %v", rate, left, ok)
		}
		paused, err := rows.Pause(ctx, tenant, op.ID, time.Now())
		control(t, r, paused, err)
		held := wantState(t, r, op, operation.Paused)
		if held.Attempts != 0 || held.Error != "" {
			t.Errorf("paused: %+v", held)
		}
		stop()
		r = mustNew(t, operation.Config{Store: rows, Handlers: handlers}) // restarted
		stop = running(t, r)
		time.Sleep(10 * time.Second)
		if got := wantState(t, r, op, operation.Paused); got.Done != held.Done || got.Percent() != held.Percent() {
			t.Errorf("moved on while paused: %+v", got)
		}
		limited, err := rows.Limit(ctx, tenant, op.ID, 2, time.Now())
		control(t, r, limited, err)
		resumed, err := rows.Resume(ctx, tenant, op.ID, time.Now())
		control(t, r, resumed, err)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		slow := wantState(t, r, op, operation.Running)
		if rate, _, ok := slow.Pace(); !ok || rate < 1.5 || rate > 2.2 || slow.Percent() <= held.Percent() {
			t.Errorf("under a limit of 2/s: %v/s, %v", rate, ok)
		}
		limited, err = rows.Limit(ctx, tenant, op.ID, 0, time.Now())
		control(t, r, limited, err)
		at := done.Load()
		time.Sleep(time.Second)
		if n := done.Load() - at; n < 9 {
			t.Errorf("%d units in a second after the limit was taken off", n)
		}
		stop()
	})
}

// What is wished while a runner is dead is obeyed by the next one before it does anything.
func TestPauseOfAnOrphan(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var done atomic.Int64
		r := mustNew(t, operation.Config{Store: rows, Handlers: map[string]operation.Handler{"k": counter(&done)}})
		op := mustStart(t, r, "k")
		now := time.Now()
		if _, ok, err := rows.Claim(t.Context(), operation.Claim{Owner: "dead", Kinds: []string{"k"}, Now: now, Until: now}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if _, err := rows.Pause(t.Context(), tenant, op.ID, now); err != nil {
			t.Fatal(err)
		}
		defer running(t, r)()
		time.Sleep(time.Second)
		wantState(t, r, op, operation.Paused)
		if done.Load() != 0 {
			t.Error("it worked before it looked")
		}
	})
}

// The percentage never goes back when more work is found, nor over another claim.
func TestPercentNeverGoesBack(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		totals := []int64{4, 4, 40, 40, 8}
		r := mustNew(t, operation.Config{Store: rows, Handlers: map[string]operation.Handler{
			"k": func(ctx context.Context, run *operation.Run) error {
				n := run.Op.Done
				if n == int64(len(totals)) {
					return nil
				}
				if err := run.Save(ctx, "c", n+1, totals[n]); err != nil {
					return err
				}
				return fault.New(fault.Unavailable, "no") // goes on in another claim
			},
		}})
		op := mustStart(t, r, "k")
		defer running(t, r)()
		last := 0.0
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			now := mustGet(t, r, op).Percent()
			if now < last {
				t.Fatalf("%v %% after %v %%", now, last)
			}
			last = now
		}
		if last != 100 {
			t.Errorf("it ended at %v %%", last)
		}
	})
}

// Work that must not be given up is tried again however hopeless it looks, after the pause
// that its handler asks for.
func TestAgain(t *testing.T) {
	bubble(t, func(t *testing.T, rows *store.Operation) {
		var tries atomic.Int64
		r := mustNew(t, operation.Config{Store: rows, Attempts: 2, Handlers: map[string]operation.Handler{
			"k": func(context.Context, *operation.Run) error {
				if tries.Add(1) == 4 {
					return nil
				}
				return operation.Again(fault.New(fault.Corrupt, "damaged").WithHint("wait"), time.Minute)
			},
		}})
		op := mustStart(t, r, "k")
		defer running(t, r)()
		time.Sleep(90 * time.Second)
		if got := wantState(t, r, op, operation.Waiting); got.Error != "damaged" || got.Hint != "wait" || tries.Load() != 2 {
			t.Errorf("%+v after %d tries", got, tries.Load())
		}
		time.Sleep(3 * time.Minute)
		wantState(t, r, op, operation.Done)
	})
}
