package throttle

import (
	"maps"
	"sync"
	"time"
)

// A Throttle counts. It is safe for concurrent use and starts no goroutine.
type Throttle struct {
	limits Limits

	mu      sync.Mutex
	callers map[Who]*count
	tenants map[string]*count
	cleaned time.Time
}

// Who asks.
type Who struct{ Tenant, Caller string }

// A count is what one party asked for in a window, and what it has under way.
type count struct {
	start  time.Time
	taken  int
	inside int
	turned bool // something was turned away in this window
	missed int  // turned away and not told of yet
}

// New returns a Throttle in which nothing was asked yet; fault.Invalid if a limit is out of
// bounds.
func New(l Limits) (*Throttle, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	return &Throttle{limits: l, callers: map[Who]*count{}, tenants: map[string]*count{}}, nil
}

// A Cause says why a request was turned away.
type Cause string

// The causes.
const (
	Passed   Cause = ""
	TooMany  Cause = "requests" // in the window
	TooBusy  Cause = "at once"  // under way at the same time
	busyWait       = time.Second
)

// A Verdict is the answer to one request.
//
// Limit, Left and Reset tell how the caller stands, or his organization where it has less left.
// Of the requests of an organization that are turned away in a window, the first is to be told
// of by itself and the rest as a number with the first of a later window, so that a flood does
// not fill a log.
type Verdict struct {
	Cause  Cause
	Whole  bool          // what is spent is the organization's, not the caller's alone
	Wait   time.Duration // how long until it is worth trying again; more than 0 if turned away
	First  bool          // of the organization's in this window
	Missed int           // with First: how many others were turned away and not told of

	Limit int // requests in a window; 0: unlimited, and the next two say nothing
	Left  int // of these
	Reset time.Time
}

// Enter counts a request that begins. If it passes, leave says that it has ended; it may be
// called more than once.
func (t *Throttle) Enter(who Who, now time.Time) (v Verdict, leave func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	caller, tenant := t.counts(who, now)
	switch {
	case full(tenant.inside, t.limits.Tenant.AtOnce):
		return t.turnAway(caller, tenant, Verdict{Cause: TooBusy, Whole: true, Wait: busyWait}), func() {}
	case full(caller.inside, t.limits.Caller.AtOnce):
		return t.turnAway(caller, tenant, Verdict{Cause: TooBusy, Wait: busyWait}), func() {}
	}
	if v = t.take(caller, tenant, now); v.Cause != Passed {
		return v, func() {}
	}
	caller.inside++
	tenant.inside++
	return v, sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		caller.inside--
		tenant.inside--
	})
}

// Take counts one request more of somebody who has entered.
func (t *Throttle) Take(who Who, now time.Time) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	caller, tenant := t.counts(who, now)
	return t.take(caller, tenant, now)
}

func (t *Throttle) take(caller, tenant *count, now time.Time) Verdict {
	switch {
	case full(tenant.taken, t.limits.Tenant.Requests):
		return t.turnAway(caller, tenant, Verdict{Cause: TooMany, Whole: true, Wait: t.end(tenant).Sub(now)})
	case full(caller.taken, t.limits.Caller.Requests):
		return t.turnAway(caller, tenant, Verdict{Cause: TooMany, Wait: t.end(caller).Sub(now)})
	}
	caller.taken++
	tenant.taken++
	return t.standing(caller, tenant, Verdict{})
}

func full(n, limit int) bool { return limit > 0 && n >= limit }

func (t *Throttle) turnAway(caller, tenant *count, v Verdict) Verdict {
	if tenant.turned {
		tenant.missed++
	} else {
		v.First, v.Missed = true, tenant.missed
		tenant.turned, tenant.missed = true, 0
	}
	return t.standing(caller, tenant, v)
}

// standing fills in what is left: the caller's own, or the organization's if that is less.
func (t *Throttle) standing(caller, tenant *count, v Verdict) Verdict {
	if limit := t.limits.Caller.Requests; limit > 0 {
		v.Limit, v.Left, v.Reset = limit, limit-caller.taken, t.end(caller)
	}
	if limit := t.limits.Tenant.Requests; limit > 0 && (v.Limit == 0 || limit-tenant.taken < v.Left) {
		v.Limit, v.Left, v.Reset = limit, limit-tenant.taken, t.end(tenant)
	}
	return v
}

func (t *Throttle) counts(who Who, now time.Time) (caller, tenant *count) {
	t.clean(now)
	return window(t.callers, who, t, now), window(t.tenants, who.Tenant, t, now)
}

// window returns the count of the window that now is in.
func window[K comparable](of map[K]*count, key K, t *Throttle, now time.Time) *count {
	c := of[key]
	if c == nil {
		c = &count{start: now}
		of[key] = c
	}
	if t.over(c, now) {
		c.start, c.taken, c.turned = now, 0, false
	}
	return c
}

// over reports whether a window has ended. Requests come a little out of order, so one that
// begins a little in the future goes on; but a clock that was set back must not lock anybody
// out, so one that is further off has ended too.
func (t *Throttle) over(c *count, now time.Time) bool {
	return !now.Before(t.end(c)) || now.Before(c.start.Add(-t.limits.Window))
}

func (t *Throttle) end(c *count) time.Time { return c.start.Add(t.limits.Window) }

// clean forgets, once in a window, what says nothing any more, so that memory is bounded by
// who asked in two windows.
func (t *Throttle) clean(now time.Time) {
	if !t.over(&count{start: t.cleaned}, now) {
		return
	}
	t.cleaned = now
	idle := func(c *count) bool { return c.inside == 0 && c.missed == 0 && t.over(c, now) }
	maps.DeleteFunc(t.callers, func(_ Who, c *count) bool { return idle(c) })
	maps.DeleteFunc(t.tenants, func(_ string, c *count) bool { return idle(c) })
}
