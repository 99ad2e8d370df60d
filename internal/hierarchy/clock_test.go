package hierarchy

import (
	"strings"
	"testing"
)

// A machine that sleeps stops its monotonic clock. Ages of leases must be told by the time of
// day, or a lease granted before a night goes on after it, whatever its owner did meanwhile.
func TestDefaultClockGoesOnWhileTheMachineSleeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Now = nil })
	if now := w.keys.c.Now().String(); strings.Contains(now, " m=") {
		t.Errorf("the default clock is monotonic: %s", now)
	}
}
