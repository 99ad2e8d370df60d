package operation

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Handler does the work of one kind. It starts from run.Op.Checkpoint, saves its progress
// with [Run.Fence] in the transactions of its batches, and returns nil when all is finished.
// It must return soon after ctx ends. An error with code fault.Invalid or fault.Corrupt means
// that trying again is hopeless; any other is tried again later, from the last checkpoint.
type Handler func(ctx context.Context, run *Run) error

// Config is what a Runner needs.
type Config struct {
	Store    Store              // required
	Handlers map[string]Handler // by kind; a kind without handler is left to other nodes
	Now      func() time.Time   // time.Now if nil
	Owner    string             // names this runner in the rows; a random id if empty
	Lease    time.Duration      // how long a silent runner keeps its claim; 3 s if 0
	Beat     time.Duration      // between two heartbeats, and between two looks for work; a third of Lease if 0
	Slots    int                // operations at once; 4 if 0
	Attempts int                // claims without progress before an operation fails; 300, about a day, if 0
	Backoff  time.Duration      // pause after the first failed attempt, doubled each time up to 5 minutes; 1 s if 0
	Log      *slog.Logger       // causes of failures; nothing if nil
}

// longestBackoff bounds the pause between two attempts.
const longestBackoff = 5 * time.Minute

const (
	// farthest is how far off the end of a lease or the next attempt is by a clock that was wrong
	// alone: longer than any pause between two attempts, and than clocks of nodes may differ.
	farthest = 2 * time.Hour
	// freePause is how often that is looked for.
	freePause = time.Minute
)

// A Runner starts, claims and runs operations. It is safe for concurrent use.
type Runner struct {
	c     Config
	kinds []string
	wake  chan struct{} // holds one token: look for work now

	mu   sync.Mutex
	live map[<-chan struct{}]chan struct{} // one for each operation in work here: ask what is wished of it
}

// New returns a Runner. It starts nothing: see [Runner.Run].
func New(c Config) (*Runner, error) {
	if c.Store == nil {
		return nil, errors.New("operation: Store is required")
	}
	if c.Lease < 0 || c.Beat < 0 || c.Slots < 0 || c.Attempts < 0 || c.Backoff < 0 {
		return nil, errors.New("operation: Lease, Beat, Slots, Attempts and Backoff must not be negative")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Owner == "" {
		id, err := uuid.NewRandom()
		if err != nil {
			return nil, err
		}
		c.Owner = id.String()
	}
	c.Lease = orDefault(c.Lease, 3*time.Second)
	c.Beat = orDefault(c.Beat, c.Lease/3)
	c.Slots = orDefault(c.Slots, 4)
	c.Attempts = orDefault(c.Attempts, 300)
	c.Backoff = orDefault(c.Backoff, time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Beat >= c.Lease {
		return nil, errors.New("operation: Beat must be shorter than Lease")
	}
	kinds := slices.Sorted(maps.Keys(c.Handlers))
	return &Runner{c: c, kinds: kinds, wake: make(chan struct{}, 1), live: map[<-chan struct{}]chan struct{}{}}, nil
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Start stores a new operation and lets it begin at once. Tenant and Kind are required; the
// id, the state and the times are set here.
func (r *Runner) Start(ctx context.Context, op Operation) (Operation, error) {
	if op.Tenant == "" || op.Kind == "" {
		return Operation{}, fault.New(fault.Invalid, "an operation needs a tenant and a kind")
	}
	fresh, err := Fresh(op.Tenant, op.Kind, op.Subject, r.c.Now())
	if err != nil {
		return Operation{}, err
	}
	fresh.Checkpoint, fresh.Total = op.Checkpoint, op.Total
	if err := r.c.Store.Add(ctx, fresh); err != nil {
		return Operation{}, err
	}
	r.Wake()
	return fresh, nil
}

// Get returns one operation; fault.NotFound.
func (r *Runner) Get(ctx context.Context, tenant, id string) (Operation, error) {
	return r.c.Store.Get(ctx, tenant, id)
}

// List returns up to limit operations of a tenant, newest first; before is the id of the
// last one of the page before, "" for the first page.
func (r *Runner) List(ctx context.Context, tenant, before string, limit int) ([]Operation, error) {
	return r.c.Store.List(ctx, tenant, before, limit)
}

// Cancel stops an operation for good: a waiting or paused one at once, a running one when its
// runner hears of it. A final one stays as it is, which is no error. What the operation has
// done so far remains.
func (r *Runner) Cancel(ctx context.Context, tenant, id string) (Operation, error) {
	op, err := r.c.Store.Cancel(ctx, tenant, id, r.c.Now())
	r.Wake()
	return op, err
}

// Hasten has what waits for another attempt in a tenant tried now: what it waited for may be there.
func (r *Runner) Hasten(ctx context.Context, tenant string) error {
	err := r.c.Store.Hasten(ctx, tenant, r.c.Now())
	r.Wake()
	return err
}

// Wake makes this runner look now instead of at the next heartbeat: for new work, and for what
// is asked of the work that it has. It never blocks.
func (r *Runner) Wake() {
	poke(r.wake)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, told := range r.live {
		poke(told)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// listen returns a channel that is poked by Wake until forget is called.
func (r *Runner) listen() (told <-chan struct{}, forget func()) {
	live := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[live] = live
	return live, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.live, live)
	}
}

// Run claims and works until ctx ends. It returns nil after its last goroutine has ended and
// has given its operation back, so that another node goes on at once.
func (r *Runner) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	defer workers.Wait()
	slots := make(chan struct{}, r.c.Slots)
	tick := time.NewTicker(r.c.Beat)
	defer tick.Stop()
	free := time.NewTicker(freePause)
	defer free.Stop()
	r.free(ctx)
	for ctx.Err() == nil {
		r.startDue(ctx, slots, &workers)
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-tick.C:
		case <-free.C:
			r.free(ctx)
		}
	}
	return nil
}

// free lets go on what was claimed, or put off, while a clock was far ahead: a node that was killed
// then, or work that failed for the very clock, would stand still until that time comes.
func (r *Runner) free(ctx context.Context) {
	if len(r.kinds) == 0 {
		return
	}
	now := r.c.Now()
	if err := r.c.Store.Free(ctx, r.kinds, now, now.Add(r.c.Lease+farthest)); err != nil && ctx.Err() == nil {
		r.c.Log.WarnContext(ctx, "looking for work that a clock holds up", "error", err)
	}
}

// startDue claims operations while there are some and slots are free.
func (r *Runner) startDue(ctx context.Context, slots chan struct{}, workers *sync.WaitGroup) {
	for {
		select {
		case slots <- struct{}{}:
		default:
			return
		}
		op, ok, err := r.claim(ctx)
		if err != nil && ctx.Err() == nil {
			r.c.Log.WarnContext(ctx, "looking for work", "error", err)
		}
		if err != nil || !ok {
			<-slots
			return
		}
		workers.Go(func() {
			r.work(ctx, op)
			<-slots
			r.Wake()
		})
	}
}

func (r *Runner) claim(ctx context.Context) (Operation, bool, error) {
	if len(r.kinds) == 0 {
		return Operation{}, false, nil
	}
	now := r.c.Now()
	return r.c.Store.Claim(ctx, Claim{Owner: r.c.Owner, Kinds: r.kinds, Now: now, Until: now.Add(r.c.Lease)})
}
