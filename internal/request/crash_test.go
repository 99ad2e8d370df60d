package request_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store/storetest"

	"github.com/customerkey/customerkey/internal/store"
)

// errDied is what everything gets after the process has died.
var errDied = errors.New("the process has died")

// A mortal is the real store of a process that dies at one of its writes: before the write took
// effect, or right after it.
type mortal struct {
	request.Store
	mu    sync.Mutex
	left  int  // writes until it dies; never if negative
	after bool // the last write takes effect
	dead  bool
}

func (m *mortal) write(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDied
	}
	if m.left == 0 {
		m.dead = true
		if m.after {
			return errors.Join(do(), errDied)
		}
		return errDied
	}
	m.left--
	return do()
}

func (m *mortal) Apply(ctx context.Context, e request.Edit) error {
	return m.write(func() error { return m.Store.Apply(ctx, e) })
}

func (m *mortal) SetOfficer(ctx context.Context, o request.Officership, out, first bool) error {
	return m.write(func() error { return m.Store.SetOfficer(ctx, o, out, first) })
}

// Death at every write of a request's life, before it and after it: the next start finds the old
// or the new state, and goes on from there to the end. An officer is named that way, so that the
// deed is a write too.
func TestDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t, store.ServiceAreas()...)
	w := newWorld(t, db)
	reached := 0
	for _, after := range []bool{false, true} {
		for at := 0; ; at++ {
			died := lifeWithDeath(t, w, at, after)
			if !died {
				reached = max(reached, at)
				break
			}
		}
	}
	if reached < 5 { // ask, approve, begin, the deed, finish
		t.Errorf("a life has only %d writes", reached)
	}
}

// lifeWithDeath names a second officer with a death at one write, and reports whether there was
// such a write.
func lifeWithDeath(t *testing.T, w *world, at int, after bool) (died bool) {
	t.Helper()
	w.config.Store = w.rows
	w.service = w.open()
	c := w.tenant()
	w.person("second", c.id)
	what := fmt.Sprintf("death at write %d, after it: %v", at, after)

	m := &mortal{Store: w.rows, left: at, after: after}
	w.config.Store = m
	w.service = w.open()
	step := func() (done bool) {
		all := w.visible(c.admin, true)
		if len(all) == 0 {
			_, _ = w.service.AddOfficer(t.Context(), c.admin, "mailbox", "second")
			return false
		}
		r, err := w.rows.Request(t.Context(), c.id, all[0])
		if err != nil {
			t.Fatal(err)
		}
		switch r.State {
		case request.Waiting:
			_, _ = w.service.Approve(t.Context(), c.officer, r.ID, r.Digest())
		case request.Approved, request.Running:
			w.runAll(c.id)
			w.pass(time.Hour) // past the pause before the next try, and past a dead runner's lease
		}
		return !r.State.Open()
	}
	for range 20 {
		if m.dead { // the next start
			w.config.Store = w.rows
			w.service = w.open()
		}
		if step() {
			break
		}
	}
	r, err := w.rows.Request(t.Context(), c.id, w.visible(c.admin, true)[0])
	if err != nil || r.State != request.Done {
		t.Errorf("%s: the request is %s, %v", what, r.State, err)
	}
	officers, err := w.rows.Officers(t.Context(), c.id)
	if err != nil || len(officers) != 2 {
		t.Errorf("%s: the officers are %v, %v", what, officers, err)
	}
	return m.dead
}
