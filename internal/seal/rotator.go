package seal

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Keeper makes changes of a seal's keys durable; datafolder.Folder is one.
type Keeper interface {
	// Renew gives the seal of that name a fresh current key.
	Renew(ctx context.Context, name string) error
	// Retire destroys former keys of it.
	Retire(ctx context.Context, name string, ids []ID) error
}

// An Area is a seal and all that is sealed under it.
type Area struct {
	Name    string // "vault"
	Seal    *Seal
	Shelves []Shelf
}

// RotatorConfig is what a Rotator needs.
type RotatorConfig struct {
	Areas  []Area // required
	Keeper Keeper // required
	Gate   *Gate  // required: whoever seals or opens passes through it, or through Seal.Enter
	// Record writes to a log that a former key is about to be destroyed; on an error it is not.
	// Required.
	Record func(ctx context.Context, area string, ids []ID) error
	Log    *slog.Logger  // slog.Default if nil
	Retry  time.Duration // pause after a failure; 5 s if 0
}

// A Rotator replaces sealing keys while everything runs. Whatever stops it, a kill too, it goes
// on at the next start: what is left to do is what the rows say.
type Rotator struct {
	c    RotatorConfig
	wake chan struct{}

	mu    sync.Mutex
	areas map[string]*Progress
}

// Stages of a rotation.
const (
	Idle    = "idle"    // there is one sealing key, and all is under it
	Moving  = "moving"  // what is under former keys is being re-sealed
	Waiting = "waiting" // for the end of requests that began before
	Stuck   = "stuck"   // something under a former key does not open; that key is kept
	Failing = "failing" // something failed; it is tried again
)

// Progress says how far the rotation of a seal is.
type Progress struct {
	Name    string `json:"name"`
	Stage   string `json:"stage"`
	Done    int64  `json:"done"`            // things looked at in this pass
	Total   int64  `json:"total"`           // things there were when it began
	Waiting int    `json:"waiting"`         // requests waited for
	Stuck   int    `json:"stuck"`           // things that do not open
	Error   string `json:"error,omitempty"` // why it is failing, or the first of them is stuck
}

// recovered ends a failure that came when the last former key was gone already.
func (p *Progress) recovered() {
	if p.Stage == Failing {
		*p = Progress{Name: p.Name, Stage: Idle}
	}
}

