package hierarchy

import (
	"context"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A HealthState is how a root last answered.
type HealthState string

const (
	Healthy     HealthState = "ok"
	Denying     HealthState = "denied"
	Unreachable HealthState = "unreachable"
)

// Health is the last that this Keyring saw of a root.
type Health struct {
	State  HealthState
	Reason string    // of the failure; "" if ok
	Since  time.Time // when it got into this state
	Seen   time.Time // when it was last asked
}

const maxHealth = 16384 // roots remembered, so that trying out URIs fills no memory

// health is kept per tenant and root URI.
type health struct {
	mu    sync.Mutex
	roots map[[2]string]Health
}

// note keeps the outcome of asking a root.
func (h *health) note(tenant, uri string, err error, now time.Time) {
	state, reason := Healthy, ""
	if err != nil {
		state, reason = Unreachable, fault.As(err).Reason
		if fault.Is(err, fault.Denied) {
			state = Denying
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.roots == nil {
		h.roots = map[[2]string]Health{}
	}
	if len(h.roots) >= maxHealth {
		for old := range h.roots {
			delete(h.roots, old)
			break
		}
	}
	was := h.roots[[2]string{tenant, uri}]
	next := Health{State: state, Reason: reason, Since: now, Seen: now}
	if was.State == state {
		next.Since = was.Since
	}
	h.roots[[2]string{tenant, uri}] = next
}

// A Sight is how a root answered in daily work.
type Sight struct {
	Ref    RootRef
	KeyID  string // the version that was to unwrap; "" where the newest was to wrap
	Unwrap bool   // else it was to wrap
	Err    error  // nil if it did
}

// saw keeps how a root answered, and tells it on.
func (k *Keyring) saw(ctx context.Context, g Generation, c RootCopy, unwrap bool, err error) {
	k.health.note(g.Tenant, c.Ref.URI, err, k.c.Now())
	if k.c.Saw != nil {
		k.c.Saw(ctx, Sight{Ref: c.Ref, KeyID: c.KeyID, Unwrap: unwrap, Err: err})
	}
}

// Health returns how the root answered when this Keyring last asked it; false if it has not
// asked since it was made.
func (k *Keyring) Health(tenant, uri string) (Health, bool) {
	k.health.mu.Lock()
	defer k.health.mu.Unlock()
	h, ok := k.health.roots[[2]string{tenant, uri}]
	return h, ok
}
