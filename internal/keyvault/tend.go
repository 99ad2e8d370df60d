package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An Aging is a live key to which something is due.
type Aging struct {
	Tenant, Vault, Name string // Vault and Name folded
	Due                 time.Time
}

// Tend does what is due to live keys by themselves: rotates those whose policy says so (KV-81),
// and tells that the newest version of a key nears its expiry, or has reached it (KV-80). It
// returns how many rotations and notices there were. It is to be called from time to time; after
// a stop, however long, each key is rotated once and each notice given once. Every step is a
// transaction of its own, recorded first. A key that fails does not keep others back: the errors
// come together at the end. Where something cannot be reached, what needs it is not tried again
// in this call: the rotations of hardware that is away, all keys of a tenant whose log fails.
func (s *Service) Tend(ctx context.Context) (done int, err error) {
	r := tending{request: uuid.NewString(), away: map[string]bool{}}
	now := s.now()
	var failed []error
	for after := (Aging{}); ; {
		due, err := s.store.Aging(ctx, now, after, maxPage)
		if err != nil {
			return done, errors.Join(append(failed, err)...)
		}
		for _, a := range due {
			if r.away[a.Tenant] {
				continue
			}
			n, err := s.tend(ctx, a, r)
			done += n
			if _, ofProtector := errors.AsType[aside](err); !ofProtector {
				r.leave(a.Tenant, err)
			}
			if err != nil && len(failed) < maxPage {
				failed = append(failed, err)
			}
			if ctx.Err() != nil {
				return done, errors.Join(failed...)
			}
		}
		if len(due) < maxPage {
			return done, errors.Join(failed...)
		}
		after = due[len(due)-1]
	}
}

// A tending is one call of Tend.
type tending struct {
	request string
	away    map[string]bool // tenants and names of protectors that are left alone for the rest of it
}

// leave leaves who is named alone if err says that he cannot be reached.
func (r tending) leave(name string, err error) {
	if fault.Is(err, fault.Unavailable) {
		r.away[name] = true
	}
}

// aside is a failure of a protector, which says nothing of the tenant's other keys.
type aside struct{ error }

// Unwrap returns the failure.
func (a aside) Unwrap() error { return a.error }

// NextDue returns when Tend has something to do next, if nothing changes; zero for never.
func (s *Service) NextDue(ctx context.Context) (time.Time, error) {
	due, err := s.store.NextDue(ctx)
	if fault.Is(err, fault.NotFound) {
		return time.Time{}, nil
	}
	return due, err
}

// mostSteps is what can be due to one key at once: two notices and a rotation, and to see that
// nothing is left.
const mostSteps = 4

// tend does what is due to one key, step by step. Whatever else changes the key meanwhile has
// it looked at again.
func (s *Service) tend(ctx context.Context, a Aging, r tending) (done int, err error) {
	for range mostSteps {
		l, err := s.store.Lifetime(ctx, a.Tenant, a.Vault, a.Name)
		if fault.Is(err, fault.NotFound) { // deleted meanwhile
			return done, nil
		}
		if err != nil {
			return done, err
		}
		now := s.now()
		step := s.step(ctx, l, now, r)
		if step == nil {
			if l.Due.After(now) || l.Due.Equal(l.Next()) { // the second: it has to wait for its protector
				return done, nil
			}
			return done, overtaken(s.store.SetLifetime(ctx, l)) // the time that is stored was too early
		}
		if err := step(); err != nil {
			return done, overtaken(err)
		}
		done++
	}
	return done, nil
}

// overtaken is err, unless it says that another change came first: that one counts.
func overtaken(err error) error {
	if hasReason(err, ReasonChanged) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// step returns what is to be done first, nil if nothing is due that can be done. What has expired
// is not told to be near its expiry any more.
func (s *Service) step(ctx context.Context, l Lifetime, now time.Time, r tending) func() error {
	due := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	told := Mark{Set: true, Expires: l.Expires}
	switch {
	case due(l.expires()):
		l.ExpiredTold = told
		return func() error { return s.notice(ctx, l, TellExpired, KeyExpired, now, r) }
	case due(l.nears()):
		l.NearTold = told
		return func() error { return s.notice(ctx, l, TellNearExpiry, KeyNearExpiry, now, r) }
	case due(l.rotates()) && !r.away[s.maker(l.HSM).Name()]:
		return func() error { return s.rotateDue(ctx, l, now, r) }
	}
	return nil
}

// notice keeps that something is told, with the event that tells it.
func (s *Service) notice(ctx context.Context, l Lifetime, a Action, t EventType, now time.Time, r tending) error {
	e := l.entry(a, "notice", r.request)
	_, err := settle(ctx, s, e, func() (struct{}, error) {
		told := eventOf(t, l.Key, now)
		return struct{}{}, s.tell(s.store.SetLifetime(ctx, l, told), told)
	}, nil)
	return err
}

// rotateDue adds the version that the policy asks for, if the key is as it was when that was
// found out: two nodes, or a crash in between, make one version and not two.
func (s *Service) rotateDue(ctx context.Context, l Lifetime, now time.Time, r tending) error {
	k := l.successor(now)
	l.Policy.expire(&k)
	e := l.entry(RotateKey, "rotation", r.request)
	e.Object = object(Vault{Name: l.Vault}, Target{Name: k.Name, Version: k.Version})
	e.Detail["from"] = l.Version
	_, err := settle(ctx, s, e, func() (Key, error) { return s.succeed(ctx, k, l, new(Stored)) }, nil)
	if _, ofProtector := errors.AsType[aside](err); ofProtector {
		r.leave(s.maker(k.HSM).Name(), err)
	}
	return err
}

// entry is the record of what the service does to a key by itself.
func (l Lifetime) entry(a Action, who, request string) audit.Entry {
	e := audit.Entry{
		Tenant: l.Tenant, Caller: directory.SystemCaller(l.Tenant, who, request), Action: string(a),
		Object: object(Vault{Name: l.Vault}, Target{Name: l.Name, Version: l.Version}), Detail: map[string]string{},
	}
	if !l.Expires.IsZero() {
		e.Detail["exp"] = l.Expires.Format(time.RFC3339)
	}
	return e
}
