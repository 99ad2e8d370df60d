package hierarchy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// CK-376, CK-377: whoever watches root keys is told of every answer that they give in daily work,
// before the reader who caused it knows more: which root and version, whether it was to unwrap,
// and how it went.
func TestSawEveryAnswer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	edit := func(c *Config) {
		c.Hold = time.Nanosecond
		c.Saw = func(_ context.Context, s Sight) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, fmt.Sprintf("%s unwrap=%t version=%t %s", nameOf(s.Ref.URI), s.Unwrap, s.KeyID != "", fault.As(s.Err).Reason))
		}
	}
	w := newWorld(t, edit)
	told := func(what string, want ...string) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(seen)
		if !slices.Equal(seen, want) {
			t.Errorf("%s: %q, want %q", what, seen, want)
		}
		seen = nil
	}
	g := w.mustGeneration(policy, 1)
	told("a generation is made",
		"contoso-east/root1 unwrap=false version=false ", "contoso-east/root1 unwrap=true version=true ",
		"contoso-west/root2 unwrap=false version=false ", "contoso-west/root2 unwrap=true version=true ")
	w.mustLease(alice, g)
	told("one root answers", "contoso-east/root1 unwrap=true version=true ")
	w.keys.Drop(tenant, g.ID)
	w.fail(disabled, nil)
	w.mustLease(alice, g)
	told("one root denies", "contoso-east/root1 unwrap=true version=true KeyDisabled", "contoso-west/root2 unwrap=true version=true ")
	w.keys.Drop(tenant, g.ID)
	w.fail(disabled, down)
	if _, err := w.keys.Lease(t.Context(), alice, tenant, g.ID); !fault.Is(err, fault.Denied) {
		t.Errorf("both fail: %v", err)
	}
	told("both fail", "contoso-east/root1 unwrap=true version=true KeyDisabled", "contoso-west/root2 unwrap=true version=true Unreachable")
}
