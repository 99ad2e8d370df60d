package operation

import (
	"context"
	"math"
	"sync"
	"time"
)

// paceOver is how far back the rate that is shown looks.
const paceOver = 10 * time.Second

// A pace measures how fast a run works: the units finished over the last seconds. It begins
// anew with each claim, so that pauses do not count.
type pace struct{ marks []mark }

type mark struct {
	at   time.Time
	done int64
}

// note adds a mark, at most two in a second, and forgets those that are too old. A clock that
// was set back starts it anew.
func (p *pace) note(at time.Time, done int64) {
	if n := len(p.marks); n > 0 {
		switch last := p.marks[n-1]; {
		case at.Before(last.at):
			p.marks = p.marks[:0]
		case at.Sub(last.at) < time.Second/2:
			return
		}
	}
	p.marks = append(p.marks, mark{at, done})
	for len(p.marks) > 2 && at.Sub(p.marks[1].at) >= paceOver {
		p.marks = p.marks[1:]
	}
}

// rate returns the units per second up to now, to a thousandth.
func (p *pace) rate(at time.Time, done int64) float64 {
	if len(p.marks) == 0 {
		return 0
	}
	first := p.marks[0]
	passed := at.Sub(first.at).Seconds()
	if passed <= 0 || done <= first.done {
		return 0
	}
	return math.Round(float64(done-first.done)/passed*1000) / 1000
}

// A limit keeps a run below a number of units per second. It may be set while others wait.
type limit struct {
	mu      sync.Mutex
	most    int64         // units per second; 0: no limit
	free    time.Time     // when the next unit may be worked off
	changed chan struct{} // closed and replaced when most changes
}

func (l *limit) set(most int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	if most == l.most {
		return
	}
	l.most, l.free = most, time.Time{} // what was owed under the old limit is forgotten
	close(l.changed)
	l.changed = make(chan struct{})
}

// owe adds units that were worked off, and returns how long to wait for them and what says
// that the limit has changed meanwhile.
func (l *limit) owe(units int64, now time.Time) (time.Duration, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most <= 0 || units <= 0 {
		return 0, l.changed
	}
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(units) / float64(l.most) * float64(time.Second)))
	return l.free.Sub(now), l.changed
}

// Slow waits after that many units of work for as long as the highest rate of the operation
// asks. It returns early when that rate changes, and with the reason when ctx ends.
func (r *Run) Slow(ctx context.Context, units int64) error {
	wait, changed := r.limit.owe(units, time.Now())
	if wait <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

// Batch returns how many units to work off at once: most, or fewer under a low highest rate,
// so that a change of it, a pause or an end is noticed within a second.
func (r *Run) Batch(most int) int {
	r.limit.mu.Lock()
	defer r.limit.mu.Unlock()
	if r.limit.most <= 0 {
		return most
	}
	return int(min(int64(most), max(r.limit.most/4, 1)))
}
