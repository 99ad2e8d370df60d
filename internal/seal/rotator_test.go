package seal_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// A shop is a seal with things under it: Rows in memory, which can fail and run hooks.
type shop struct {
	*seal.Seal
	mu      sync.Mutex
	things  map[string][]byte
	fail    error
	full    error  // of Retire, when it is done
	swapped func() // before a swap
	retired []seal.ID
	entries []string
}

func newShop(t *testing.T, n int) *shop {
	t.Helper()
	s := &shop{Seal: seal.Of(envelope.NewKey()), things: map[string][]byte{}}
	for i := range n {
		s.put(t, fmt.Sprintf("%04d", i))
	}
	return s
}

func (s *shop) put(t *testing.T, place string) {
	t.Helper()
	s.store(place, s.sealed(t, place))
}

// sealed and store are the two halves of put, between which a rotation may come.
func (s *shop) sealed(t *testing.T, place string) []byte {
	t.Helper()
	sealed, err := s.Seal.Seal(envelope.Bind("thing", place), []byte(place))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func (s *shop) store(place string, sealed []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.things[place] = sealed
}

func (s *shop) read(place string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.things[place]
}

// check opens everything, which must be under the current key.
func (s *shop) check(t *testing.T) {
	t.Helper()
	for place, sealed := range s.things {
		plain, err := s.Open(envelope.Bind("thing", place), sealed)
		if err != nil || string(plain) != place || !s.Fresh(sealed) {
			t.Errorf("%s: %q, %v, fresh %v", place, plain, err, s.Fresh(sealed))
		}
	}
}

func (s *shop) Count(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.things)), nil
}

func (s *shop) List(_ context.Context, after string, limit int) (rows []seal.Row, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, place := range slices.Sorted(maps.Keys(s.things)) {
		if place > after && len(rows) < limit {
			rows = append(rows, seal.Row{Place: place, Parts: []string{place}, Sealed: s.things[place]})
		}
	}
	return rows, s.fail
}

func (s *shop) Swap(_ context.Context, swaps []seal.Swap) error {
	if hook := s.swapped; hook != nil {
		s.swapped = nil
		hook()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range swaps {
		if string(s.things[w.Place]) == string(w.Old) {
			s.things[w.Place] = w.New
		}
	}
	return nil
}

// Renew and Retire implement seal.Keeper without a disk.
func (s *shop) Renew(context.Context, string) error {
	s.Seal.Renew(envelope.NewKey())
	return nil
}

func (s *shop) Retire(_ context.Context, _ string, ids []seal.ID) error {
	s.entries = append(s.entries, "retired")
	for _, id := range ids {
		s.Seal.Retire(id)
	}
	s.retired = append(s.retired, ids...)
	return s.full
}

func (s *shop) mustRotator(t *testing.T, gate *seal.Gate) *seal.Rotator {
	t.Helper()
	shelf := seal.NewShelf("things", s, func(p []string) []byte { return envelope.Bind("thing", p[0]) })
	r, err := seal.NewRotator(seal.RotatorConfig{
		Areas: []seal.Area{{Name: "shop", Seal: s.Seal, Shelves: []seal.Shelf{shelf}}}, Keeper: s, Gate: gate,
		Record: func(context.Context, string, []seal.ID) error { s.entries = append(s.entries, "recorded"); return nil },
		Log:    slog.New(slog.DiscardHandler), Retry: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bubble runs fn under virtual time.
func bubble(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	if fips140.Enabled() {
		t.Skip("Go's FIPS random source measures real time, which stands still under virtual time")
	}
	synctest.Test(t, fn)
}

// running runs a Rotator until the returned function is called.
func running(t *testing.T, r *seal.Rotator) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	return func() { cancel(); <-done }
}

func wantStage(t *testing.T, r *seal.Rotator, want string) seal.Progress {
	t.Helper()
	synctest.Wait()
	p := r.Progress()[0]
	if p.Stage != want {
		t.Errorf("stage %q (%s), want %q", p.Stage, p.Error, want)
	}
	return p
}

// Everything is moved, what comes in between too, and the old key is destroyed once that is recorded.
func TestRotate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, gate := newShop(t, 1234), new(seal.Gate)
		first := s.Current()
		r := s.mustRotator(t, gate)
		defer running(t, r)()
		late := s.sealed(t, "late") // sealed before, stored when the walk has passed
		leave := gate.Enter()
		s.swapped = func() { s.put(t, "0000-new") }
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		if p := wantStage(t, r, seal.Waiting); p.Waiting != 1 {
			t.Errorf("%d waited for", p.Waiting)
		}
		if err := r.Rotate(t.Context(), "shop"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second rotation: %v", err)
		}
		s.store("late", late)
		leave()
		wantStage(t, r, seal.Idle)
		s.check(t)
		if !slices.Equal(s.retired, []seal.ID{first}) || !slices.Equal(s.entries, []string{"recorded", "retired"}) {
			t.Errorf("retired %v: %v", s.retired, s.entries)
		}
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Error(err)
		}
		wantStage(t, r, seal.Idle)
		s.check(t)
		if err := r.Rotate(t.Context(), "nothing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no such seal: %v", err)
		}
	})
}

