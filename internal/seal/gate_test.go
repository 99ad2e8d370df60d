package seal_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/customerkey/customerkey/internal/seal"
)

// Wait waits for those who entered before, also if an earlier Wait was given up, and for nobody
// who came after.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g seal.Gate
		if err := g.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		early := g.Enter()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.Wait(gone); err == nil {
			t.Error("somebody is inside, and Wait returns")
		}
		later := g.Enter()
		returned := false
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := g.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			returned = true
		}()
		synctest.Wait()
		after := g.Enter()
		if returned || g.Waiting() != 2 {
			t.Errorf("returned %v with %d inside", returned, g.Waiting())
		}
		later()
		synctest.Wait()
		if returned || g.Waiting() != 1 {
			t.Errorf("returned %v with %d inside", returned, g.Waiting())
		}
		early()
		<-done
		if g.Waiting() != 0 {
			t.Errorf("%d still waited for", g.Waiting())
		}
		after()
	})
}
