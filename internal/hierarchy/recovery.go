package hierarchy

import (
	"context"
	"strconv"
	"time"
)

// A Recovery opens the content of a policy whose roots are lost to users, by the availability
// key, for a while ("break glass", rows CK-74 to CK-76). It lasts for Span of its own time, which is
// counted as it passes: Spent is how much of it had passed at Seen, when somebody last counted, and
// Until is when it ends if the clock goes on as it should.
type Recovery struct {
	Tenant, Policy string
	Request        string // id of the request that was approved
	RootsOnly      bool   // it opens nothing: new roots may be put in place of the lost ones (CK-78)
	Started, Until time.Time
	Span, Spent    time.Duration
	Seen           time.Time
	Ended          time.Time // zero while it goes on
	Why            string    // it ended: "its time is over", "asked", "restored"
}

// clockSkew is how far the clocks of two nodes may differ.
const clockSkew = 10 * time.Second

// Left returns how much longer the recovery lasts at a time, 0 if it is over. A clock that has
// gone back behind Seen shuts it until somebody has counted again.
func (r Recovery) Left(now time.Time) time.Duration {
	if r.Started.IsZero() || !r.Ended.IsZero() || now.Before(r.Seen.Add(-clockSkew)) {
		return 0
	}
	return max(0, min(r.Until.Sub(now), r.Span-r.Spent-max(0, now.Sub(r.Seen))))
}

// Recoveries knows the recoveries that go on.
type Recoveries interface {
	// Recovery returns the newest recovery of a policy, the zero one if there was none. It is
	// read each time both roots fail, and twice a second while a lease rests on it.
	Recovery(ctx context.Context, tenant, policy string) (Recovery, error)
}

// watchPause is how often a lease that rests on a recovery looks whether that still goes on.
const watchPause = 500 * time.Millisecond

// recovering returns how much longer a generation may be had by a recovery, 0 if it may not. One
// that was made since the recovery began is under other roots than those that were lost: who denies
// them is obeyed.
func (k *Keyring) recovering(ctx context.Context, g Generation) (time.Duration, error) {
	if k.c.Recoveries == nil {
		return 0, nil
	}
	r, err := k.c.Recoveries.Recovery(ctx, g.Tenant, g.Policy)
	if err != nil || r.RootsOnly || g.Created.After(r.Started) {
		return 0, err
	}
	return r.Left(k.c.Now()), nil
}

// watch ends a lease when the recovery that it rests on does. It runs until the lease is over.
func (k *Keyring) watch(h *holding, l *Lease) {
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for l.lasts() {
		select {
		case <-k.base.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(k.base, watchPause)
		left, err := k.recovering(ctx, Generation{Tenant: l.of.tenant, Policy: l.policy})
		cancel()
		if err != nil || left == 0 { // what cannot be known is not allowed
			k.stopRecovered(h, l)
			return
		}
	}
}

// stopRecovered ends a lease that rests on a recovery.
func (k *Keyring) stopRecovered(h *holding, l *Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := &h[l.audience]; s.lease == l && !k.closed {
		k.writeSoon(h.end(l.audience, endRecovery))
		k.tidy(l.of)
	}
}

// lasts reports whether the lease was not ended.
func (l *Lease) lasts() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return !l.over
}

// recoveryDetail says in the record of a use of the availability key that users get it.
func recoveryDetail(left time.Duration) string {
	return strconv.FormatFloat(left.Seconds(), 'f', 0, 64)
}
