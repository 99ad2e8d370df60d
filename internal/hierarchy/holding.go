package hierarchy

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A holding is what the Keyring has of one generation: a slot for each audience. Guarded by
// Keyring.mu.
type holding [systemOnly + 1]slot

// A slot has the lease for one audience, the flight that is about to bring one, and for a
// short while the failure of the last flight. Any of them may be nil.
type slot struct {
	lease  *Lease
	flight *flight
	failed *failure
}

// A failure is the outcome of a flight that brought no lease.
type failure struct {
	err  error
	when time.Time
	hold time.Duration // how long it is not tried again
}

// lease returns a usable lease, asking the roots where it must. A caller that finds a lease
// near its end starts the renewal, and waits for it only when hardly any time is left.
func (k *Keyring) lease(ctx context.Context, caller directory.Caller, id generationID) (*Lease, error) {
	for range 4 + anewMost { // a lease may end between any two steps; more often in a row it hardly does
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lease, wait, err := k.find(caller, id)
		if wait == nil {
			return lease, err
		}
		select {
		case <-wait.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case wait.overtaken: // ask again
		case wait.err == nil:
			return wait.lease, nil
		case lease == nil:
			return nil, copyOf(wait.err)
		case lease.usable(k.c.Now()):
			return lease, nil // the renewal failed, but the old one is still good
		}
	}
	return nil, errRestless()
}

// find returns the lease in force for the caller, or the flight to wait for, or both: then
// the lease is good if the flight fails.
func (k *Keyring) find(caller directory.Caller, id generationID) (*Lease, *flight, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, nil, errStopping()
	}
	now := k.c.Now()
	lease := k.serving(audienceOf(caller), id, now)
	if lease == nil {
		f, err := k.fly(caller, id, audienceOf(caller), now)
		return nil, f, err
	}
	if !lease.late(now) {
		return lease, nil, nil
	}
	f, err := k.fly(caller, id, lease.audience, now) // refused while a failure is held
	if err != nil || !lease.ending(now) {
		return lease, nil, nil
	}
	return lease, f, nil
}

func (f *failure) recent(now time.Time) bool {
	age := now.Sub(f.when)
	return age >= 0 && age < f.hold
}

// serving returns the lease that serves callers of these rules now, nil if there is none. A
// lease whose time is over is ended here, before the timer does it.
func (k *Keyring) serving(a audience, id generationID, now time.Time) *Lease {
	h := k.held[id]
	if h == nil {
		return nil
	}
	for i := range h {
		if l := h[i].lease; l != nil && !l.alive(now) {
			k.writeSoon(h.end(audience(i), endExpired))
		}
	}
	for i := range h {
		if l := h[i].lease; l != nil && l.serves(a) && !l.stale.Load() {
			return l
		}
	}
	return nil
}

// fly returns the flight that asks by these rules, starting one if none is under way. The
// error is that of the last one, if it failed a moment ago.
func (k *Keyring) fly(caller directory.Caller, id generationID, rules audience, now time.Time) (*flight, error) {
	h := k.held[id]
	if h == nil {
		h = new(holding)
		k.held[id] = h
	}
	s := &h[rules]
	if s.flight != nil {
		return s.flight, nil
	}
	if s.failed != nil && s.failed.recent(now) {
		return nil, copyOf(s.failed.err)
	}
	s.failed = nil
	f := &flight{of: id, in: h, rules: rules, caller: caller, done: make(chan struct{})}
	s.flight = f
	k.work.Go(func() { k.run(f) })
	return f, nil
}

// hold keeps the failure of a flight for a short while, so that many readers of a denied
// policy do not hammer its vaults.
func (k *Keyring) hold(id generationID, s *slot, pause time.Duration, err error) {
	failed := &failure{err: err, when: k.c.Now(), hold: pause}
	s.failed = failed
	time.AfterFunc(pause, func() { // in real time, so that a clock that stands still keeps nothing
		k.mu.Lock()
		defer k.mu.Unlock()
		if s.failed == failed {
			s.failed = nil
		}
		k.tidy(id)
	})
}

// tidy forgets a generation of which nothing is held.
func (k *Keyring) tidy(id generationID) {
	if h := k.held[id]; h != nil && *h == (holding{}) {
		delete(k.held, id)
	}
}

// copyOf returns a fault that its receiver may add to without others seeing it.
func copyOf(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	return &c
}

func errStopping() error {
	return fault.New(fault.Unavailable, "the service is stopping").WithHint("try again in a moment")
}

func errRestless() error {
	return fault.New(fault.Unavailable, "the lease on the policy key ended again and again").WithHint("try again")
}
