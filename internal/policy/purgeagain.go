package policy

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
)

// foundAlive is what the audit log calls it when something that was purged is there again.
const foundAlive Action = "policy.purge.again"

// RepeatPurges looks whether what was purged is gone still, and has what a backup has brought
// back destroyed again. It is called at each start, before anything is served; meanwhile the
// ledger keeps it shut.
func (s *Service) RepeatPurges(ctx context.Context) error {
	if s.c.Purging == nil {
		return nil
	}
	for _, done := range s.c.Purging.Ledger.All() {
		alive, err := s.alive(ctx, done)
		if err != nil {
			return err
		}
		if !alive {
			continue
		}
		caller := directory.SystemCaller(done.Tenant, purgeAgainWork, done.ID)
		if err := s.record(ctx, caller, foundAlive, done.Policy, audit.Allow, map[string]string{"request": done.Order.Request}); err != nil {
			return err
		}
		op, err := operation.Fresh(done.Tenant, purgeAgainWork, done.Policy, s.now())
		if err != nil {
			return err
		}
		if err := s.c.Purging.Store.Repeat(ctx, op); err != nil {
			return err
		}
	}
	s.c.Wake()
	return nil
}

// alive reports whether something of a purge in force is there.
func (s *Service) alive(ctx context.Context, done purge.Purge) (bool, error) {
	o, err := s.c.Purging.Store.Order(ctx, done.Tenant, done.Policy)
	if err != nil || o.Finished.IsZero() {
		return true, err
	}
	caller := directory.SystemCaller(done.Tenant, purgeAgainWork, done.ID)
	for _, id := range done.Order.AvailabilityKeys {
		f, err := s.c.Purging.Shredder.Facts(ctx, caller, done.Tenant, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil || f.Destroyed.IsZero() {
			return true, err
		}
	}
	keys, err := s.c.Purging.Shredder.Alive(ctx, caller, done.Tenant, done.Policy)
	return len(keys) > 0, err
}

// repeat is the handler of the operation that destroys again.
func (s *Service) repeat(ctx context.Context, run *operation.Run) error {
	done, found := s.c.Purging.Ledger.Find(run.Op.Tenant, run.Op.Subject)
	if !found {
		return fault.New(fault.Invalid, "the policy was not purged")
	}
	_, err := s.carryOut(ctx, run, directory.SystemCaller(run.Op.Tenant, purgeAgainWork, done.ID), done, nil)
	return err
}

// askTime is how long asking for a purge may take between the mark on the policy and the request: longer
// than it takes to list a million keys.
const askTime = 10 * time.Minute

// settlePurge returns a policy as it stands after a look at the request for its purge: one that
// was denied, withdrawn, or never came to be leaves it as it was before.
func (s *Service) settlePurge(ctx context.Context, p Policy) (Policy, error) {
	if p.State != PendingDeletion || s.c.Purging == nil {
		return p, nil
	}
	if _, found := s.c.Purging.Ledger.Find(p.Tenant, p.ID); found {
		return p, nil
	}
	o, err := s.c.Purging.Store.Order(ctx, p.Tenant, p.ID)
	if err != nil {
		return p, err
	}
	over, err := s.orderOver(ctx, o)
	if err != nil || !over {
		return p, err
	}
	caller := directory.SystemCaller(p.Tenant, purgeWork, p.ID)
	if err := s.record(ctx, caller, Purge, p.ID, audit.Fail, map[string]string{"reason": "the request came to nothing", "request": o.Request}); err != nil {
		return p, err
	}
	if err := s.callOff(ctx, p, o.Request); err != nil {
		return p, err
	}
	return s.c.Store.Policy(ctx, p.Tenant, p.ID)
}

// callOff puts a policy back into the state of before its purge was asked for. That the request came
// to nothing is known first where no restore reaches: a backup may have it approved.
func (s *Service) callOff(ctx context.Context, p Policy, request string) error {
	if request != "" {
		if err := s.c.Purging.Ledger.CallOff(ctx, p.Tenant, p.ID, request); err != nil {
			return err
		}
	}
	return s.c.Purging.Store.Unmark(ctx, p.Tenant, p.ID, request, s.now())
}

// SettlePurges looks after the policies whose purge was asked for and came to nothing: see
// settlePurge. Every node calls it every few seconds, so that what was denied is known in the ledger
// a moment later. One that cannot be settled holds up no other; the first error comes back.
func (s *Service) SettlePurges(ctx context.Context) (first error) {
	if s.c.Purging == nil {
		return nil
	}
	for after := (PurgeOrder{}); ; {
		page, err := s.c.Purging.Store.Pending(ctx, after.Tenant, after.Policy, purgePage)
		if err != nil {
			return errors.Join(first, err)
		}
		for _, o := range page {
			after = o
			p, err := s.c.Store.Policy(ctx, o.Tenant, o.Policy)
			if err == nil {
				_, err = s.settlePurge(ctx, p)
			}
			if err != nil && first == nil {
				first = err
			}
		}
		if len(page) < purgePage || ctx.Err() != nil {
			return first
		}
	}
}

// orderOver reports whether an order will come to nothing.
func (s *Service) orderOver(ctx context.Context, o PurgeOrder) (bool, error) {
	if o.Request == "" {
		age := s.now().Sub(o.Asked)
		return age > askTime || age < -askTime, nil
	}
	r, err := s.c.Purging.Request(ctx, o.Tenant, o.Request)
	if fault.Is(err, fault.NotFound) { // its database is older than this one's, which cannot be
		return true, nil
	}
	return err == nil && !r.State.Open() && r.State != request.Done, err
}
