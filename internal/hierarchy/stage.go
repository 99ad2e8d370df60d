package hierarchy

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Play says how the keys above a policy key are to be taken to answer.
type Play struct {
	Refused [2]error // what each root answers, fault.Denied or fault.Unavailable; nil: it unwraps
	Spare   error    // what the availability key answers; nil: it unwraps
	Limited bool     // the availability key is used up for today where the roots deny
}

// Opens reports who could open content below a generation if the keys above it answered as in the
// play: people, and the service for its own work. It makes a twin of the generation, with a policy
// key of its own, and lets a Keyring of its own open that: nothing is stored or recorded, and no
// vault is asked.
func (k *Keyring) Opens(ctx context.Context, g Generation, p Play) (users, service bool, err error) {
	st := &stage{play: Play{}}
	defer st.close()
	twins, err := New(Config{
		Store: st, Availability: played{st}, Audit: unrecorded{}, Lease: k.c.Lease, Hold: time.Nanosecond, Mixed: k.c.Mixed, Hedge: k.c.Hedge, Now: k.c.Now,
		Root: func(ref RootRef) (Root, error) {
			n := 0
			if ref == g.Roots[1].Ref {
				n = 1
			}
			return playedRoot{st, ref, n}, nil
		},
	})
	if err != nil {
		return false, false, err
	}
	defer func() { _ = twins.Close(context.WithoutCancel(ctx)) }() // its log takes everything
	system := directory.SystemCaller(g.Tenant, "rehearsal", g.ID)
	twin := twins.NewGeneration
	if g.Unwrapping != InTurn {
		twin = twins.NewHedged
	}
	if st.generation, err = twin(ctx, system, g.Tenant, g.Policy, g.Number, [2]RootRef{g.Roots[0].Ref, g.Roots[1].Ref}, g.AvailabilityKey); err != nil {
		return false, false, err
	}
	c := Container{Tenant: g.Tenant, ID: "rehearsal", Workload: "rehearsal"}
	made, err := twins.ForSealing(ctx, system, c, Target{Policy: g.Policy, Generation: st.generation.ID})
	if err != nil {
		return false, false, err
	}
	made.Close()
	st.turn(p)
	opens := func(caller directory.Caller) bool {
		twins.Drop(g.Tenant, st.generation.ID) // as if no key were held any more
		o, err := twins.ForOpening(ctx, caller, c, st.key.Version)
		if err == nil {
			o.Close()
		}
		return err == nil
	}
	users = opens(directory.Caller{Tenant: g.Tenant, ID: "rehearsal", Kind: directory.User, Request: g.ID})
	return users, opens(system), ctx.Err()
}

// A stage is where the twin of a generation is opened.
type stage struct {
	mu   sync.Mutex
	keys []envelope.Key // what was wrapped, by number; the "wrapped key" is the number
	play Play

	generation Generation
	key        ContainerKey
}

// turn has the keys answer as in p from now on.
func (st *stage) turn(p Play) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.play = p
}

func (st *stage) answers() Play {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.play
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
	ref RootRef
	n   int
}

func (r playedRoot) URI() string { return r.ref.Key() }

func (r playedRoot) Wrap(_ context.Context, key envelope.Key) (kid string, wrapped []byte, err error) {
	wrapped, err = r.st.wrap(key)
	return r.ref.URI, wrapped, err
}

func (r playedRoot) Unwrap(_ context.Context, _ string, wrapped []byte) (envelope.Key, error) {
	if err := r.st.answers().Refused[r.n]; err != nil {
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
	switch play := p.st.answers(); {
	case play.Spare != nil:
		return envelope.Key{}, play.Spare
	case play.Limited && u.AfterDenial:
		return envelope.Key{}, fault.New(fault.Conflict, "the limit of today is reached").WithReason(availability.ReasonLimit)
	}
	return p.st.unwrap(wrapped)
}

// The rows of the stage: one generation, and one version of one container's key.

func (st *stage) Generation(context.Context, string, string) (Generation, error) {
	return st.generation, nil
}

func (st *stage) ContainerKey(context.Context, string, string, int) (ContainerKey, error) {
	if st.key.Version == 0 {
		return st.key, fault.New(fault.NotFound, "no key yet")
	}
	return st.key, nil
}

func (st *stage) AddContainerKey(_ context.Context, k ContainerKey) error {
	st.key = k
	return nil
}

func (st *stage) MoveContainerKey(_ context.Context, k ContainerKey, _ string) error {
	st.key = k
	return nil
}

// unrecorded is the log of a stage.
type unrecorded struct{}

// Record implements audit.Recorder.
func (unrecorded) Record(context.Context, audit.Entry) error { return nil }
