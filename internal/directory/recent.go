package directory

import (
	"slices"
	"sync"
)

// maxRecent bounds one half of the tokens that a Verifier remembers.
const maxRecent = 4096

// A remembered is what a verified token says, and which key has signed it. The times are
// seconds.
type remembered struct {
	caller       Caller
	from         *source
	kid          string
	since, until int64
}

// copy returns the caller with lists of its own: one request must not change another's.
func (r remembered) copy() Caller {
	c := r.caller
	c.Roles, c.Groups = slices.Clone(c.Roles), slices.Clone(c.Groups)
	return c
}

// recent remembers verified tokens by SHA-256, in two halves: when the young one is full it
// becomes the old one, and what was in the old one and has not been used since is forgotten.
type recent struct {
	mu         sync.Mutex
	young, old map[[32]byte]remembered
}

func newRecent() *recent { return &recent{young: map[[32]byte]remembered{}} }

func (r *recent) get(id [32]byte) (remembered, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.young[id]; ok {
		return known, true
	}
	known, ok := r.old[id]
	if ok {
		r.keep(id, known)
	}
	return known, ok
}

func (r *recent) put(id [32]byte, known remembered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(id, known)
}

func (r *recent) keep(id [32]byte, known remembered) {
	if len(r.young) >= maxRecent {
		r.young, r.old = make(map[[32]byte]remembered, maxRecent), r.young
	}
	r.young[id] = known
}
