package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/store"
)

// A fuse ends a process after a number of writes. From then on nothing reaches the database
// any more, and the process hears nothing from it.
type fuse struct {
	left atomic.Int64
	dead atomic.Bool
}

func newFuse(writes int64) *fuse {
	f := &fuse{}
	f.left.Store(writes)
	return f
}

var errDead = errors.New("the process was killed")

// pass runs one write through the fuse.
func (f *fuse) pass(write func() error) error {
	if f.left.Add(-1) >= 0 {
		return write()
	}
	f.dead.Store(true)
	return errDead
}

type fusedStore struct {
	policy.Store
	f *fuse
}

func (s fusedStore) Apply(ctx context.Context, e policy.Edit) error {
	return s.f.pass(func() error { return s.Store.Apply(ctx, e) })
}

func (s fusedStore) Move(ctx context.Context, moves []policy.Move, f operation.Fence) (left int, err error) {
	err = s.f.pass(func() error { left, err = s.Store.Move(ctx, moves, f); return err })
	return left, err
}

func (s fusedStore) DestroyGeneration(ctx context.Context, id string, f operation.Fence) (ok bool, err error) {
	err = s.f.pass(func() error { ok, err = s.Store.DestroyGeneration(ctx, id, f); return err })
	return ok, err
}

func (s fusedStore) Recount(ctx context.Context, tenant string) error {
	return s.f.pass(func() error { return s.Store.Recount(ctx, tenant) })
}

type fusedOperations struct {
	operation.Store
	f *fuse
}

func (s fusedOperations) Claim(ctx context.Context, c operation.Claim) (op operation.Operation, ok bool, err error) {
	if s.f.dead.Load() {
		return op, false, errDead
	}
	return s.Store.Claim(ctx, c)
}

func (s fusedOperations) Extend(ctx context.Context, tenant, id string, fence int64, until time.Time) (w operation.Wish, err error) {
	if s.f.dead.Load() {
		return w, errDead
	}
	return s.Store.Extend(ctx, tenant, id, fence, until)
}

func (s fusedOperations) Save(ctx context.Context, f operation.Fence) error {
	return s.f.pass(func() error { return s.Store.Save(ctx, f) })
}

func (s fusedOperations) Settle(ctx context.Context, o operation.Outcome) error {
	return s.f.pass(func() error { return s.Store.Settle(ctx, o) })
}

type fusedLog struct {
	audit.Recorder
	f *fuse
}

func (l fusedLog) Record(ctx context.Context, e audit.Entry) error {
	return l.f.pass(func() error { return l.Recorder.Record(ctx, e) })
}

// fusedKeys are the rows of availability keys.
type fusedKeys struct {
	availability.Store
	f *fuse
}

func (s fusedKeys) AddKey(ctx context.Context, k availability.Key, since time.Time) (kept availability.Key, err error) {
	err = s.f.pass(func() error { kept, err = s.Store.AddKey(ctx, k, since); return err })
	return kept, err
}

func (s fusedKeys) DestroyKey(ctx context.Context, tenant, id string, at time.Time) error {
	return s.f.pass(func() error { return s.Store.DestroyKey(ctx, tenant, id, at) })
}

func (s fusedKeys) AskRenewal(ctx context.Context, before time.Time) error {
	return s.f.pass(func() error { return s.Store.AskRenewal(ctx, before) })
}

func (s fusedStore) Begin(ctx context.Context, op operation.Operation, quiet time.Time) (ok bool, err error) {
	err = s.f.pass(func() error { ok, err = s.Store.Begin(ctx, op, quiet); return err })
	return ok, err
}

// process starts service and runner anew on the same rows, behind a fuse.
func (w *world) process(f *fuse) {
	c := w.config
	spare := w.spare
	spare.Store, spare.Audit = fusedKeys{spare.Store, f}, fusedLog{spare.Audit, f}
	c.Availability = must(availability.New(spare))
	c.Store, c.Audit, c.Batch = fusedStore{w.rows, f}, fusedLog{w.log, f}, 2
	w.service = must(policy.New(c))
	w.runner = must(operation.New(operation.Config{Store: fusedOperations{store.NewOperation(w.db), f}, Handlers: w.service.Handlers()}))
}

// script is what an administrator does; it can be run again after being cut off anywhere. It
// ends at the first error that a repetition does not explain.
func (c *tenant) script() error {
	ctx := c.t.Context()
	for _, name := range []string{"P", "Q"} {
		if _, err := c.service.Create(ctx, c.admin, draft(name, c.keys[:]...)); err != nil && fault.As(err).Reason != policy.ReasonNameTaken {
			return err
		}
	}
	on, off := true, false
	if _, err := c.service.Update(ctx, c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &on}); err != nil {
		return err
	}
	if err := c.service.Assign(ctx, c.admin, "P"); err != nil {
		return err
	}
	for i := range 5 {
		if err := c.seal("exchange", fmt.Sprint(i)); err != nil {
			return err
		}
	}
	c.work()
	if _, err := c.service.Refresh(ctx, c.admin, policy.MultiWorkload, "P"); err != nil {
		return err
	}
	c.work()
	if err := c.service.Assign(ctx, c.admin, "Q"); err != nil {
		return err
	}
	c.work()
	if err := c.service.Assign(ctx, c.admin, ""); err != nil {
		return err
	}
	_, err := c.service.Update(ctx, c.admin, policy.MultiWorkload, "P", policy.Change{Enabled: &off})
	return err
}

