//go:build pkcs11

package hsm

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/miekg/pkcs11"
)

// A token is one that a module has, and the sessions with it.
type token struct {
	Config
	module *module
	idle   chan *session // as many as Config.Sessions; each call takes one
	known  handles

	mu    sync.Mutex // of all below
	link  link
	wrong fs.FileInfo // the PIN file whose PIN the token refused
	can   map[Mechanism]bool
}

// A session is open if it is of the module's epoch. Who took it from idle owns it.
type session struct {
	lib    *pkcs11.Ctx
	handle pkcs11.SessionHandle
	slot   uint
	epoch  uint64 // 0 if it is not open
}

// A link is the log-in of an epoch.
type link struct {
	anchor session // never used: a token forgets the log-in when the last session ends
	serial string
}

// Open loads the module and returns its token that c names. It is not connected yet, and may be
// away: see Token.Check. The error is fault.Invalid with ReasonSetup.
func Open(c Config) (Token, error) {
	c, err := c.check()
	if err != nil {
		return nil, err
	}
	m, err := load(c.Module)
	if err != nil {
		return nil, err
	}
	t := &token{Config: c, module: m, idle: make(chan *session, c.Sessions), link: link{anchor: session{lib: m.lib}}}
	for range c.Sessions {
		t.idle <- &session{lib: m.lib}
	}
	return t, nil
}

// Check implements Token.
func (t *token) Check(ctx context.Context) error {
	_, err := call(ctx, t, twice, theRequest, func(*session) (struct{}, error) { return struct{}{}, nil })
	return err
}

// Model implements Token.
func (t *token) Model(ctx context.Context) (string, error) {
	return call(ctx, t, twice, theRequest, func(s *session) (string, error) {
		info, err := s.lib.GetTokenInfo(s.slot)
		return info.Model, err
	})
}

// Close implements Token. The library stays set up, for others may use it.
func (t *token) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), t.Patience)
	defer cancel()
	for range t.Sessions {
		select {
		case s := <-t.idle:
			if err := t.module.enter(ctx); err != nil {
				return errAway(err)
			}
			s.end(t.module)
			t.module.leave()
		case <-ctx.Done():
			return errAway(ctx.Err())
		}
	}
	if err := t.module.enter(ctx); err != nil {
		return errAway(err)
	}
	defer t.module.leave()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.link.anchor.end(t.module)
	return nil
}

// How often a call may be made.
type attempts bool

const (
	once  attempts = false // where a second time would not be the same
	twice attempts = true  // again after the library was set up anew
)

// call runs fn with a session and returns what it does, as a fault where it fails; b says
// what a refusal means. fn runs in a goroutine of its own, for nothing
// stops a library that hangs: a caller whose time is over leaves it behind, with its session.
func call[T any](ctx context.Context, t *token, a attempts, b blame, fn func(*session) (T, error)) (T, error) {
	var none T
	limited, cancel := context.WithTimeoutCause(ctx, t.Patience, errAway(errors.New("hsm: the library did not answer in time")))
	defer cancel()
	got, at, err := try(limited, t, fn)
	if isGone(err) {
		if again := t.module.renew(limited, at.epoch); again == nil && (a == twice || !at.began) {
			got, _, err = try(limited, t, fn)
		}
	}
	switch {
	case err == nil:
		return got, nil
	case ctx.Err() != nil:
		return none, ctx.Err()
	case limited.Err() != nil:
		return none, context.Cause(limited)
	}
	return none, classify(err, b)
}

// A stand is how far an attempt came.
type stand struct {
	epoch uint64 // in which it was made
	began bool   // whether fn was run
}

// try is one attempt.
func try[T any](ctx context.Context, t *token, fn func(*session) (T, error)) (got T, at stand, err error) {
	var s *session
	select {
	case s = <-t.idle:
	case <-ctx.Done():
		return got, at, ctx.Err()
	}
	if err := t.module.enter(ctx); err != nil {
		t.idle <- s
		return got, at, err
	}
	type result struct {
		got T
		at  stand
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { t.idle <- s }()
		defer t.module.leave()
		r := result{at: stand{epoch: t.module.epoch}}
		if r.err = t.ready(s); r.err == nil {
			r.at.began = true
			r.got, r.err = fn(s)
			r.err = t.judge(s, r.err)
		}
		done <- r
	}()
	select {
	case r := <-done:
		return r.got, r.at, r.err
	case <-ctx.Done():
		return got, at, ctx.Err()
	}
}

// ready opens a session that is not of this epoch. The caller has a place at the gate.
func (t *token) ready(s *session) error {
	m := t.module
	if !m.up {
		return errGone
	}
	if s.epoch == m.epoch {
		return nil
	}
	slot, err := t.connect(m.epoch)
	if err != nil {
		return err
	}
	handle, err := m.lib.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return err
	}
	s.handle, s.slot, s.epoch = handle, slot, m.epoch
	return nil
}

// judge looks at why fn failed: a library may say anything while the token is away, also that
// an object is not there. A session that failed in an unclear way is not used again.
func (t *token) judge(s *session, err error) error {
	if err == nil || isGone(err) || !errors.Is(err, errNoObject) && !is(err, vague) {
		return err
	}
	if gone := t.present(s); gone != nil {
		return errors.Join(gone, err)
	}
	if is(err, vague) {
		s.end(t.module)
	}
	return err
}

// present reports whether the token of a session is there still, and the same.
func (t *token) present(s *session) error {
	t.mu.Lock()
	serial := t.link.serial
	t.mu.Unlock()
	info, err := s.lib.GetTokenInfo(s.slot)
	if err != nil || info.Label != t.Label || info.SerialNumber != serial {
		return errGone
	}
	return nil
}

// end closes a session, so that it is opened anew. The caller owns it.
func (s *session) end(m *module) {
	if s.epoch != 0 && s.epoch == m.epoch {
		_ = s.lib.CloseSession(s.handle) // there is nothing left to do with it
	}
	s.epoch = 0
}
