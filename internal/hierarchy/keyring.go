package hierarchy

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Mixed setting says what it means when one root is denied and the other cannot be
// reached, which no source decides (row CK-62).
type Mixed string

const (
	MixedDenied Mixed = "denied" // as if both were denied: only system work may use the availability key
	MixedOutage Mixed = "outage" // as if neither could be reached
)

// Config is what a Keyring needs.
type Config struct {
	Store        Store                       // required: generations and container keys
	Root         func(RootRef) (Root, error) // required: how a root key is reached; called for every use
	Availability Availability                // required
	Audit        audit.Recorder              // required: no key is touched before it is recorded here
	Purged       Purged                      // what was destroyed for ever; nothing if nil
	Recoveries   Recoveries                  // by which users may have a policy without its roots; none if nil

	Lease   time.Duration    // how long a clear policy key is held without asking again; 60 s if 0
	Hold    time.Duration    // how long a failure to unwrap is not tried again; 1 s if 0
	Attempt time.Duration    // limit for one call to a root; 6 s if 0
	Mixed   Mixed            // MixedDenied if ""
	First   func() int       // which root is asked first, 0 or 1 (CK-45); random if nil
	Hedge   Hedge            // of generations that are unwrapped Hedged
	Now     func() time.Time // the time of day if nil

	// Saw is told of every answer of a root before anybody learns what came of it, so it should
	// be quick. May be nil.
	Saw func(context.Context, Sight)
}

// Times that no caller needs to set.
const (
	flightOverhead = 20 * time.Second // beyond the calls to both roots: store, log, availability key
	closingTime    = 10 * time.Second // for one closing entry
)

// A Keyring holds clear policy keys under leases and works with the keys below them. It is
// safe for concurrent use. Close it to end the leases.
type Keyring struct {
	c      Config
	base   context.Context // of work that outlives the request which caused it
	cancel context.CancelFunc
	work   sync.WaitGroup // such work; added to under mu, and not once closed

	mu     sync.Mutex
	closed bool
	held   map[generationID]*holding
	asked  map[generationID]*asking // those asked anew a moment ago

	health health
	ends   endings
}

type generationID struct{ tenant, id string }

// New returns a Keyring. It asks nobody anything and starts no goroutine.
func New(c Config) (*Keyring, error) {
	if c.Store == nil || c.Root == nil || c.Availability == nil || c.Audit == nil {
		return nil, errors.New("hierarchy: Store, Root, Availability and Audit are required")
	}
	if c.Mixed == "" {
		c.Mixed = MixedDenied
	}
	if c.Mixed != MixedDenied && c.Mixed != MixedOutage {
		return nil, fault.New(fault.Invalid, "unknown setting %q for a root denied and the other unreachable", c.Mixed).
			WithHint("use %q or %q", MixedDenied, MixedOutage)
	}
	setDefault(&c.Lease, time.Minute)
	setDefault(&c.Hold, time.Second)
	setDefault(&c.Attempt, 6*time.Second)
	if err := c.Hedge.complete(); err != nil {
		return nil, err
	}
	if c.First == nil {
		c.First = func() int { return rand.IntN(2) }
	}
	if c.Now == nil {
		c.Now = timeOfDay
	}
	if c.Purged == nil {
		c.Purged = nothingPurged{}
	}
	base, cancel := context.WithCancel(context.Background())
	return &Keyring{c: c, base: base, cancel: cancel, held: map[generationID]*holding{}, asked: map[generationID]*asking{}}, nil
}

// timeOfDay is time.Now without its monotonic reading, which stands still while the machine
// sleeps: a lease must not outlive its life by a night. Should the clock be set back, the timer
// of each lease, which is monotonic, ends it all the same.
func timeOfDay() time.Time { return time.Now().Round(0) }

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// Lease returns a lease on the policy key of a generation: the one in force, or a new one
// for which the roots are asked as section 2.1 of the requirements says. Many callers at
// once cause one unwrap; a caller whose ctx ends leaves the others undisturbed.
//
// The error is fault.Denied if the owner of the roots refuses and the caller is not the
// service itself, fault.Unavailable if nothing that may be asked can answer or the audit log
// cannot be written, fault.Conflict with ReasonGenerationDestroyed, fault.NotFound, or
// ctx's own.
func (k *Keyring) Lease(ctx context.Context, caller directory.Caller, tenant, generation string) (*Lease, error) {
	if err := belongs(caller, tenant); err != nil {
		return nil, err
	}
	return k.lease(ctx, caller, generationID{tenant, generation})
}

// belongs keeps people and apps in their own tenant, whatever the layers above checked. They
// learn nothing about another one, not even that it exists.
func belongs(caller directory.Caller, tenant string) error {
	if caller.Kind == directory.System || (caller.Tenant == tenant && tenant != "") {
		return nil
	}
	return fault.New(fault.NotFound, "there is no such key")
}

// Drop ends every lease of a generation at once, for everyone. The next use asks the store
// and the roots again.
func (k *Keyring) Drop(tenant, generation string) {
	id := generationID{tenant, generation}
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.held[id]
	if h == nil || k.closed {
		return
	}
	delete(k.held, id) // a flight that is under way will not find its holding, and discards its key
	k.writeSoon(h.endAll(endDropped))
}

// Close ends all leases, waits for the work in the background until ctx ends, and writes the
// closing entries. It returns the first error of those that could not be written. Later use
// of the Keyring is refused.
func (k *Keyring) Close(ctx context.Context) error {
	k.cancel()
	k.mu.Lock()
	k.closed = true
	for id, h := range k.held {
		k.ends.keep(h.endAll(endClosed))
		delete(k.held, id)
	}
	k.mu.Unlock()

	done := make(chan struct{})
	go func() {
		k.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := k.write(ctx, nil); err != nil {
		return fault.Wrap(fault.Unavailable, err, "what was done under the last leases could not be recorded").
			WithHint("check the database of the service; the grants are in the log, their counts are lost")
	}
	return nil
}