// legal checks what must hold at every moment, whatever was cut off.
func (c *tenant) legal() error {
	ctx := c.t.Context()
	all, err := c.rows.Policies(ctx, c.id, policy.MultiWorkload, 100)
	if err != nil {
		return err
	}
	own, err := c.rows.Policies(ctx, c.id, policy.ServiceOwned, 100)
	if err != nil {
		return err
	}
	files, err := c.rows.Policies(ctx, c.id, policy.SharePoint, 100)
	if err != nil {
		return err
	}
	usable := map[string]bool{}
	for _, p := range slices.Concat(all, own, files) {
		pic, err := c.rows.Picture(ctx, c.id, p.ID, "converge")
		if err != nil {
			return err
		}
		usable[p.ID] = p.Enabled && p.State == policy.Active
		if len(pic.Generations) != p.Number {
			return fmt.Errorf("%s has %d generations, and number %d", p.Name, len(pic.Generations), p.Number)
		}
		for i, g := range pic.Generations {
			if active := g.ID == p.Generation; active != (g.State == hierarchy.Active) || active != (i == p.Number-1) {
				return fmt.Errorf("generation %d of %s is %s", g.Number, p.Name, g.State)
			}
		}
	}
	standing, err := c.rows.InForce(ctx, c.id)
	if err != nil {
		return err
	}
	for _, at := range standing {
		if !usable[at.Policy] {
			return fmt.Errorf("%s in force is not usable", at.Policy)
		}
	}
	usage, err := c.rows.Usage(ctx, c.id)
	if err != nil {
		return err
	}
	for _, u := range usage {
		if g, err := c.rows.Generation(ctx, c.id, u.Generation); err != nil || g.State == hierarchy.Destroyed || g.Policy != u.Policy {
			return fmt.Errorf("%d keys are under %+v, %v", u.Keys, g, err)
		}
	}
	return c.reopen()
}

// Killed after every single write: what is there is legal, everything opens, the work goes on
// by itself, and the script can be run again to its end.
func TestCrashAfterEveryWrite(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		for n, finished := int64(0), false; !finished; n += slow {
			c, f := w.tenant(), newFuse(n)
			w.process(f)
			err := c.script()
			if finished = err == nil; !finished && !f.dead.Load() {
				t.Fatalf("after %d writes: %v", n, err)
			}
			w.process(newFuse(1 << 40))
			if err := c.legal(); err != nil {
				t.Fatalf("killed after %d writes: %v", n, err)
			}
			time.Sleep(4 * time.Second) // the dead process' lease
			c.work()
			if err := c.legal(); err != nil {
				t.Fatalf("killed after %d writes, when the work had gone on: %v", n, err)
			}
			if err := c.script(); err != nil {
				t.Fatalf("killed after %d writes, run again: %v", n, err)
			}
			c.work()
			if st := c.mustStatus("Q"); st.Percent != 100 || st.Containers != 0 || st.Operation.State != operation.Done {
				t.Fatalf("killed after %d writes, at the end: %+v", n, st)
			}
			if n > 200 {
				t.Fatal("the script does not end")
			}
		}
	})
}

// A caller that leaves at any moment leaves a legal state, and what it wanted either happened
// or did not.
func TestCallersLeave(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.mustCreate("P")
		c.mustSeal("exchange", "alice")
		w.vaults.pause = 100 * time.Millisecond
		made := 0
		for cut := time.Duration(0); cut < 600*time.Millisecond; cut += 30 * time.Millisecond {
			ctx, cancel := context.WithTimeout(t.Context(), cut)
			p, err := w.service.Create(ctx, c.admin, draft(fmt.Sprint("at ", cut), c.keys[:]...))
			if _, there := w.service.Get(t.Context(), c.admin, policy.MultiWorkload, fmt.Sprint("at ", cut)); (there == nil) != (err == nil) {
				t.Errorf("creating, cut off after %v: %v, reading it back: %v", cut, err, there)
			}
			if err == nil {
				made++
			}
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), cut)
			if p, err = w.service.Refresh(ctx, c.admin, policy.MultiWorkload, "P"); err == nil {
				made++
			} else if p.ID != "" {
				t.Errorf("refreshing, cut off after %v: %v and a policy", cut, err)
			}
			cancel()
			if err := c.legal(); err != nil {
				t.Fatalf("cut off after %v: %v", cut, err)
			}
		}
		if made == 0 || made == 40 {
			t.Errorf("%d of 40 calls came through: the cuts miss", made)
		}
		w.vaults.pause = 0
		w.work()
		if st := c.mustStatus("P"); st.Percent != 100 {
			t.Errorf("%+v", st)
		}
	})
}
