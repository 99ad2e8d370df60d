package directory

import (
	"net/netip"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// maxThrottled bounds the names a throttle remembers.
const maxThrottled = 1 << 16

// A throttle slows down guessing at a name: after free failures in a row each further one
// closes the name for a while, twice as long each time. It lives in memory: a restart
// forgets, which gives a guesser no more than free tries per restart.
type throttle struct {
	free       int
	first, max time.Duration

	mu    sync.Mutex
	names map[string]*failures
}

type failures struct {
	count int
	last  time.Time
}

func newThrottle(free int, first, longest time.Duration) *throttle {
	return &throttle{free: free, first: first, max: longest, names: map[string]*failures{}}
}

// network is what an address is counted under: itself, or of IPv6 its network of 64 bits, for whoever
// has one address there has as many as he likes.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	net, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return net.String()
}

// wait returns how long name stays closed, 0 if it is open.
func (t *throttle) wait(name string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.names[name]
	if f == nil {
		return 0
	}
	if now.Before(f.last) {
		f.last = now // the clock was set back: the wait begins anew, and no longer than that
	}
	return max(0, t.pause(f)-now.Sub(f.last))
}

// failed counts a failure.
func (t *throttle) failed(name string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.names[name]
	if f == nil {
		t.makeRoom(now)
		f = &failures{}
		t.names[name] = f
	}
	if now.Sub(f.last) > 2*t.max {
		f.count = 0 // long ago
	}
	f.count++
	f.last = now
}

// succeeded forgets the failures of name.
func (t *throttle) succeeded(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.names, name)
}

func (t *throttle) pause(f *failures) time.Duration {
	if f.count < t.free {
		return 0
	}
	return min(t.max, t.first<<min(f.count-t.free, 16))
}

// closed returns the error for a name that stays closed for wait, nil if that is nothing.
func closed(wait time.Duration, why string) error {
	if wait <= 0 {
		return nil
	}
	return fault.New(fault.Throttled, "%s", why).WithReason(AccountThrottled).WithHint("try again in %s", wait.Round(time.Second))
}

// makeRoom keeps the number of names bounded: it drops those whose failures are long ago,
// and if there are none, any one.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.names) < maxThrottled {
		return
	}
	for name, f := range t.names {
		if now.Sub(f.last) > 2*t.max {
			delete(t.names, name)
		}
	}
	for name := range t.names {
		if len(t.names) < maxThrottled {
			return
		}
		delete(t.names, name)
	}
}
