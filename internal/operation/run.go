package operation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Run is one claim of an operation, in the hands of its handler. It belongs to the
// handler's goroutine.
type Run struct {
	Op    Operation // as claimed; Checkpoint, Done and Total follow [Run.Saved]
	store Store
	now   func() time.Time
	pace  pace
	limit limit
}

func newRun(op Operation, store Store, now func() time.Time) *Run {
	r := &Run{Op: op, store: store, now: now}
	r.pace.note(now(), op.Done)
	r.limit.set(op.MaxRate)
	return r
}

// Fence returns what the next batch's transaction must write beside the batch. Call
// [Run.Saved] with it after the commit.
func (r *Run) Fence(checkpoint string, done, total int64) Fence {
	at := r.now()
	return Fence{
		Tenant: r.Op.Tenant, ID: r.Op.ID, Number: r.Op.Fence,
		Checkpoint: checkpoint, Done: done, Total: total, At: at,
		Reached: max(r.Op.Reached, millionths(done, total)), Rate: r.pace.rate(at, done),
	}
}

// Saved notes that f was committed. If more is done than before, failures count from here; a step
// that is taken anew at each attempt is no progress, and the pauses between attempts go on growing.
func (r *Run) Saved(f Fence) {
	if f.Done > r.Op.Done {
		r.Op.Attempts, r.Op.Error, r.Op.Hint = 0, "", ""
	}
	r.Op.Checkpoint, r.Op.Done, r.Op.Total = f.Checkpoint, f.Done, f.Total
	r.Op.Reached, r.Op.Rate = f.Reached, f.Rate
	r.pace.note(f.At, f.Done)
}

// Save writes a checkpoint in a transaction of its own, for work that has no batch to write.
func (r *Run) Save(ctx context.Context, checkpoint string, done, total int64) error {
	f := r.Fence(checkpoint, done, total)
	if err := r.store.Save(ctx, f); err != nil {
		return err
	}
	r.Saved(f)
	return nil
}

// Why a handler's context ended before its time.
var (
	errCancelled = errors.New("operation: cancelled")
	errPaused    = errors.New("operation: paused")
	errTaken     = errors.New("operation: another runner has taken over")
	errLeaseLost = errors.New("operation: the lease could not be extended")
	errReturned  = errors.New("operation: the handler has returned")
)

// settleWithin bounds how long giving an operation back may hold up a node that stops.
const settleWithin = 2 * time.Second

// work runs one claimed operation and writes how it ended.
func (r *Runner) work(parent context.Context, op Operation) {
	run := newRun(op, r.c.Store, r.c.Now)
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	obey(Wish{Cancel: op.Cancelling, Pause: op.Pausing, MaxRate: op.MaxRate}, run, stop) // asked for while its runner was dead
	told, forget := r.listen()
	defer forget()
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		r.keepLease(ctx, run, told, stop)
	}()
	err := r.call(ctx, run)
	cause := context.Cause(ctx)
	stop(errReturned)
	<-beating
	r.settle(parent, run, err, cause)
}

// call runs the handler; a panic in it becomes an error, so that one operation cannot end
// the process for every tenant.
func (r *Runner) call(ctx context.Context, run *Run) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if run.Op.Attempts > r.c.Attempts { // its runner died each time, before any progress
		return fault.New(fault.Invalid, "the work stopped %d times without progress", r.c.Attempts).
			WithHint("look into the server's log, then start it again")
	}
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "internal error")
		}
	}()
	return r.c.Handlers[run.Op.Kind](ctx, run)
}

// obey does what is asked of a run.
func obey(w Wish, run *Run, stop context.CancelCauseFunc) {
	switch {
	case w.Cancel:
		stop(errCancelled)
	case w.Pause:
		stop(errPaused)
	}
	run.limit.set(w.MaxRate)
}

