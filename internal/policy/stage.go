package policy

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A stage is where the real Keyring opens the twin of a generation: a policy key of its own, under
// roots and an availability key that are played. Nothing of it is stored or recorded, and no vault is
// asked.
type stage struct {
	mu   sync.Mutex
	keys []envelope.Key // what was wrapped, by number; the "wrapped key" is the number

	refused [2]error // what each root answers; nil: it unwraps
	spare   error    // what the availability key answers to a use; nil: it unwraps
	limited bool     // it is used up for today after a denial

	generation hierarchy.Generation
	key        hierarchy.ContainerKey
}

// wrap keeps a copy of a key.
func (st *stage) wrap(key envelope.Key) ([]byte, error) {
	bytes := key.Expose()
	defer clear(bytes)
	kept, err := envelope.KeyFromBytes(bytes)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.keys = append(st.keys, kept)
	return binary.BigEndian.AppendUint32(nil, uint32(len(st.keys)-1)), nil
}

func (st *stage) unwrap(wrapped []byte) (envelope.Key, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	bytes := st.keys[binary.BigEndian.Uint32(wrapped)].Expose()
	defer clear(bytes)
	return envelope.KeyFromBytes(bytes)
}

// close overwrites the keys.
func (st *stage) close() {
	for _, k := range st.keys {
		k.Destroy()
	}
}

// A playedRoot is one of the two roots.
type playedRoot struct {
	st  *stage
	ref hierarchy.RootRef
	n   int
}

func (r playedRoot) URI() string { return r.ref.Key() }

func (r playedRoot) Wrap(_ context.Context, key envelope.Key) (kid string, wrapped []byte, err error) {
	wrapped, err = r.st.wrap(key)
	return r.ref.URI, wrapped, err
}

func (r playedRoot) Unwrap(_ context.Context, _ string, wrapped []byte) (envelope.Key, error) {
	if err := r.st.refused[r.n]; err != nil {
		return envelope.Key{}, err
	}
	return r.st.unwrap(wrapped)
}

// played is the availability key.
type played struct{ st *stage }

func (p played) Wrap(_ context.Context, _ directory.Caller, _, _ string, key envelope.Key, _ []byte) ([]byte, error) {
	return p.st.wrap(key)
}

func (p played) Unwrap(_ context.Context, _ directory.Caller, u availability.Use, wrapped, _ []byte) (envelope.Key, error) {
	switch {
	case p.st.spare != nil:
		return envelope.Key{}, p.st.spare
	case p.st.limited && u.AfterDenial:
		return envelope.Key{}, fault.New(fault.Conflict, "the limit of today is reached").WithReason(availability.ReasonLimit)
	}
	return p.st.unwrap(wrapped)
}

// The rows of the stage: one generation, and one version of one container's key.

func (st *stage) Generation(context.Context, string, string) (hierarchy.Generation, error) {
	return st.generation, nil
}

func (st *stage) ContainerKey(context.Context, string, string, int) (hierarchy.ContainerKey, error) {
	if st.key.Version == 0 {
		return st.key, fault.New(fault.NotFound, "no key yet")
	}
	return st.key, nil
}

func (st *stage) AddContainerKey(_ context.Context, k hierarchy.ContainerKey) error {
	st.key = k
	return nil
}

func (st *stage) MoveContainerKey(_ context.Context, k hierarchy.ContainerKey, _ string) error {
	st.key = k
	return nil
}

// unrecorded is the log of a stage.
type unrecorded struct{}

// Record implements audit.Recorder.
func (unrecorded) Record(context.Context, audit.Entry) error { return nil }
