package throttle

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Throttle counts for all vaults. It is safe for concurrent use and starts no goroutine.
type Throttle struct {
	limits Limits

	mu            sync.Mutex
	vaults        map[Vault]*count
	subscriptions map[subscription]*count
	cleaned       time.Time
}

// A Vault says whose budget a request is from. Names are compared as they are given.
type Vault struct{ Tenant, Subscription, Name string }

type subscription struct{ tenant, id string }

// A count is what was taken in a window, and what was turned away and not told of yet.
type count struct {
	start  time.Time
	taken  int64
	turned bool // a request was turned away in this window
	missed int  // those after the first, in this window and before
}

// New returns a Throttle in which nothing was asked yet; fault.Invalid if a limit is out of
// bounds.
func New(l Limits) (*Throttle, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	return &Throttle{limits: l, vaults: map[Vault]*count{}, subscriptions: map[subscription]*count{}}, nil
}

// A Verdict is the answer to one request. The zero Verdict lets it pass.
//
// Of those that are turned away in a window, the first is to be told of by itself and the rest
// as a number, so that a flood does not fill the log: by the next one that is first, or by
// Missed.
type Verdict struct {
	Wait         time.Duration // how long until the same request would pass; more than 0: turned away
	Subscription bool          // it is the subscription's budget that is spent, not the vault's
	First        bool          // of the vault in this window
	Missed       int           // with First: how many others were turned away and not told of
}

// Take takes an operation's share from the vault and from its subscription, or from neither.
func (t *Throttle) Take(v Vault, op Op, now time.Time) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clean(now)
	share := t.limits.share(op)
	own := window(t.vaults, v, t, now)
	all := window(t.subscriptions, subscription{v.Tenant, v.Subscription}, t, now)
	var wait time.Duration
	bySubscription := false
	if all.taken+share > budget*int64(t.limits.Subscription) {
		wait, bySubscription = t.end(all).Sub(now), true
	}
	if own.taken+share > budget {
		wait, bySubscription = max(wait, t.end(own).Sub(now)), false
	}
	if wait > 0 {
		return own.turnAway(wait, bySubscription)
	}
	own.taken += share
	all.taken += share
	return Verdict{}
}

func (c *count) turnAway(wait time.Duration, bySubscription bool) Verdict {
	v := Verdict{Wait: wait, Subscription: bySubscription, First: !c.turned}
	if v.First {
		c.turned, v.Missed, c.missed = true, c.missed, 0
	} else {
		c.missed++
	}
	return v
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
	length := t.end(c).Sub(c.start)
	return !now.Before(t.end(c)) || now.Before(c.start.Add(-length))
}

func (t *Throttle) end(c *count) time.Time {
	return c.start.Add(time.Duration(t.limits.Seconds) * time.Second)
}

// clean forgets, once in a window, what says nothing any more, so that memory is bounded by
// what is asked in two windows.
func (t *Throttle) clean(now time.Time) {
	if !t.over(&count{start: t.cleaned}, now) {
		return
	}
	t.cleaned = now
	maps.DeleteFunc(t.vaults, func(_ Vault, c *count) bool { return c.missed == 0 && t.over(c, now) })
	maps.DeleteFunc(t.subscriptions, func(_ subscription, c *count) bool { return t.over(c, now) })
}

// A Missed says how many requests to a vault were turned away.
type Missed struct {
	Vault
	Requests int
}

// Missed returns what was turned away in windows that have ended and not told of, by tenant
// and name, and forgets it.
func (t *Throttle) Missed(now time.Time) []Missed {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Missed
	for v, c := range t.vaults {
		if c.missed > 0 && t.over(c, now) {
			all = append(all, Missed{v, c.missed})
			c.missed = 0
		}
	}
	slices.SortFunc(all, func(a, b Missed) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Name, b.Name))
	})
	return all
}

// Owe takes back what could not be told.
func (t *Throttle) Owe(m Missed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.vaults[m.Vault]
	if c == nil { // over for long, which starts a new one at the next request
		c = &count{}
		t.vaults[m.Vault] = c
	}
	c.missed += m.Requests
}
