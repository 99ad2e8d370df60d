package availability

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Use says what a key is unwrapped for, after both roots of a policy have failed.
type Use struct {
	Tenant, Policy, Generation string // whose policy key
	Key                        string // id of the availability key that wrapped it
	Cause                      string // how the roots failed: "both roots denied"
	AfterDenial                bool   // in spite of a denial: counts against the tenant's limit
}

// A Record is a use as it is kept, written before it happened (rows CK-355, CK-359, CK-360).
type Record struct {
	ID string // GUID; later ones are greater
	Use
	Caller directory.Caller // Tenant is Use.Tenant; no roles, groups
	Time   time.Time
}

// Recovery is the cause of a use that the customer has ordered after both roots were lost (CK-76).
const Recovery = "recovery ordered by the customer"

// Operation returns what the use is called (CK-355).
func (u Use) Operation() string {
	if u.Cause == Recovery {
		return "Recovery by Availability Key"
	}
	return "Fallback to Availability Key"
}

// Initiator says who caused the use: the service's own work, "system", or somebody's request,
// "user" (CK-50, CK-377).
func (r Record) Initiator() string {
	if r.Caller.Kind == directory.System {
		return "system"
	}
	return "user"
}

// A Usage is how often a policy's availability key was used, and may be. Days are those of UTC;
// when the clock is set back the last day goes on, so that it gives no more uses.
type Usage struct {
	Today        int64 // for whatever reason
	DenialsToday int64 // of those, in spite of a denial
	Ever         int64
	PerDay       *int // how many in spite of a denial the tenant allows a day; nil for any number
}

// Reasons of fault.Conflict.
const (
	ReasonDestroyed = "KeyDestroyed"
	ReasonShared    = "KeyShared"            // it serves other tenants too
	ReasonLimit     = "AvailabilityKeyLimit" // of uses in spite of a denial, for today
)

// LimitReached returns the fault for a use beyond the tenant's limit of perDay.
func LimitReached(perDay int) error {
	e := fault.New(fault.Conflict, "the tenant allows no use of the availability key while its root keys are denied").WithReason(ReasonLimit)
	if perDay > 0 {
		e.Message = "the availability key was used " + strconv.Itoa(perDay) + " times today, as often as the tenant allows while its root keys are denied"
	}
	return e.WithHint("raise the limit with Set-CKAvailabilityKeyLimit")
}

// count writes a use down, or refuses it; the refusal is recorded.
func (s *Service) count(ctx context.Context, caller directory.Caller, u Use, f Facts) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "no random number for the record of a use")
	}
	caller.Tenant, caller.Roles, caller.Groups = u.Tenant, nil, nil
	now := s.now()
	err = s.c.Store.AddUse(ctx, Record{ID: id.String(), Use: u, Caller: caller, Time: now}, dayOf(now))
	if fault.As(err).Reason != ReasonLimit {
		return err
	}
	if lost := s.record(ctx, caller, u.Tenant, f, "unwrap", audit.Deny); lost != nil {
		return lost
	}
	return err
}

// dayOf returns the number of t's day since 1970, in UTC.
func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// Usage returns how often the key of a tenant's policy was used. Whether the caller may know is
// checked above.
func (s *Service) Usage(ctx context.Context, tenant, policy string) (Usage, error) {
	return s.c.Store.Usage(ctx, tenant, policy, dayOf(s.now()))
}

// SetLimit sets how many uses a day in spite of a denial there may be: none for 0, any number
// for nil. It holds at once, also for what was used today. Whether the caller may set it is checked
// and recorded above.
func (s *Service) SetLimit(ctx context.Context, tenant, policy string, perDay *int) error {
	if perDay != nil && *perDay < 0 {
		return fault.New(fault.Invalid, "a limit of %d uses a day makes no sense", *perDay).WithHint("give a number from 0, or $null for any number of uses")
	}
	return s.c.Store.SetLimit(ctx, tenant, policy, perDay)
}

// Uses returns up to limit records of a policy, newest first, older than the one with id before
// ("" for the newest). Whether the caller may know is checked above.
func (s *Service) Uses(ctx context.Context, tenant, policy, before string, limit int) ([]Record, error) {
	return s.c.Store.Uses(ctx, tenant, policy, before, limit)
}
