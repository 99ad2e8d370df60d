package hierarchy

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A flight is one attempt to get a lease, which any number of callers wait for. It belongs
// to the Keyring and not to the request that started it.
type flight struct {
	of     generationID
	in     *holding // where it lands; if that has been dropped meanwhile, nowhere
	rules  audience // everyone: the rules for users; systemOnly: those for the service's own work
	caller directory.Caller
	roots  [2]RootRef    // that it asks; zero before. Guarded by Keyring.mu
	done   chan struct{} // closed when one of these is set
	lease  *Lease
	err    error

	overtaken bool // its roots have changed meanwhile: it lands nowhere, and who waits asks again
}

// run makes the attempt and lands it.
func (k *Keyring) run(f *flight) {
	if f.caller.Request == "" {
		f.caller.Request = uuid.NewString() // CK-355 wants one in every record
	}
	ctx, cancel := context.WithTimeout(withRequest(k.base, f.caller.Request), 2*k.c.Attempt+flightOverhead)
	defer cancel()
	opened, err := k.attempt(ctx, f)
	k.write(ctx, k.land(f, opened, err)) //nolint:errcheck // what could not be written is kept for the next time
}

// attempt unlocks the policy key and records the grant. The lease is not in force before it
// has landed.
func (k *Keyring) attempt(ctx context.Context, f *flight) (unlocked, error) {
	g, err := k.c.Store.Generation(ctx, f.of.tenant, f.of.id)
	if err != nil {
		return unlocked{}, err
	}
	if k.c.Purged.Policy(g.Tenant, g.Policy) {
		return unlocked{}, ErrPurged()
	}
	if g.State == Destroyed {
		return unlocked{}, errDestroyed()
	}
	k.asks(f, g)
	opened, err := k.unlock(ctx, f, g)
	if err != nil {
		return opened, err
	}
	l := opened.lease
	err = k.record(ctx, f.caller, f.of.tenant, "lease.grant", g.Policy, audit.Allow, map[string]string{
		"lease": l.id, "generation": g.ID, "by": l.by, "serves": l.audience.String(),
		"seconds": seconds(l.life), "initiator": initiator(f.caller),
	})
	if err != nil {
		l.end()
	}
	return opened, err
}

// land puts the outcome in place and wakes those who wait. It returns the leases that ended by it.
func (k *Keyring) land(f *flight, opened unlocked, err error) []ending {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer close(f.done)
	defer k.tidy(f.of)
	if f.overtaken {
		if opened.lease == nil || !opened.lease.end() {
			return nil
		}
		return []ending{endOf(opened.lease, endDropped)}
	}
	if err == nil && (k.closed || k.held[f.of] != f.in) {
		opened.lease.end()
		f.err = fault.New(fault.Unavailable, "the policy key was dropped meanwhile").WithHint("try again")
		return []ending{endOf(opened.lease, endDropped)}
	}
	f.in[f.rules].flight = nil
	var ended []ending
	if opened.denied { // whatever was granted before: the owner has taken the keys back
		ended = f.in.end(everyone, endDenied)
	}
	if err != nil {
		f.err = err
		if opened.denied && fault.Is(err, fault.Denied) { // the availability key is gone too
			ended = append(ended, f.in.end(f.rules, endDenied)...)
		}
		k.hold(f.of, &f.in[f.rules], k.notRenewed(f, opened, err), err)
		return ended
	}
	f.lease = opened.lease
	return append(ended, k.install(f, opened.lease)...)
}

// install puts a new lease in force in place of an older one. One that serves everyone also
// takes the place of one for system work.
func (k *Keyring) install(f *flight, l *Lease) []ending {
	ended := f.in.end(l.audience, endReplaced)
	if l.audience == everyone {
		ended = append(ended, f.in.end(systemOnly, endReplaced)...)
	}
	f.in[l.audience].lease = l
	age := max(0, k.c.Now().Sub(l.granted))
	l.expiry = time.AfterFunc(l.life-age, func() { k.expire(f.in, l) })
	if l.hedged {
		l.renewal = time.AfterFunc(l.lateAt-age, func() { k.renew(f.in, l) })
	}
	if l.recovery {
		k.work.Go(func() { k.watch(f.in, l) })
	}
	return ended
}

// expire ends a lease whose time is over. It is called by the lease's timer.
func (k *Keyring) expire(h *holding, l *Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := &h[l.audience]; s.lease == l && !k.closed {
		k.writeSoon(h.end(l.audience, endExpired))
		k.tidy(l.of)
	}
}

func errDestroyed() error {
	return fault.New(fault.Conflict, "the policy key of this generation was destroyed").
		WithReason(ReasonGenerationDestroyed).WithHint("nothing opens under it any more")
}
