package health

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// Run looks at roots when they are due until ctx ends, and returns when nothing is under way any
// more.
func (s *Service) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { s.listen(ctx) })
	slots := make(chan struct{}, s.c.AtOnce)
	for {
		timer := time.NewTimer(s.start(ctx, &work, slots))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// start looks at what is due, as far as there are free slots, and returns when to look for more.
func (s *Service) start(ctx context.Context, work *sync.WaitGroup, slots chan struct{}) time.Duration {
	free := cap(slots) - len(slots)
	if free == 0 {
		return idle // the next look that ends starts more
	}
	now := s.now()
	due, err := s.c.Store.Claim(ctx, now, now.Add(2*s.c.Every+time.Hour), now.Add(claim), free)
	if err != nil {
		s.complain(ctx, "looking for root keys to check", err)
	}
	for _, r := range due {
		slots <- struct{}{} // free: nobody else fills them
		work.Go(func() {
			if err := s.serve(ctx, r); err != nil {
				s.complain(ctx, "checking a root key", err)
			}
			<-slots
			poke(s.wake)
		})
	}
	at, any, unknown := s.c.Store.NextDue(ctx)
	if err != nil || unknown != nil || !any {
		return idle
	}
	return min(max(at.Sub(s.c.Now()), time.Millisecond), idle)
}

// complain logs what went wrong, unless it is that the server stops.
func (s *Service) complain(ctx context.Context, doing string, err error) {
	if ctx.Err() == nil {
		s.c.Log.Error(doing, "err", err)
	}
}

// serve looks at a claimed root, or has it wait for its turn.
func (s *Service) serve(ctx context.Context, r Root) (err error) {
	entered, underWay := s.busy.enter(r.Ref)
	switch {
	case underWay:
		return nil
	case !entered:
		return s.c.Store.Hasten(ctx, r.Ref, s.now().Add(putOff))
	}
	defer func() {
		if s.busy.leave(r.Ref) && err == nil {
			err = s.c.Store.Hasten(ctx, r.Ref, s.now().Add(pause))
		}
	}()
	age := s.now().Sub(r.Looked)
	return s.check(ctx, r, age < 0 || age >= rarely)
}

// check looks at a root and keeps what came of it. It counts for nothing where daily work
// has shown something else meanwhile. Who has made the root due again finds it due.
func (s *Service) check(ctx context.Context, r Root, deep bool) error {
	p, err := s.c.Store.Picture(ctx, r.Ref.Tenant)
	if err != nil {
		return err
	}
	if len(usersOf(p.Uses, r.Ref)) == 0 {
		return ignoreChanged(s.c.Store.Remove(ctx, r))
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	o, err := s.look(limited, r, p.Uses, deep)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // each call was answered in its time, and all of them were not
		o = observation{state: Unavailable, why: Why{
			Reason: "Timeout", Message: "the vault of " + short(r.Ref.URI) + " is too slow", Hint: "check the vault, and the way to it",
		}}
	}
	return s.apply(ctx, r.Ref, func(was Root) (Root, bool) {
		next := s.decide(was, o)
		if !was.Due.Equal(r.Due) {
			next.Due = was.Due
		}
		return next, was.State == r.State && was.Since.Equal(r.Since) && was.Misses == r.Misses
	})
}

func ignoreChanged(err error) error {
	if fault.As(err).Reason == ReasonChanged {
		return nil
	}
	return err
}

// decide returns the root after an observation, and when it is due next: soon while it is silent,
// often while it does not open.
func (s *Service) decide(was Root, o observation) Root {
	now := s.now()
	next := was.after(o, now)
	switch {
	case next.Misses > 0 && next.State != Unavailable:
		next.Due = now.Add(again)
	case !next.State.Opens():
		next.Due = now.Add(min(often, s.c.Every))
	default:
		next.Due = s.next(now)
	}
	return next
}

// tries bounds how often an edit starts again because somebody else was faster.
const tries = 8

// apply changes a root as decide says and keeps all that follows from it. decide may say that
// there is nothing to do any more.
func (s *Service) apply(ctx context.Context, ref hierarchy.RootRef, decide func(was Root) (next Root, still bool)) error {
	return s.change(ctx, ref.Tenant, func(p Picture) (Edit, bool) {
		was, ok := p.root(ref)
		if !ok {
			return Edit{}, false
		}
		next, still := decide(was)
		return s.edit(p, was, next), still
	})
}

// change keeps the edit that plan makes of a tenant's picture, recorded first, and tells of it.
// Where somebody else was faster it starts again. plan may say that there is nothing to do.
func (s *Service) change(ctx context.Context, tenant string, plan func(Picture) (Edit, bool)) error {
	err := Changed()
	for range tries {
		var p Picture
		if p, err = s.c.Store.Picture(ctx, tenant); err != nil {
			return err
		}
		e, any := plan(p)
		if !any {
			return nil
		}
		if err = s.record(ctx, e.Changes); err != nil {
			return err
		}
		if err = s.c.Store.Apply(ctx, e); err == nil {
			s.tell(ctx, e.Changes)
			return nil
		}
		if fault.As(err).Reason != ReasonChanged {
			return err
		}
	}
	return err
}

// record writes changes to the tenant's audit log.
func (s *Service) record(ctx context.Context, changes []Change) error {
	request := uuid.NewString()
	for _, c := range changes {
		object := c.Root.URI
		if !c.aboutRoot() {
			object = c.Policies[0].ID
		}
		err := s.c.Audit.Record(ctx, audit.Entry{
			Tenant: c.Tenant, Caller: directory.SystemCaller(c.Tenant, "key health", request), Action: actions[c.Type], Object: object, Decision: audit.Allow,
			Detail: map[string]string{"was": string(c.Was), "state": string(c.State), "reason": c.Why.Reason, "message": c.Why.Message, "keyID": c.Why.KeyID},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// actions are the changes as the audit log names them.
var actions = map[ChangeType]string{
	PolicyChanged: "health.policy", RootChanged: "health.root", RootExpiring: "health.expiring", RootNearBackupLimit: "health.backup_limit",
	PolicyKeyEnding: "health.key_ending",
}

// tell writes changes to the log of the server and has them sent.
func (s *Service) tell(ctx context.Context, changes []Change) {
	if len(changes) > 0 {
		s.c.Wake()
	}
	for _, c := range changes {
		say := s.c.Log.Info
		if c.Worse() {
			say = s.c.Log.Warn
		}
		if s.c.Opened != nil && c.Type == RootChanged && c.State.Opens() && !c.Was.Opens() {
			s.c.Opened(ctx, c.Tenant)
		}
		say(c.Text(), "type", c.Type, "tenant", c.Tenant, "was", c.Was, "reason", c.Why.Reason)
	}
}
