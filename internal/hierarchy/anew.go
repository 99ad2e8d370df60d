package hierarchy

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

// How often the roots of one generation are asked because somebody said that they have
// changed. Word may come from anywhere and be wrong: it must not become a load on the vaults.
const (
	anewPause = time.Second
	anewMost  = 4 // at once, within a pause; what comes then is asked for together, at its end
)

// An asking counts how often a generation was asked about anew within a pause.
type asking struct {
	times int
	more  bool // there was word that has to wait for the end of the pause
}

// AskAnew says that roots have changed, of which concerns is told: whether they still unwrap is
// to be asked again. Each lease that rests on one of them serves nobody who comes from now on,
// and the roots are asked at once; what they answer decides, never the word itself. Work that
// holds a key already goes on until the answer is there. Concerns must be quick and must not
// call the Keyring.
func (k *Keyring) AskAnew(concerns func(RootRef) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	for id, h := range k.held {
		if !h.restsOn(concerns) {
			continue
		}
		a := k.asked[id]
		if a == nil {
			a = new(asking)
			k.asked[id] = a
			time.AfterFunc(anewPause, func() { k.endPause(id) })
		}
		if a.times == anewMost {
			a.more = true
			continue
		}
		a.times++
		k.askAnew(id, h)
	}
}

// endPause asks for what had to wait, or forgets that anything was asked. It is called by the
// pause's timer.
func (k *Keyring) endPause(id generationID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.asked[id]
	if !a.more || k.closed {
		delete(k.asked, id)
		return
	}
	*a = asking{times: anewMost} // a flood: one at the end of each pause from now on
	time.AfterFunc(anewPause, func() { k.endPause(id) })
	if h := k.held[id]; h != nil {
		k.askAnew(id, h)
	}
}

// restsOn reports whether a lease is held, or about to be, by the word of a root that concerns.
func (h *holding) restsOn(concerns func(RootRef) bool) bool {
	for i := range h {
		for _, roots := range [][2]RootRef{h[i].roots(), h[i].asking()} {
			if slices.ContainsFunc(roots[:], func(r RootRef) bool { return r.URI != "" && concerns(r) }) {
				return true
			}
		}
	}
	return false
}

// roots returns those that the slot's lease rests on; zero where there is none.
func (s *slot) roots() (r [2]RootRef) {
	if s.lease != nil {
		r = s.lease.roots
	}
	return r
}

// asking returns the roots that the slot's flight asks; zero where there is none, or where it
// has not come to that.
func (s *slot) asking() (r [2]RootRef) {
	if s.flight != nil {
		r = s.flight.roots
	}
	return r
}

// askAnew makes what is held of a generation serve nobody new, and asks its roots. Flights that
// are under way may have had their answer before the change: they bring nothing any more, and
// who waits for them asks again.
func (k *Keyring) askAnew(id generationID, h *holding) {
	for i := range h {
		if f := h[i].flight; f != nil {
			f.overtaken, h[i].flight = true, nil
		}
	}
	l := h[everyone].lease
	if l == nil { // one for system work was granted in spite of a denial: there is nothing to take away
		k.tidy(id)
		return
	}
	l.stale.Store(true)
	if l.hedged {
		h[everyone].failed = nil // it may be held for long, and from now on readers wait
	}
	caller := directory.SystemCaller(id.tenant, "roots changed", uuid.NewString())
	_, _ = k.fly(caller, id, everyone, k.c.Now()) // refused while a failure is held: the next reader asks then
}

// asks notes which roots a flight is about to ask.
func (k *Keyring) asks(f *flight, g Generation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f.roots = g.refs()
}

func (g Generation) refs() [2]RootRef { return [2]RootRef{g.Roots[0].Ref, g.Roots[1].Ref} }
