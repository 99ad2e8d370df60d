package headroom_test

import (
	"runtime"
	"testing"

	"github.com/customerkey/customerkey/internal/headroom"
)

// TestKeep: the next collection is at least that much garbage away, one more may run at once than
// may compute for long, and both end.
func TestKeep(t *testing.T) {
	before := runtime.GOMAXPROCS(0) // not the number of processors where -cpu says otherwise
	release := headroom.Keep()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if away := m.NextGC - m.HeapAlloc; away < headroom.Size-1<<20 { // the test itself allocates a little
		t.Errorf("the next collection is %d bytes away, and not %d", away, headroom.Size)
	}
	if got, want := runtime.GOMAXPROCS(0), headroom.Processors()+1; got != want {
		t.Errorf("%d run at once, and not %d", got, want)
	}
	release()
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("%d run at once afterwards, and not %d", got, before)
	}
}
