package hierarchy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
)

// An audience says whom a lease may serve.
type audience int

const (
	everyone   audience = iota
	systemOnly          // granted by the availability key although the owner denies: never for users
)

func (a audience) String() string {
	if a == systemOnly {
		return "system"
	}
	return "everyone"
}

// audienceOf returns the rules under which a caller asks. Only work of the service itself
// counts as system-initiated (CK-50); an app with its own credentials is a user.
func audienceOf(caller directory.Caller) audience {
	if caller.Kind == directory.System {
		return systemOnly
	}
	return everyone
}

// A counter names what is counted under a lease.
type counter int

const (
	itemsSealed counter = iota
	itemsOpened
	keysWrapped
	keysUnwrapped
	counters
)

// A Lease is the right to use the clear policy key of one generation for a while. It ends
// by time, when it is replaced by a newer one, when the owner of the roots denies, or with
// its Keyring; the clear key is then overwritten.
type Lease struct {
	id       string // in its audit entries
	of       generationID
	policy   string
	audience audience
	roots    [2]RootRef
	by       string // URI of the root that unwrapped, or byAvailability
	caller   directory.Caller
	granted  time.Time // when the root was asked: its answer cannot be older
	life     time.Duration
	lateAt   time.Duration // the age from which a root is asked again in the background
	endingAt time.Duration // the age from which callers wait for that
	hedged   bool          // of a generation that is unwrapped Hedged
	trouble  trouble       // with renewing it. Guarded by Keyring.mu
	counts   [counters]atomic.Int64
	expiry   *time.Timer // ends the lease in real time, whatever the handed clock says
	renewal  *time.Timer // of a hedged one: renews it though nobody asks
	mu       sync.RWMutex
	stale    atomic.Bool // its roots have changed: it serves nobody who comes from now on
	key      envelope.Key
	over     bool
	recovery bool // users have it by a recovery alone
}

// byAvailability stands for the availability key where a root's URI would be.
const byAvailability = "availability key"

// Expires returns when the lease ends unless it is renewed.
func (l *Lease) Expires() time.Time { return l.granted.Add(l.life) }

// By returns the URI of the root that unwrapped the key, or "availability key".
func (l *Lease) By() string { return l.by }

// SystemOnly reports whether the lease was granted in spite of the owner's denial, and so
// serves the service's own work only.
func (l *Lease) SystemOnly() bool { return l.audience == systemOnly }

// serves reports whether a caller of these rules may use the lease.
func (l *Lease) serves(a audience) bool { return l.audience == everyone || a == systemOnly }

// younger reports whether the lease is younger than d. A clock set back ends it: nobody knows
// how old it is then.
func (l *Lease) younger(now time.Time, d time.Duration) bool {
	age := now.Sub(l.granted)
	return age >= 0 && age < d
}

func (l *Lease) alive(now time.Time) bool { return l.younger(now, l.life) }

// late says that it is time to ask a root again, in the background.
func (l *Lease) late(now time.Time) bool { return !l.younger(now, l.lateAt) }

// ending says that so little is left that a caller should wait for the renewal.
func (l *Lease) ending(now time.Time) bool { return !l.younger(now, l.endingAt) }

// do runs fn with the policy key and counts it, unless the lease is over; then ran is false.
// The lease cannot end while fn runs, so fn must be short and reach nothing outside memory.
func (l *Lease) do(now time.Time, what counter, fn func(policyKey envelope.Key) error) (ran bool, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.over || !l.alive(now) {
		return false, nil
	}
	if err := fn(l.key); err != nil {
		return true, err
	}
	l.counts[what].Add(1)
	return true, nil
}

// usable reports whether do would run.
func (l *Lease) usable(now time.Time) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return !l.over && l.alive(now)
}

// end overwrites the key. Only the first call reports true; what was counted is final then.
func (l *Lease) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.over = true
	l.key.Destroy()
	for _, timer := range []*time.Timer{l.expiry, l.renewal} {
		if timer != nil {
			timer.Stop()
		}
	}
	return true
}