// NewRotator returns a Rotator. It does nothing before Run.
func NewRotator(c RotatorConfig) (*Rotator, error) {
	if len(c.Areas) == 0 || c.Keeper == nil || c.Gate == nil || c.Record == nil {
		return nil, errors.New("seal: Areas, Keeper, Gate and Record are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Retry == 0 {
		c.Retry = 5 * time.Second
	}
	r := &Rotator{c: c, wake: make(chan struct{}, 1), areas: map[string]*Progress{}}
	for _, a := range c.Areas {
		p := &Progress{Name: a.Name, Stage: Idle}
		if len(a.Seal.Former()) > 0 {
			p.Stage = Moving // that of an earlier run
		}
		r.areas[a.Name] = p
	}
	return r, nil
}

// Rotate gives a seal a fresh key, which holds for new things when Rotate returns; the old ones
// are moved in the background. The error is fault.Conflict while that goes on for an earlier
// key, and fault.NotFound if there is no such seal.
func (r *Rotator) Rotate(ctx context.Context, name string) error {
	was, err := r.begin(name)
	if err != nil {
		return err
	}
	if err := r.c.Keeper.Renew(ctx, name); err != nil {
		r.note(name, func(p *Progress) { *p = was })
		return err
	}
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// begin claims a seal for a rotation and returns what to put back if none comes of it.
func (r *Rotator) begin(name string) (was Progress, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.areas[name]
	if p == nil {
		return was, fault.New(fault.NotFound, "there is no seal %.40q", name).WithHint("the seals are service, vault and availability")
	}
	if p.Stage != Idle && p.Stage != Stuck {
		return was, fault.New(fault.Conflict, "the sealing key of the %s database is being rotated already", name).
			WithHint("see how far it is with: ck seal status")
	}
	was = *p
	*p = Progress{Name: name, Stage: Moving}
	return was, nil
}

// Progress returns how far each seal is, in the order of the areas.
func (r *Rotator) Progress() (all []Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.c.Areas {
		p := *r.areas[a.Name]
		if p.Stage == Waiting {
			p.Waiting = r.c.Gate.Waiting() + a.Seal.gate.Waiting()
		}
		all = append(all, p)
	}
	return all
}

func (r *Rotator) note(name string, fn func(p *Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn(r.areas[name])
}

// Run moves what has to be moved until ctx ends.
func (r *Rotator) Run(ctx context.Context) {
	for {
		failed := false
		for _, a := range r.c.Areas {
			if len(a.Seal.Former()) == 0 {
				r.note(a.Name, (*Progress).recovered)
				continue
			}
			if err := r.finish(ctx, a); err != nil && ctx.Err() == nil {
				failed = true
				r.c.Log.Error("rotating a sealing key", "seal", a.Name, "err", err)
				r.note(a.Name, func(p *Progress) { p.Stage, p.Error = Failing, fault.As(err).Message })
			}
		}
		var retry <-chan time.Time
		if failed {
			retry = time.After(r.c.Retry)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-retry:
		}
	}
}

// finish moves everything of an area and retires the former keys that nothing is under any more.
//
// A thing is missed by a walk if somebody seals it before the key is renewed and stores it
// behind the walk's back; and who has read a thing before it was moved will still open it. So the
// keys go only after a walk found nothing to move that began when everybody had left who was
// there during the one before.
func (r *Rotator) finish(ctx context.Context, a Area) error {
	former := a.Seal.Former()
	for waited := false; ; waited = true {
		p, err := r.walk(ctx, a)
		if err != nil {
			return err
		}
		if waited && p.moved == 0 {
			return r.retire(ctx, a, former, p)
		}
		r.note(a.Name, func(p *Progress) { p.Stage = Waiting })
		if err := r.c.Gate.Wait(ctx); err != nil {
			return err
		}
		if err := a.Seal.gate.Wait(ctx); err != nil {
			return err
		}
	}
}

// walk goes along every shelf of an area once.
func (r *Rotator) walk(ctx context.Context, a Area) (all pass, err error) {
	total := int64(0)
	for _, shelf := range a.Shelves {
		n, err := shelf.rows.Count(ctx)
		if err != nil {
			return all, err
		}
		total += n
	}
	r.note(a.Name, func(p *Progress) { *p = Progress{Name: a.Name, Stage: Moving, Total: total} })
	all.stuck = map[ID]int{}
	for _, shelf := range a.Shelves {
		p, err := shelf.walk(ctx, a.Seal, func(n int) {
			r.note(a.Name, func(p *Progress) { p.Done += int64(n) })
		})
		if err != nil {
			return all, err
		}
		all.moved += p.moved
		for id, n := range p.stuck {
			all.stuck[id] += n
		}
		if p.cause != nil {
			r.c.Log.Warn("something does not open under its sealing key", "seal", a.Name, "shelf", shelf.Name, "place", p.place, "err", p.cause)
			all.cause = p.cause
		}
	}
	return all, nil
}

// retire destroys the former keys under which nothing is stuck. A thing that names no key may be
// under any of them.
func (r *Rotator) retire(ctx context.Context, a Area, former []ID, p pass) error {
	gone := slices.DeleteFunc(slices.Clone(former), func(id ID) bool { return p.stuck[id] > 0 || p.stuck[""] > 0 })
	if len(gone) > 0 {
		if err := r.c.Record(ctx, a.Name, gone); err != nil {
			return err
		}
		if err := r.c.Keeper.Retire(ctx, a.Name, gone); err != nil {
			return err
		}
	}
	stuck := 0
	for _, n := range p.stuck {
		stuck += n
	}
	r.note(a.Name, func(n *Progress) {
		n.Stage = Idle
		if stuck > 0 {
			n.Stage, n.Stuck, n.Error = Stuck, stuck, fault.As(p.cause).Message
		}
	})
	return nil
}
