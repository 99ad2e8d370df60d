package headroom_test

import (
	"runtime"
	"testing"

	"github.com/customerkey/customerkey/internal/headroom"
)

// TestKeep: the next collection is at least that much garbage away.
func TestKeep(t *testing.T) {
	defer headroom.Keep()()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if away := m.NextGC - m.HeapAlloc; away < headroom.Size-1<<20 { // the test itself allocates a little
		t.Errorf("the next collection is %d bytes away, and not %d", away, headroom.Size)
	}
}
