package elapsed

import (
	"sync"
	"time"
)

// A clock that is ahead of what has passed by more than Leap is doubted for Doubt.
const (
	Leap  = time.Hour
	Doubt = 24 * time.Hour
)

// A Steady follows a clock that can be set, but not at once when it leaps ahead: for a day it then
// goes on from where the clock was, by the time that passes. It is for what destroys when a time has
// come and cannot be undone: a clock that was set wrong, or right again after it was wrong, is noticed
// and mended before it has cost anything. A clock that goes back is followed at once. It is safe for
// concurrent use.
//
// A process that starts with a wrong clock cannot tell.
type Steady struct {
	now    func() time.Time
	uptime func() time.Duration

	mu      sync.Mutex
	at      time.Time     // what the clock said when it was last believed
	up      time.Duration // and how long the process had been up then
	leaping bool
	since   time.Duration // how long it had been up when the leap was seen
}

// NewSteady returns a Steady that believes what the clock says now. uptime is as for New.
func NewSteady(now func() time.Time, uptime func() time.Duration) *Steady {
	s := &Steady{now: now, uptime: New(uptime).uptime}
	s.at, s.up = s.look()
	return s
}

// look reads both clocks. The wall clock comes without its monotonic part, which would hide a leap.
func (s *Steady) look() (time.Time, time.Duration) { return s.now().Round(0), s.uptime() }

// Now returns the time to go by. leap is how far ahead the clock is when that is first seen, else 0.
func (s *Steady) Now() (t time.Time, leap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, up := s.look()
	expected := s.at.Add(up - s.up)
	ahead := now.Sub(expected)
	if ahead <= Leap || s.leaping && up-s.since >= Doubt {
		s.at, s.up, s.leaping = now, up, false
		return now, 0
	}
	if s.leaping {
		return expected, 0
	}
	s.leaping, s.since = true, up
	return expected, ahead
}
