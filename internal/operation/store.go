package operation

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Store keeps operations. Every method is one transaction.
type Store interface {
	// Add stores a new operation; fault.Conflict if the id exists.
	Add(ctx context.Context, op Operation) error
	// Get returns one operation; fault.NotFound.
	Get(ctx context.Context, tenant, id string) (Operation, error)
	// List returns a tenant's operations, newest first, those older than before (its id; ""
	// for the newest page).
	List(ctx context.Context, tenant, before string, limit int) ([]Operation, error)
	// Claim takes the oldest operation of one of kinds that is free at c.Now and whose tenant
	// has none of that kind running, and returns it as claimed. ok is false if there is none.
	Claim(ctx context.Context, c Claim) (op Operation, ok bool, err error)
	// Free makes due now what a clock that was wrong holds up, of some kinds: a lease, the pause
	// before another attempt, or the beginning of an operation that was made in the future, that end
	// only beyond a time. What is to begin later is left alone.
	Free(ctx context.Context, kinds []string, now, beyond time.Time) error
	// Hasten makes the operations of a tenant that wait for another attempt due now.
	Hasten(ctx context.Context, tenant string, now time.Time) error
	// Extend sets the end of the lease and tells what is asked of the work. A fence that is no
	// longer the newest is refused with [Stale].
	Extend(ctx context.Context, tenant, id string, fence int64, until time.Time) (Wish, error)
	// Save writes a checkpoint; a fence that is no longer the newest is refused with [Stale].
	Save(ctx context.Context, f Fence) error
	// Settle ends a claim; a fence that is no longer the newest is refused with [Stale]. What
	// was asked for again since the claim becomes Waiting instead of Done; what somebody
	// resumed before it had stopped becomes Waiting instead of Paused.
	Settle(ctx context.Context, o Outcome) error

	// These do what somebody asks, and return the row as it then stands; fault.NotFound. One
	// that is final stays as it is.
	//
	// Cancel makes a waiting or paused operation Cancelled and marks a running one.
	Cancel(ctx context.Context, tenant, id string, now time.Time) (Operation, error)
	// Pause makes a waiting operation Paused and marks a running one.
	Pause(ctx context.Context, tenant, id string, now time.Time) (Operation, error)
	// Resume makes a paused operation Waiting, due now, as it does with one that waits for its
	// next attempt, and takes the mark from a running one.
	Resume(ctx context.Context, tenant, id string, now time.Time) (Operation, error)
	// Limit sets the most units per second, 0 for none.
	Limit(ctx context.Context, tenant, id string, perSecond int64, now time.Time) (Operation, error)
}

// A Wish is what is asked of an operation that runs.
type Wish struct {
	Cancel, Pause bool
	MaxRate       int64 // units per second, 0 for no limit
}

// A Claim says who wants work, of which kinds, at what time, and until when it is theirs.
type Claim struct {
	Owner      string
	Kinds      []string
	Now, Until time.Time
}

// A Fence is what a batch's transaction writes beside the batch: how far the work is, and
// the number that proves that the writer still owns it.
type Fence struct {
	Tenant, ID  string
	Number      int64
	Checkpoint  string
	Done, Total int64
	Reached     int64   // in millionths: see Operation
	Rate        float64 // units per second
	At          time.Time
}

// An Outcome ends a claim: the new state, why, and, for Waiting, when to try again.
type Outcome struct {
	Tenant, ID  string
	Number      int64
	Calls       int64 // as they were at the claim
	State       State // not Running
	Error, Hint string
	Attempts    int
	Due, At     time.Time
}

// staleReason is the Reason of the fault that [Stale] returns.
const staleReason = "StaleFence"

// Stale returns the fault with which a store refuses an outdated fence. A handler that
// meets it must stop and return it: somebody else goes on with the work.
func Stale() error {
	return fault.New(fault.Conflict, "another runner has taken over this operation").WithReason(staleReason)
}

// IsStale reports whether err is, or was caused by, [Stale].
func IsStale(err error) bool {
	return fault.Is(err, fault.Conflict) && fault.As(err).Reason == staleReason
}
