package protect

import (
	"context"
	"errors"
	"testing"
)

// TestPlaces: who waits for a place can leave, and a place that is given back is there again.
func TestPlaces(t *testing.T) {
	t.Parallel()
	p := newPlaces(1)
	leave, err := p.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.take(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("without a place, and nobody waiting: %v", err)
	}
	leave()
	if _, err := p.take(t.Context()); err != nil {
		t.Error(err)
	}
}
