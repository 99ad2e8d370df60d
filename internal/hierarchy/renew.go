package hierarchy

import (
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An Alert says that a hedged policy key which is in use could not be renewed: unless a root
// answers, what lies under it is unavailable from Expires on (CK-70, CK-71).
type Alert struct {
	Tenant, Policy, Generation string    // GUIDs
	Since                      time.Time // of the first renewal that failed
	Expires                    time.Time
	Err                        error // of the last one
}

// trouble is how renewing a lease has gone so far.
type trouble struct {
	since time.Time // of the first failure; zero if there was none
	told  bool
}

// renew asks the roots for a hedged policy key ahead of its end, if it was used: one that
// nobody needs may end. It is called by the lease's timer.
func (k *Keyring) renew(h *holding, l *Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || h[l.audience].lease != l || !l.used() {
		return
	}
	caller := directory.SystemCaller(l.of.tenant, "renew policy key", uuid.NewString())
	_, _ = k.fly(caller, l.of, l.audience, k.c.Now()) // refused while a failure is held: that one has set the timer again
}

// used reports whether anything was done under the lease.
func (l *Lease) used() bool {
	for i := range l.counts {
		if l.counts[i].Load() > 0 {
			return true
		}
	}
	return false
}

// notRenewed takes note that a flight of a hedged generation has failed, and returns how long
// that is held. While a lease goes on, nobody suffers: what the vaults cannot say takes nothing
// away, and they are asked again at leisure. Keyring.mu is held.
func (k *Keyring) notRenewed(f *flight, opened unlocked, err error) time.Duration {
	l, now := f.in[everyone].lease, k.c.Now()
	if l == nil || !l.hedged || !l.alive(now) {
		return k.c.Hold
	}
	if opened.silent {
		l.stale.Store(false) // there was word of a change, and nobody could confirm it
		f.lease, f.err = l, nil
	}
	if l.trouble.since.IsZero() {
		l.trouble.since = now
	}
	k.alert(l, now, err)
	if l.stale.Load() {
		return k.c.Hold
	}
	pause := min(k.c.Hedge.Retry, l.Expires().Sub(now))
	l.renewal.Stop()
	l.renewal = time.AfterFunc(pause, func() { k.renew(f.in, l) })
	return pause
}

// alert tells once that renewing has failed for long, or that little time is left.
func (k *Keyring) alert(l *Lease, now time.Time, err error) {
	patience := k.c.Hedge.Lead / 8
	if l.trouble.told || now.Sub(l.trouble.since) < patience && l.Expires().Sub(now) > patience {
		return
	}
	l.trouble.told = true
	a := Alert{Tenant: l.of.tenant, Policy: l.policy, Generation: l.of.id, Since: l.trouble.since, Expires: l.Expires(), Err: err}
	k.work.Go(func() {
		caller := directory.SystemCaller(a.Tenant, "renew policy key", uuid.NewString())
		_ = k.record(k.base, caller, a.Tenant, "lease.alert", a.Policy, audit.Fail, map[string]string{ // told all the same
			"generation": a.Generation, "since": a.Since.UTC().Format(time.RFC3339), "expires": a.Expires.UTC().Format(time.RFC3339),
			"reason": fault.As(a.Err).Reason,
		})
		k.c.Hedge.Alert(a)
	})
}