// Who has read a thing before it was moved still opens it, however long he takes.
func TestReadersAreWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, gate := newShop(t, 10), new(seal.Gate)
		r := s.mustRotator(t, gate)
		defer running(t, r)()
		var leave func()
		var hand []byte
		s.swapped = func() { leave, hand = gate.Enter(), s.read("0003") } // he comes while the walk is under way
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		wantStage(t, r, seal.Waiting)
		time.Sleep(time.Hour)
		if _, err := s.Open(envelope.Bind("thing", "0003"), hand); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		leave()
		wantStage(t, r, seal.Idle)
		s.check(t)
	})
}

// Who entered by the seal alone is waited for as well.
func TestTheSealsOwnGate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShop(t, 10)
		r := s.mustRotator(t, new(seal.Gate))
		defer running(t, r)()
		leave := s.Enter()
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		if p := wantStage(t, r, seal.Waiting); p.Waiting != 1 {
			t.Errorf("%d waited for", p.Waiting)
		}
		leave()
		wantStage(t, r, seal.Idle)
		s.check(t)
	})
}

// What does not open keeps its key from being destroyed, is told, and does not keep later rotations back.
func TestStuck(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShop(t, 250)
		first := s.Current()
		damaged := s.sealed(t, "0100")
		damaged[len(damaged)-1] ^= 1
		s.store("0100", damaged)
		r := s.mustRotator(t, new(seal.Gate))
		defer running(t, r)()
		for range 2 {
			if err := r.Rotate(t.Context(), "shop"); err != nil {
				t.Fatal(err)
			}
			if p := wantStage(t, r, seal.Stuck); p.Stuck != 1 || p.Error == "" {
				t.Errorf("%+v", p)
			}
			if !slices.Equal(s.Former(), []seal.ID{first}) {
				t.Errorf("former keys %v, want %v", s.Former(), first)
			}
		}
		s.put(t, "0100") // brought back from a backup, say
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		wantStage(t, r, seal.Idle)
		s.check(t)
	})
}

// A store that fails is tried again; a log that fails keeps the key.
func TestFailing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShop(t, 250)
		s.fail = fault.New(fault.Unavailable, "the disk is gone")
		r := s.mustRotator(t, new(seal.Gate))
		defer running(t, r)()
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		if p := wantStage(t, r, seal.Failing); p.Error != "the disk is gone" {
			t.Errorf("%+v", p)
		}
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		time.Sleep(2 * time.Minute)
		wantStage(t, r, seal.Idle)
		s.check(t)
	})
	bubble(t, func(t *testing.T) {
		s, log := newShop(t, 3), errors.New("the disk is full")
		r, err := seal.NewRotator(seal.RotatorConfig{
			Areas: []seal.Area{{Name: "shop", Seal: s.Seal}}, Keeper: s, Gate: new(seal.Gate), Log: slog.New(slog.DiscardHandler),
			Record: func(context.Context, string, []seal.ID) error { return log },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer running(t, r)()
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		wantStage(t, r, seal.Failing)
		if len(s.retired) != 0 {
			t.Error("a key was destroyed without a record")
		}
	})
}

// A keeper that fails when the key is gone already, as a folder does whose disk is full by the last
// of its writes, has done what was asked: the next rotation is not kept out.
func TestFailingAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShop(t, 10)
		s.full = fault.New(fault.Unavailable, "the disk is full")
		r := s.mustRotator(t, new(seal.Gate))
		defer running(t, r)()
		for range 2 {
			if err := r.Rotate(t.Context(), "shop"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			wantStage(t, r, seal.Idle)
			s.check(t)
		}
	})
}

// A rotation that a stop broke off goes on with the next Rotator.
func TestGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, gate := newShop(t, 500), new(seal.Gate)
		r := s.mustRotator(t, gate)
		stop := running(t, r)
		leave := gate.Enter()
		if err := r.Rotate(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		wantStage(t, r, seal.Waiting)
		stop()
		leave()
		again := s.mustRotator(t, new(seal.Gate))
		if p := again.Progress()[0]; p.Stage != seal.Moving {
			t.Errorf("%+v", p)
		}
		defer running(t, again)()
		wantStage(t, again, seal.Idle)
		s.check(t)
	})
}

func TestRotatorConfig(t *testing.T) {
	t.Parallel()
	if _, err := seal.NewRotator(seal.RotatorConfig{}); err == nil {
		t.Error("a rotator of nothing")
	}
}
