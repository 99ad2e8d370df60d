package hierarchy

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Restore brings back a generation whose roots are lost: the availability key opens its policy
// key, and new roots wrap it (CK-76). What it returns holds the same policy key as before, so
// all that lies under it opens by the new roots. Nothing is stored.
//
// Whether this may be is for the caller to know: it is the one use of the availability key of a
// [Hedged] generation. The use is recorded before it happens (CK-80).
func (k *Keyring) Restore(ctx context.Context, caller directory.Caller, g Generation, refs [2]RootRef) (Generation, error) {
	if err := belongs(caller, g.Tenant); err != nil {
		return Generation{}, err
	}
	if k.c.Purged.Policy(g.Tenant, g.Policy) { // an old backup has brought it back
		return Generation{}, ErrPurged()
	}
	if g.State == Destroyed {
		return Generation{}, errDestroyed()
	}
	use := availability.Use{Tenant: g.Tenant, Policy: g.Policy, Generation: g.ID, Key: g.AvailabilityKey, Cause: availability.Recovery}
	detail := map[string]string{
		"RecordType": recordType, "Operation": use.Operation(), "PolicyId": g.Policy, "ScopeKeyVersionId": g.ID, "RequestId": caller.Request,
		"availabilityKey": g.AvailabilityKey, "cause": use.Cause, "initiator": initiator(caller),
	}
	if err := k.record(ctx, caller, g.Tenant, "availability.use", g.Policy, audit.Allow, detail); err != nil {
		return Generation{}, err
	}
	key, err := k.c.Availability.Unwrap(ctx, caller, use, g.AvailabilityWrapped, availabilityBinding(g))
	if err == nil && !key.VerifyCommit(commitBinding(g), g.Commitment) {
		key.Destroy()
		err = fault.New(fault.Corrupt, "the availability key gave back a key that is not the policy key").
			WithHint("put back the database of the service and that of the availability keys from the same backup")
	}
	if err != nil {
		if lost := k.recordFailure(ctx, caller, g.Tenant, "availability.use", g.Policy, err, detail); lost != nil {
			return Generation{}, lost
		}
		return Generation{}, err
	}
	defer key.Destroy()
	g.Roots, err = k.wrapByRoots(ctx, caller, g, refs, key)
	return g, err
}
