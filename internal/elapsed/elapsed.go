// Package elapsed counts time as it passes, where setting a clock must neither hurry it nor hold
// it back.
//
// What lasts for a while (the days in which a purge can be stopped, the hours of a recovery) is a
// row with a count of how much of it has passed. Each process that runs looks at the row every few
// seconds, and adds what went by since it saw the row stand at that very count: by its monotonic
// clock, which nobody can set. Who writes a count names the one that he started from, so that of
// two processes one counts, the other begins anew, and no moment is counted twice. What passed
// while no process looked is in no count; what to make of that is the caller's business.
//
// The package writes nothing: a [Watch] is what one process has seen.
package elapsed

import (
	"sync"
	"time"
)

// A Watch remembers when its process saw which count. It is safe for concurrent use.
type Watch struct {
	uptime func() time.Duration

	mu          sync.Mutex
	seen, older map[string]sighting // of this turn, and of the one before
}

// A sighting says that a row stood at count when the process was up for at, and that it was last
// asked for at asked.
type sighting struct{ count, at, asked time.Duration }

// New returns a Watch. uptime returns how long the process has been running, by a clock that
// nobody can set and that never goes back; the monotonic one if nil.
func New(uptime func() time.Duration) *Watch {
	if uptime == nil {
		start := time.Now()
		uptime = func() time.Duration { return time.Since(start) }
	}
	return &Watch{uptime: uptime, seen: map[string]sighting{}}
}

// See notes that the row id stands at a count now.
func (w *Watch) See(id string, count time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.uptime()
	w.seen[id] = sighting{count, now, now}
}

// Since returns how much time has passed since this process first saw the row id stand at that
// count: 0 if somebody else has counted meanwhile. known is false if it never saw the row before.
// Whoever then adds it to the row says so with Counted.
func (w *Watch) Since(id string, count time.Duration) (passed time.Duration, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.uptime()
	s, known := w.last(id)
	if !known || s.count != count {
		s = sighting{count: count, at: now}
	}
	s.asked = now
	w.seen[id] = s
	return max(0, now-s.at), known
}

// Counted notes that the row id stands at a new count, which holds all that had passed when Since
// was last called: the time that writing took is in the next one.
func (w *Watch) Counted(id string, count time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, known := w.last(id)
	if !known {
		s.asked = w.uptime()
	}
	w.seen[id] = sighting{count, s.asked, s.asked}
}

func (w *Watch) last(id string) (s sighting, known bool) {
	if s, known = w.seen[id]; !known {
		s, known = w.older[id]
	}
	return s, known
}

// Turn forgets the rows that nobody asked for since the last turn, so that what is over takes up
// no memory. It is called before each look at all rows.
func (w *Watch) Turn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.older, w.seen = w.seen, map[string]sighting{}
}
