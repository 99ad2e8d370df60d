package elapsed_test

import (
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/elapsed"
)

// TestSteady: a leap ahead counts when it has lasted for a day; all else counts at once.
func TestSteady(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now, up := start, time.Duration(0)
	s := elapsed.NewSteady(func() time.Time { return now }, func() time.Duration { return up })
	for i, step := range []struct {
		pass, set  time.Duration // what passes, and by how much the clock is set besides
		want, leap time.Duration // after start
	}{
		{pass: day, want: day},
		{pass: time.Minute, set: elapsed.Leap, want: day + elapsed.Leap + time.Minute}, // no leap yet
		{set: -elapsed.Leap - time.Minute, want: day},                                  // back
		{pass: day, set: 90 * day, want: 2 * day, leap: 90 * day},
		{pass: day - 1, want: 3*day - 1},
		{set: -90 * day, want: 3*day - 1}, // noticed, and mended
		{pass: 1, set: 90 * day, want: 3 * day, leap: 90 * day},
		{pass: day, want: 94 * day}, // it is said to be right
		{pass: day, want: 95 * day},
		{set: -365 * day, want: -270 * day}, // behind
		{pass: day, want: -269 * day},
		{set: 365 * day, want: -269 * day, leap: 365 * day}, // and right again
		{pass: day, want: 97 * day},
	} {
		now, up = now.Add(step.pass+step.set), up+step.pass
		if got, leap := s.Now(); !got.Equal(start.Add(step.want)) || leap != step.leap {
			t.Fatalf("step %d: %v after the start, leap %v; want %v, %v", i, got.Sub(start), leap, step.want, step.leap)
		}
	}
}

// TestSteadyRealClocks: the monotonic part of a time does not hide that the clock was set.
func TestSteadyRealClocks(t *testing.T) {
	t.Parallel()
	set := time.Duration(0)
	s := elapsed.NewSteady(func() time.Time { return time.Now().Add(set) }, nil)
	if _, leap := s.Now(); leap != 0 {
		t.Errorf("a leap of %v", leap)
	}
	set = 90 * 24 * time.Hour
	if got, leap := s.Now(); leap < set-time.Hour || time.Until(got) > time.Hour {
		t.Errorf("a leap of %v, to %v", leap, got)
	}
}