// keepLease extends the lease until ctx ends, obeys what is asked of the run, at once when it
// is told that something is, and ends ctx itself when the work must stop. Its timer runs from
// before each claim or extension was written, so it gives up no later than others may take
// over, as far as clocks agree; where they do not, the fence holds.
func (r *Runner) keepLease(ctx context.Context, run *Run, told <-chan struct{}, stop context.CancelCauseFunc) {
	tenant, id, fence, kind := run.Op.Tenant, run.Op.ID, run.Op.Fence, run.Op.Kind
	end := time.NewTimer(run.Op.LeaseUntil.Sub(r.c.Now()))
	defer end.Stop()
	beat := time.NewTicker(r.c.Beat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			stop(errLeaseLost)
			return
		case <-told:
		case <-beat.C:
		}
		started := time.Now()
		wish, err := r.extend(ctx, tenant, id, fence)
		switch {
		case err == nil:
			obey(wish, run, stop)
			end.Reset(r.c.Lease - time.Since(started))
		case IsStale(err):
			stop(errTaken)
		case ctx.Err() == nil:
			r.c.Log.WarnContext(ctx, "extending a lease", "kind", kind, "operation", id, "error", err)
		}
	}
}

// extend asks the store, for no longer than until the next heartbeat.
func (r *Runner) extend(ctx context.Context, tenant, id string, fence int64) (Wish, error) {
	ctx, cancel := context.WithTimeout(ctx, r.c.Beat)
	defer cancel()
	return r.c.Store.Extend(ctx, tenant, id, fence, r.c.Now().Add(r.c.Lease))
}

// settle writes how a claim ended. If that cannot be written, the lease runs out and the
// operation is claimed again: handlers are resumable.
func (r *Runner) settle(parent context.Context, run *Run, err, cause error) {
	if err != nil && (IsStale(err) || errors.Is(cause, errTaken)) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), settleWithin)
	defer cancel()
	o := r.outcome(run.Op, err, cause)
	if err != nil && parent.Err() == nil {
		r.c.Log.WarnContext(ctx, "operation stopped", "kind", run.Op.Kind, "operation", run.Op.ID,
			"tenant", run.Op.Tenant, "state", o.State, "attempt", run.Op.Attempts, "error", err)
	}
	if err := r.c.Store.Settle(ctx, o); err != nil && !IsStale(err) {
		r.c.Log.WarnContext(ctx, "writing how an operation ended", "operation", run.Op.ID, "error", err)
	}
}

// outcome decides what a claim that ended with err becomes; cause says why its context
// ended, if it did.
func (r *Runner) outcome(op Operation, err, cause error) Outcome {
	now := r.c.Now()
	o := Outcome{Tenant: op.Tenant, ID: op.ID, Number: op.Fence, Calls: op.Calls, Due: now, At: now}
	switch {
	case err == nil:
		o.State = Done
		return o
	case errors.Is(cause, errCancelled):
		o.State = Cancelled
		return o
	case cause != nil: // paused, or the node stops, or lost its lease: not the work's fault
		o.State, o.Error, o.Hint, o.Attempts = Waiting, op.Error, op.Hint, max(op.Attempts-1, 0)
		if errors.Is(cause, errPaused) {
			o.State = Paused
		}
		return o
	}
	shown := fault.As(err)
	o.State, o.Error, o.Hint = Waiting, shown.Message, shown.Hint
	o.Attempts = max(op.Attempts, 1)
	o.Due = now.Add(backoff(r.c.Backoff, o.Attempts))
	if again, ok := errors.AsType[*again](err); ok {
		o.Due = latest(o.Due, now.Add(again.after))
		o.Attempts = min(o.Attempts, r.c.Attempts-1) // it never runs out of them
		return o
	}
	if hopeless := shown.Code == fault.Invalid || shown.Code == fault.Corrupt; hopeless || o.Attempts >= r.c.Attempts {
		o.State = Failed
	}
	return o
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Again marks an error of a handler: the work is tried again however often it has failed and
// whatever the error is, not before d has passed, nor before the usual pause has. Of an error that
// is marked already the longer pause counts.
func Again(err error, d time.Duration) error {
	if marked, ok := err.(*again); ok { //nolint:errorlint // a cause that is marked speaks of other work
		return &again{marked.err, max(marked.after, d)}
	}
	return &again{err, d}
}

type again struct {
	err   error
	after time.Duration
}

func (a *again) Error() string { return a.err.Error() }
func (a *again) Unwrap() error { return a.err }

// backoff returns the pause after the given number of failed attempts, at least one.
func backoff(first time.Duration, attempts int) time.Duration {
	pause := first
	for range attempts - 1 {
		if pause >= longestBackoff {
			break
		}
		pause *= 2
	}
	return min(pause, longestBackoff)
}
