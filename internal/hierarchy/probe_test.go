package hierarchy

import (
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

// A root that gives back something else of the right length does not pass for one that works: what
// it unwraps is recognised, as before each use.
func TestProbeRecognisesTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	g := w.mustGeneration(policy, 1)
	w.roots[0].wrong = true
	w.roots[1].set(disabled)
	found, err := w.keys.Probe(t.Context(), system, g)
	if err != nil {
		t.Fatal(err)
	}
	if got := fault.As(found[0].Unwrap); got.Code != fault.Unavailable || got.Reason != ReasonWrongKey || found[0].Wrap != nil {
		t.Errorf("a root that gives back another key: %v, wrapping %v", found[0].Unwrap, found[0].Wrap)
	}
	if !fault.Is(found[1].Unwrap, fault.Denied) {
		t.Errorf("a root that denies: %v", found[1].Unwrap)
	}
	w.roots[0].wrong = false
	w.roots[1].set(nil)
	found, err = w.keys.Probe(t.Context(), system, g)
	if err != nil || found[0].Unwrap != nil || found[1].Unwrap != nil {
		t.Errorf("roots that work: %v, %v, %v", found[0].Unwrap, found[1].Unwrap, err)
	}
}
