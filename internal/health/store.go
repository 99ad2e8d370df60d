package health

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// ReasonChanged is the reason of fault.Conflict for an edit that somebody else was faster than.
const ReasonChanged = "HealthChanged"

// ReasonNameTaken is the reason of fault.Conflict for a subscription whose name another has (CK-348).
const ReasonNameTaken = "NameTaken"

// Changed returns the fault for an edit made from a picture that is out of date.
func Changed() error {
	return fault.New(fault.Conflict, "the state of the root key has changed meanwhile").WithReason(ReasonChanged).WithHint("try again")
}

// Store keeps states, changes and subscriptions. Root keys get their rows when a generation is
// made. Errors are faults. Every method is one transaction.
type Store interface {
	// Claim returns roots whose Due has come, the longest due first, and sets it to until. One
	// that lies beyond never was set by a clock that was wrong. One that somebody else claims at
	// the same time is left to him. One that cannot be read is an error, beside the others.
	Claim(ctx context.Context, now, never, until time.Time, limit int) ([]Root, error)
	// NextDue returns the earliest Due of all; false if there are no roots.
	NextDue(ctx context.Context) (time.Time, bool, error)
	// Root returns a root; fault.NotFound.
	Root(ctx context.Context, ref hierarchy.RootRef) (Root, error)
	// Roots returns those in a tenant's vaults.
	Roots(ctx context.Context, tenant string) ([]Root, error)
	// Hasten sets Due and raises Revision.
	Hasten(ctx context.Context, ref hierarchy.RootRef, due time.Time) error
	// Remove takes a root away that no generation needs; fault.Conflict as Apply.
	Remove(ctx context.Context, r Root) error

	// Picture returns all that concerns a tenant.
	Picture(ctx context.Context, tenant string) (Picture, error)
	// Apply makes an edit, wholly or not at all, keeps the last changes of the tenant and wakes
	// its subscriptions. It is fault.Conflict with ReasonChanged if the root has another Revision
	// by now, or the tenant another Head.
	Apply(ctx context.Context, e Edit) error
	// Newest returns the tenant's last changes, the newest first.
	Newest(ctx context.Context, tenant string, limit int) ([]Change, error)

	Outbox
}

// MaxChanges is how many changes of a tenant are kept. A receiver that is away for longer than
// they last misses the oldest.
const MaxChanges = 1000
