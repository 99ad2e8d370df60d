package operation

import (
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A State says where an operation stands. The last three are final.
type State string

const (
	Waiting   State = "waiting"   // not claimed: new, given back, or between two attempts
	Running   State = "running"   // claimed under a lease; when the lease has ended, free again
	Paused    State = "paused"    // held because somebody asked, until somebody resumes it
	Done      State = "done"      // the handler finished
	Failed    State = "failed"    // given up: too many attempts without progress, or hopeless
	Cancelled State = "cancelled" // stopped because somebody asked
)

// Final reports whether an operation in this state will never run again.
func (s State) Final() bool { return s == Done || s == Failed || s == Cancelled }

// Valid reports whether s is one of the six states.
func (s State) Valid() bool { return s == Waiting || s == Running || s == Paused || s.Final() }

// An Operation is one piece of long work.
//
// Fence is raised by each claim. Whoever writes for the operation names the fence it was
// given; the store refuses an older one, so a runner that was thought dead cannot undo what
// its successor did. Correctness rests on that number alone, never on anyone's clock.
type Operation struct {
	Tenant, ID string // GUIDs
	Kind       string // which handler: "converge"
	Subject    string // what it is about: the id of the policy that caused it
	State      State
	Checkpoint string  // the handler's own note of how far it is; "" at the start
	Done       int64   // units finished; what a unit is, the handler says
	Total      int64   // units expected; 0 while unknown
	Reached    int64   // the most of the work that was ever finished, in millionths; never falls
	Rate       float64 // units per second over the last seconds of work, to a thousandth
	Error      string  // message of the last failure, safe to show; "" after progress
	Hint       string  // what to do about it
	Attempts   int     // claims since the last progress
	Cancelling bool    // somebody asked to cancel, and the runner has not stopped yet
	Pausing    bool    // somebody asked to pause, and the runner has not stopped yet
	MaxRate    int64   // most units per second; 0: as fast as it can
	Calls      int64   // how often it was asked for: the first time, and by changes that came while it was open
	Fence      int64   // number of claims so far
	Owner      string  // runner of the last claim

	LeaseUntil time.Time // Running: end of the lease. Waiting: when it may be claimed
	Created    time.Time
	Started    time.Time // first claim; zero before
	Updated    time.Time
	Finished   time.Time // when a final state was reached; zero before
}

// Fresh returns a new operation, ready to be stored: by [Runner.Start], or inside the
// transaction of the change that calls for it, followed by [Runner.Wake].
func Fresh(tenant, kind, subject string, now time.Time) (Operation, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Operation{}, fault.Wrap(fault.Unavailable, err, "no random number for an operation's id")
	}
	now = now.UTC().Truncate(time.Microsecond)
	return Operation{
		Tenant: tenant, ID: id.String(), Kind: kind, Subject: subject, State: Waiting,
		LeaseUntil: now, Created: now, Updated: now,
	}, nil
}

// Percent returns how much of the expected work is finished, 0 to 100. It never goes back,
// also when more work is found on the way, and it is 100 exactly when the operation is done.
func (o Operation) Percent() float64 {
	if o.State == Done {
		return 100
	}
	return min(float64(max(o.Reached, millionths(o.Done, o.Total)))/1e4, 99.9)
}

// millionths returns done as part of total, 0 while total is unknown.
func millionths(done, total int64) int64 {
	if total <= 0 || done <= 0 {
		return 0
	}
	return int64(min(float64(done)/float64(total), 1) * 1e6)
}

// Pace returns the units finished per second over the last seconds, and the time left if it
// goes on like that. ok is false while nothing is being done, or too little has been.
func (o Operation) Pace() (perSecond float64, left time.Duration, ok bool) {
	if o.State != Running || o.Rate <= 0 {
		return 0, 0, false
	}
	open := max(o.Total-o.Done, 0)
	return o.Rate, time.Duration(float64(open) / o.Rate * float64(time.Second)), true
}
