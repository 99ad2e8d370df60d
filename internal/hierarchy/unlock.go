package hierarchy

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
)

// unlocked is what came of asking the roots for a policy key.
type unlocked struct {
	lease  *Lease // not in force yet; nil if nobody unwrapped
	denied bool   // both roots denied, whoever unwrapped then
	silent bool   // hedged: neither root could answer
}

// unlock unwraps the policy key of a generation as the generation says.
func (k *Keyring) unlock(ctx context.Context, f *flight, g Generation) (unlocked, error) {
	if g.Unwrapping == InTurn {
		return k.unlockInTurn(ctx, f, g)
	}
	return k.unlockHedged(ctx, f, g)
}

// unlockInTurn keeps the order of rows CK-44 to CK-50: a root chosen at random, then the
// other, and only when both have failed a look at how. It writes each step down before it
// takes it and stops where that fails.
func (k *Keyring) unlockInTurn(ctx context.Context, f *flight, g Generation) (unlocked, error) {
	first := k.c.First() & 1
	var failed [2]error
	for n := range failed {
		i := first ^ n
		asked := k.c.Now()
		key, err := k.askRoot(ctx, f, g, i, n+1)
		if err == nil {
			return unlocked{lease: k.newLease(f, g, key, everyone, g.Roots[i].Ref.URI, asked)}, nil
		}
		if stop, ok := errors.AsType[*stopped](err); ok {
			return unlocked{}, stop.err
		}
		failed[i] = err
	}
	return k.fallBack(ctx, f, g, failed)
}

// stopped is an error that says nothing about a root: the log cannot be written, or the
// Keyring is closing. It must not be taken for an outage.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

// askRoot asks one root for the policy key and checks that it is the right one.
func (k *Keyring) askRoot(ctx context.Context, f *flight, g Generation, i, attempt int) (envelope.Key, error) {
	c := g.Roots[i]
	detail := map[string]string{
		"policy": g.Policy, "generation": g.ID, "keyID": c.KeyID, "attempt": strconv.Itoa(attempt), "initiator": initiator(f.caller),
	}
	if err := k.record(ctx, f.caller, g.Tenant, unwrapAction, c.Ref.URI, audit.Allow, detail); err != nil {
		return envelope.Key{}, &stopped{err}
	}
	key, err := k.unwrap(ctx, c)
	if err == nil && !key.VerifyCommit(commitBinding(g), g.Commitment) {
		key.Destroy()
		err = errWrongKey(c.Ref.URI)
	}
	if err == nil {
		k.saw(ctx, g, c, true, nil)
		return key, nil
	}
	if ctx.Err() != nil {
		return envelope.Key{}, &stopped{errCutOff(ctx)}
	}
	k.saw(ctx, g, c, true, err)
	if err := k.recordFailure(ctx, f.caller, g.Tenant, unwrapAction, c.Ref.URI, err, detail); err != nil {
		return envelope.Key{}, &stopped{err}
	}
	return envelope.Key{}, err
}

// unwrap calls one root.
func (k *Keyring) unwrap(ctx context.Context, c RootCopy) (key envelope.Key, err error) {
	root, err := k.c.Root(c.Ref)
	if err != nil {
		return envelope.Key{}, err
	}
	err = k.within(ctx, c.Ref.URI, func(ctx context.Context) (err error) {
		key, err = root.Unwrap(ctx, c.KeyID, c.Wrapped)
		return err
	})
	return key, err
}

// within calls a root within the time for one attempt. A root that does not keep to it
// cannot be reached.
func (k *Keyring) within(ctx context.Context, uri string, call func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, k.c.Attempt)
	defer cancel()
	err := call(limited)
	late := limited.Err() != nil && ctx.Err() == nil
	if err != nil && late && !fault.Is(err, fault.Denied) {
		return fault.Wrap(fault.Unavailable, err, "the vault of %s did not answer in time", nameOf(uri)).
			WithReason("Timeout").WithHint("check that the vault can be reached, then try again")
	}
	return err
}

// recordType is that of a use of the availability key, CustomerKeyServiceEncryption (CK-355).
const recordType = "69"

// fallBack decides whether the availability key may be used, records that it will be, and
// uses it. Every use has its own record, with the parameters of rows CK-355 and CK-357.
func (k *Keyring) fallBack(ctx context.Context, f *flight, g Generation, failed [2]error) (unlocked, error) {
	v := judge(failed, k.c.Mixed)
	out := unlocked{denied: v == bothDenied}
	left := time.Duration(0) // of a recovery, where a root denies: users are let in by that alone
	if v != outage {
		var err error
		if left, err = k.recovering(ctx, g); err != nil {
			return out, err
		}
		if left == 0 && !v.allows(f.rules) {
			return out, errRefused(v, g, failed)
		}
	}
	use := availability.Use{Tenant: g.Tenant, Policy: g.Policy, Generation: g.ID, Key: g.AvailabilityKey, Cause: v.String(), AfterDenial: v != outage}
	if left > 0 { // what two people have approved is no use by the service itself, and not limited like one
		use.Cause, use.AfterDenial = availability.Recovery, false
	}
	detail := map[string]string{
		"RecordType": recordType, "Operation": use.Operation(), "PolicyId": g.Policy, "ScopeKeyVersionId": g.ID, "RequestId": f.caller.Request,
		"availabilityKey": g.AvailabilityKey, "cause": use.Cause, "initiator": initiator(f.caller),
	}
	if left > 0 {
		detail["recoverySecondsLeft"] = recoveryDetail(left)
	}
	if err := k.record(ctx, f.caller, g.Tenant, "availability.use", g.Policy, audit.Allow, detail); err != nil {
		return out, err
	}
	asked := k.c.Now()
	key, err := k.c.Availability.Unwrap(ctx, f.caller, use, g.AvailabilityWrapped, availabilityBinding(g))
	if err == nil && !key.VerifyCommit(commitBinding(g), g.Commitment) {
		key.Destroy()
		err = errWrongKey(byAvailability)
	}
	if err != nil {
		if err := k.recordFailure(ctx, f.caller, g.Tenant, "availability.use", g.Policy, err, detail); err != nil {
			return out, err
		}
		return out, errNothingLeft(v, g, failed, err)
	}
	serves := systemOnly
	if v.allows(everyone) || left > 0 {
		serves = everyone
	}
	out.lease = k.newLease(f, g, key, serves, byAvailability, asked)
	if left > 0 {
		out.lease.recovery, out.lease.life = true, min(out.lease.life, left)
	}
	return out, nil
}

func (k *Keyring) newLease(f *flight, g Generation, key envelope.Key, serves audience, by string, asked time.Time) *Lease {
	l := &Lease{
		id: uuid.NewString(), of: f.of, policy: g.Policy, audience: serves, roots: g.refs(), by: by,
		caller: f.caller, granted: asked, key: key,
		life: k.c.Lease, lateAt: k.c.Lease / 3 * 2, endingAt: k.c.Lease / 6 * 5,
	}
	if g.Unwrapping != InTurn {
		h := k.c.Hedge
		l.hedged, l.life, l.lateAt, l.endingAt = true, h.Cache, h.Cache-h.Lead, h.Cache-h.Lead/16
	}
	return l
}

// errCutOff says why an attempt ended before its outcome was known.
func errCutOff(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "asking for the policy key took too long").WithHint("try again")
	}
	return errStopping()
}

func errWrongKey(what string) error {
	return fault.New(fault.Unavailable, "%s gave back a key that is not the policy key", nameOf(what)).
		WithReason(ReasonWrongKey).WithHint("check that the key was not replaced by another one of the same name")
}
