package hierarchy

import (
	"context"
	"sync"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
)

// A Probe is what a root answered when it was asked whether the service may still use it. nil
// means that it may, and that what it unwrapped is the policy key; [ReasonWrongKey] that it may, and
// that it is not.
type Probe struct {
	Ref          RootRef
	Unwrap, Wrap error
}

// Probe has both roots of a generation unwrap the policy key, and wrap another one, to find out
// whether the service still can: no lease comes of it, and what they give is overwritten at
// once. Each attempt is recorded first. The error is that of the log, or of ctx.
func (k *Keyring) Probe(ctx context.Context, caller directory.Caller, g Generation) (found [2]Probe, err error) {
	if err := belongs(caller, g.Tenant); err != nil {
		return found, err
	}
	ctx = withRequest(ctx, caller.Request)
	var errs [2]error
	var both sync.WaitGroup
	for i, c := range g.Roots {
		both.Go(func() { found[i], errs[i] = k.probe(ctx, caller, g, c) })
	}
	both.Wait()
	if errs[0] != nil {
		return found, errs[0]
	}
	return found, errs[1]
}

// probe asks one root.
func (k *Keyring) probe(ctx context.Context, caller directory.Caller, g Generation, c RootCopy) (p Probe, err error) {
	p.Ref = c.Ref
	p.Unwrap, err = k.probeCall(ctx, caller, g, c, "policykey.unwrap", func(ctx context.Context, root Root) error {
		key, err := root.Unwrap(ctx, c.KeyID, c.Wrapped)
		defer key.Destroy()
		if err == nil && !key.VerifyCommit(commitBinding(g), g.Commitment) {
			err = errWrongKey(c.Ref.URI)
		}
		return err
	})
	if err != nil {
		return p, err
	}
	p.Wrap, err = k.probeCall(ctx, caller, g, c, "policykey.wrap", func(ctx context.Context, root Root) error {
		key := envelope.NewKey()
		defer key.Destroy()
		_, _, err := root.Wrap(ctx, key)
		return err
	})
	return p, err
}

// probeCall records that a root is about to be asked and asks it. answer is what it said, err
// what kept it from being asked.
func (k *Keyring) probeCall(ctx context.Context, caller directory.Caller, g Generation, c RootCopy, action string, call func(context.Context, Root) error) (answer, err error) {
	root, answer := k.c.Root(c.Ref)
	if answer != nil {
		return answer, nil
	}
	asked := k.vaultCall(ctx, caller, g, c, action, func(ctx context.Context) error {
		answer = call(ctx, root)
		return answer
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case asked != nil && answer == nil: // it was not asked, for the log did not take it
		return nil, asked
	case asked != nil && isReason(asked, "NotRecorded"):
		return nil, asked
	case asked != nil:
		return asked, nil
	}
	return nil, nil
}
