package seal

import (
	"context"
	"slices"
	"sync"
)

// A Gate counts who is at work with sealed bytes, so that one can wait until everybody who began
// before has ended. The zero Gate is ready for use, and safe for concurrent use.
type Gate struct {
	mu   sync.Mutex
	now  *shift
	past []*shift // ended, with somebody still at work
}

// A shift is those who entered between two calls of Wait.
type shift struct {
	inside int
	ended  bool
	empty  chan struct{} // closed when it has ended and nobody is left
}

// Enter says that somebody begins; he calls leave once at the end.
func (g *Gate) Enter() (leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now == nil {
		g.now = &shift{empty: make(chan struct{})}
	}
	s := g.now
	s.inside++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		s.inside--
		g.settle(s)
	}
}

// Wait returns when everybody has left who entered before it was called, or with ctx's error.
func (g *Gate) Wait(ctx context.Context) error {
	for _, s := range g.end() {
		select {
		case <-s.empty:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Waiting returns how many a Wait that was called last still waits for.
func (g *Gate) Waiting() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.past {
		n += s.inside
	}
	return n
}

// end begins another shift and returns those before it that somebody is left of.
func (g *Gate) end() []*shift {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.now; s != nil {
		g.now, s.ended = nil, true
		g.past = append(g.past, s)
		g.settle(s)
	}
	return slices.Clone(g.past)
}

// settle closes a shift that is over; mu is held.
func (g *Gate) settle(s *shift) {
	if s.ended && s.inside == 0 {
		close(s.empty)
		g.past = slices.DeleteFunc(g.past, func(p *shift) bool { return p == s })
	}
}
