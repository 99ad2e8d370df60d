package request

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// A Store keeps requests and officers. Errors are faults; every method is one transaction.
type Store interface {
	// Request returns one of a tenant's; fault.NotFound.
	Request(ctx context.Context, tenant, id string) (Request, error)
	// ForOperator returns one of any tenant that is [Request.ForOperator]; fault.NotFound.
	ForOperator(ctx context.Context, id string) (Request, error)
	// Requests returns up to limit of a tenant's by id, behind after; with ended also those that
	// have come to their end.
	Requests(ctx context.Context, tenant, after string, ended bool, limit int) ([]Request, error)
	// OperatorRequests adds to those of the operator's own tenant those of all tenants that are
	// [Request.ForOperator]. A row that is damaged is in a list too, and says so: see
	// [Request.Unreadable].
	OperatorRequests(ctx context.Context, tenant, after string, ended bool, limit int) ([]Request, error)
	// Overdue returns up to limit of all tenants' behind a place that have waited for approvals
	// past now, by their places.
	Overdue(ctx context.Context, now time.Time, after Place, limit int) ([]Request, error)
	// Lost returns up to limit of all tenants' behind a place whose operation failed or was
	// cancelled without their hearing of it.
	Lost(ctx context.Context, after Place, limit int) ([]Request, error)

	// WaitingOut returns up to limit of all tenants' behind a place that are approved and have
	// waited for less than they have to.
	WaitingOut(ctx context.Context, after Place, limit int) ([]Request, error)
	// Wait stores how long an approved request has waited, and NotBefore beside it, unless somebody
	// has counted since was, or it is not approved any more: then counted is false.
	Wait(ctx context.Context, r Request, was time.Duration) (counted bool, err error)
	// Held returns up to limit of all tenants' behind a place that have waited long enough, and
	// whose operation is due only beyond a time.
	Held(ctx context.Context, beyond time.Time, after Place, limit int) ([]Request, error)
	// Hasten makes the operation of a request due now, unless it runs or is held by somebody.
	Hasten(ctx context.Context, r Request, now time.Time) error
	// Trouble returns what the operation of a request met last, if it is tried again after it;
	// "" if nothing.
	Trouble(ctx context.Context, tenant, id string) (message, hint string, err error)

	// Apply makes an edit, wholly or not at all. A request of another revision by now is refused
	// with [Stale], a second open one of the same kind and subject with [Again], one too many
	// with [TooMany], an outdated fence with operation.Stale.
	Apply(ctx context.Context, e Edit) error

	// Officers returns a tenant's by family and name.
	Officers(ctx context.Context, tenant string) ([]Officership, error)
	// SetOfficer names an officer, or, with out, takes him back. What is so already stays so. If
	// first, it is refused with [NotFirst] where the family has officers; one more than
	// MaxOfficers with [TooManyOfficers].
	SetOfficer(ctx context.Context, o Officership, out, first bool) error
}

// A Place is where a request stands in a list of all tenants' requests.
type Place struct{ Tenant, ID string }

// An Edit is one change.
type Edit struct {
	Request   Request              // as it shall be; its Revision is the one it was decided on, 0 for a new one
	Operation *operation.Operation // stored beside it
	Cancel    string               // id of the operation that shall not begin
	Fence     *operation.Fence     // of the operation that makes the change
}

// Reasons of fault.Conflict.
const (
	ReasonChanged   = "RequestChanged"
	ReasonOpen      = "RequestOpen"     // one of this kind and subject is open
	ReasonTooMany   = "TooManyRequests" // open ones of a tenant, or officers of a family
	ReasonEnded     = "RequestEnded"    // denied, withdrawn, expired, done or failed
	ReasonTwice     = "AlreadyApproved" // an approval that was given before, or that nobody waits for
	ReasonOwn       = "OwnRequest"      // of fault.Forbidden: nobody approves his own request
	ReasonNotYours  = "NotApprover"     // of fault.Forbidden: who sees it may not decide it
	ReasonDigest    = "DigestDiffers"   // the approval is for something else
	ReasonNoOfficer = "NoOfficer"       // nobody could approve it
	ReasonOfficers  = "OfficersThere"   // a later change of officers takes an approval
	ReasonBegun     = "RequestHasBegun" // too late to stop it
)

// Stale is the fault for a change of a request that somebody else changed meanwhile.
func Stale() error {
	return fault.New(fault.Conflict, "the request was changed by somebody else at the same time").WithReason(ReasonChanged).
		WithHint("look at it again with Get-CKRequest")
}

// Again is the fault for asking for what is asked for already.
func Again() error {
	return fault.New(fault.Conflict, "the same is asked for already").WithReason(ReasonOpen).
		WithHint("see it with Get-CKRequest; take it back with Remove-CKRequest to ask anew")
}

// MaxOpen is how many open requests a tenant may have, MaxOfficers how many officers a family.
const (
	MaxOpen     = 100
	MaxOfficers = 50
)

// TooMany is the fault for one more open request than MaxOpen.
func TooMany() error {
	return fault.New(fault.Conflict, "%d requests are open, which is the most", MaxOpen).WithReason(ReasonTooMany).
		WithHint("take back those that nobody needs with Remove-CKRequest")
}

// TooManyOfficers is the fault for one more officer of a family than MaxOfficers.
func TooManyOfficers() error {
	return fault.New(fault.Conflict, "the family has %d officers, which is the most", MaxOfficers).WithReason(ReasonTooMany).
		WithHint("take one back with Remove-CKOfficer")
}

// NotFirst is the fault for naming a first officer where there is one.
func NotFirst() error {
	return fault.New(fault.Conflict, "the family has officers already").WithReason(ReasonOfficers).
		WithHint("ask again: an officer or an operator has to approve it")
}
