//go:build pkcs11

package hsm

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/customerkey/customerkey/internal/fault"
)

// A module is a loaded library. To set it up anew nobody may be inside: every call takes a
// place at the gate, a renewal takes all of them.
type module struct {
	lib      *pkcs11.Ctx
	gate     chan struct{} // a place for each call that runs
	renewing chan struct{} // one at a time

	// Written with all places taken, read with one.
	epoch uint64    // counts the times the library was set up; all sessions are of one
	up    bool      // whether it is set up now
	next  time.Time // before it no renewal is tried again
}

const (
	places  = 64
	respite = time.Second // between two renewals, and what callers are told to wait
)

// loaded holds the libraries of this process by path. That is a variable of the package because
// PKCS #11 is one: C_Initialize and C_Finalize count for the process, so whoever opens a token
// has to share the library with all others who did. A library stays loaded until the end.
var loaded = struct {
	sync.Mutex
	modules map[string]*module
}{modules: map[string]*module{}}

func load(path string) (*module, error) {
	fail := func(err error) error {
		return fault.Wrap(fault.Invalid, err, "The PKCS #11 library %s cannot be loaded", path).WithReason(ReasonSetup).
			WithHint("name the library of the module's maker, a file that ends in .so; for SoftHSM /usr/lib/softhsm/libsofthsm2.so")
	}
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fail(err)
	}
	loaded.Lock()
	defer loaded.Unlock()
	if m := loaded.modules[real]; m != nil {
		return m, nil
	}
	lib := pkcs11.New(real)
	if lib == nil {
		return nil, fail(nil)
	}
	m := &module{lib: lib, gate: make(chan struct{}, places), renewing: make(chan struct{}, 1)}
	loaded.modules[real] = m
	return m, nil
}

// enter takes a place at the gate.
func (m *module) enter(ctx context.Context) error {
	select {
	case m.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *module) leave() { <-m.gate }

// renew sets the library up anew, unless that was done since an epoch was seen. It waits until
// every call has ended; the one who asks waits no longer than ctx.
func (m *module) renew(ctx context.Context, seen uint64) error {
	select {
	case m.renewing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := m.lock(ctx); err != nil {
		<-m.renewing
		return err
	}
	done := make(chan error, 1)
	go func() {
		err := m.reset(seen)
		for range places {
			m.leave()
		}
		<-m.renewing
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lock takes all places, or none.
func (m *module) lock(ctx context.Context) error {
	for taken := range places {
		if err := m.enter(ctx); err != nil {
			for range taken {
				m.leave()
			}
			return err
		}
	}
	return nil
}

// reset is the renewal; all places are taken. A library that was just asked in vain is left
// alone for a while: everybody's requests come here.
func (m *module) reset(seen uint64) error {
	if m.up && m.epoch != seen {
		return nil
	}
	if wait := time.Until(m.next); wait > 0 {
		return errAway(nil)
	}
	m.next = time.Now().Add(respite)
	if m.epoch > 0 {
		_ = m.lib.Finalize() // it may be in any state: what counts is whether it starts
	}
	m.epoch++
	err := m.lib.Initialize()
	m.up = err == nil
	if err != nil {
		return errAway(err)
	}
	return nil
}
