package hierarchy

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// NewGeneration makes a fresh policy key, wraps it with both roots and the availability key,
// and has both vaults unwrap it again, so that a generation which cannot be opened never
// exists. The clear key is overwritten before it returns. Nothing is stored: that is for the
// caller, in one transaction with whatever else changes.
//
// The error is that of the root or the availability key that failed: fault.Denied or
// fault.Unavailable.
func (k *Keyring) NewGeneration(ctx context.Context, caller directory.Caller, tenant, policy string, number int, refs [2]RootRef, availabilityKey string) (Generation, error) {
	return k.newGeneration(ctx, caller, Generation{Tenant: tenant, Policy: policy, Number: number, AvailabilityKey: availabilityKey}, refs)
}

// NewHedged is NewGeneration for a policy key that is to be unwrapped [Hedged].
func (k *Keyring) NewHedged(ctx context.Context, caller directory.Caller, tenant, policy string, number int, refs [2]RootRef, availabilityKey string) (Generation, error) {
	return k.newGeneration(ctx, caller, Generation{Tenant: tenant, Policy: policy, Number: number, AvailabilityKey: availabilityKey, Unwrapping: Hedged}, refs)
}

func (k *Keyring) newGeneration(ctx context.Context, caller directory.Caller, g Generation, refs [2]RootRef) (Generation, error) {
	tenant, policy := g.Tenant, g.Policy
	if err := belongs(caller, tenant); err != nil {
		return Generation{}, err
	}
	g.ID, g.State, g.Created = uuid.NewString(), Active, k.c.Now().UTC().Truncate(time.Microsecond)
	key := envelope.NewKey()
	defer key.Destroy()
	g.Commitment = key.Commit(commitBinding(g))
	detail := map[string]string{
		"generation": g.ID, "roots": refs[0].URI + " " + refs[1].URI, "availabilityKey": g.AvailabilityKey, "initiator": initiator(caller),
	}
	if err := k.record(ctx, caller, tenant, "policykey.create", policy, audit.Allow, detail); err != nil {
		return Generation{}, err
	}
	if err := k.wrapThrice(ctx, caller, &g, refs, key); err != nil {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTime)
		defer cancel()
		if lost := k.recordFailure(late, caller, tenant, "policykey.create", policy, err, detail); lost != nil {
			err = errors.Join(err, lost)
		}
		return Generation{}, err
	}
	return g, nil
}

// wrapThrice fills the wrapped copies of g.
func (k *Keyring) wrapThrice(ctx context.Context, caller directory.Caller, g *Generation, refs [2]RootRef, key envelope.Key) (err error) {
	if g.Roots, err = k.wrapByRoots(ctx, caller, *g, refs, key); err != nil {
		return err
	}
	g.AvailabilityWrapped, err = k.c.Availability.Wrap(ctx, caller, g.Tenant, g.AvailabilityKey, key, availabilityBinding(*g))
	return err
}

// wrapByRoots returns both root copies of g, asking both vaults at the same time.
func (k *Keyring) wrapByRoots(ctx context.Context, caller directory.Caller, g Generation, refs [2]RootRef, key envelope.Key) (copies [2]RootCopy, err error) {
	var errs [2]error
	var both sync.WaitGroup
	for i, ref := range refs {
		both.Go(func() { copies[i], errs[i] = k.wrapByRoot(ctx, caller, g, ref, key) })
	}
	both.Wait()
	if errs[0] != nil {
		return copies, errs[0]
	}
	return copies, errs[1]
}

// wrapByRoot has one root wrap the key and prove that it can unwrap it again.
func (k *Keyring) wrapByRoot(ctx context.Context, caller directory.Caller, g Generation, ref RootRef, key envelope.Key) (RootCopy, error) {
	ctx = withRequest(ctx, caller.Request)
	root, err := k.c.Root(ref)
	if err != nil {
		return RootCopy{}, err
	}
	c := RootCopy{Ref: ref, Alg: Alg}
	wrap := func(ctx context.Context) error {
		var err error
		c.KeyID, c.Wrapped, err = root.Wrap(ctx, key)
		if err == nil && (c.KeyID == "" || len(c.Wrapped) == 0) {
			err = fault.New(fault.Unavailable, "%s answered without a key", nameOf(ref.URI)).WithReason("BadAnswer")
		}
		return err
	}
	unwrap := func(ctx context.Context) error {
		back, err := root.Unwrap(ctx, c.KeyID, c.Wrapped)
		defer back.Destroy()
		if err == nil && !back.Equal(key) {
			err = errWrongKey(ref.URI)
		}
		return err
	}
	if err := k.vaultCall(ctx, caller, g, c, "policykey.wrap", wrap); err != nil {
		return RootCopy{}, err
	}
	return c, k.vaultCall(ctx, caller, g, c, unwrapAction, unwrap)
}

const unwrapAction = "policykey.unwrap"

// vaultCall records that a root is about to be asked, asks it, and records a failure.
func (k *Keyring) vaultCall(ctx context.Context, caller directory.Caller, g Generation, c RootCopy, action string, call func(context.Context) error) error {
	ref := c.Ref
	detail := map[string]string{"policy": g.Policy, "generation": g.ID, "initiator": initiator(caller)}
	if err := k.record(ctx, caller, g.Tenant, action, ref.URI, audit.Allow, detail); err != nil {
		return err
	}
	err := k.within(ctx, ref.URI, call)
	if err == nil {
		k.saw(ctx, g, c, action == unwrapAction, nil)
		return nil
	}
	if ctx.Err() != nil { // the caller left: nothing is known about the root
		return ctx.Err()
	}
	k.saw(ctx, g, c, action == unwrapAction, err)
	if err := k.recordFailure(ctx, caller, g.Tenant, action, ref.URI, err, detail); err != nil {
		return err
	}
	return err
}
