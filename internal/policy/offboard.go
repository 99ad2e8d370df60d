package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
)

// offboardWork is the kind of the operation that takes a policy out of force everywhere.
const offboardWork = "offboard"

// An OffboardingAsk says why a policy is to be left (CK-249).
type OffboardingAsk struct {
	TenantDomain, Contact, Reason string // all required
}

// RequestOffboarding asks for everything under a policy to go back to the keys that the service
// owns. Nothing is destroyed (CK-250). The roots are needed until all has moved: see
// [Status].Free.
func (s *Service) RequestOffboarding(ctx context.Context, caller directory.Caller, f Family, identity string, a OffboardingAsk) (request.Request, error) {
	p, err := s.enter(ctx, caller, f, Offboard, identity, map[string]string{
		"domain": clip(a.TenantDomain), "contact": clip(a.Contact), "reason": clip(a.Reason),
	})
	if err != nil {
		return request.Request{}, err
	}
	r, err := s.requestOffboarding(ctx, caller, p, a)
	if err != nil {
		return request.Request{}, s.failed(ctx, caller, Offboard, p.ID, err)
	}
	return r, nil
}

func (s *Service) requestOffboarding(ctx context.Context, caller directory.Caller, p Policy, a OffboardingAsk) (r request.Request, err error) {
	switch {
	case s.c.Requests == nil:
		return r, fault.New(fault.Invalid, "this server takes no such requests")
	case a.TenantDomain == "" || a.Contact == "" || a.Reason == "":
		return r, fault.New(fault.Invalid, "offboarding needs the organization's domain, a contact and a reason").
			WithHint("give -TenantDomain, -Contact and -Reason")
	case p.Family == SharePoint && !s.c.OffboardSharePoint:
		return r, fault.New(fault.Invalid, "SharePoint cannot go back to the keys of the service").WithReason("X-16").
			WithHint("assign other root keys; who runs the service can allow it: ck serve --offboard-sharepoint")
	}
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if err != nil {
		return r, err
	}
	st := s.summary(picture)
	return s.c.Requests.Ask(ctx, caller, request.Ask{
		Kind: OffboardingKind, Family: string(p.Family), Subject: p.ID, Reason: a.Reason, Contact: a.Contact,
		Detail: []request.Fact{
			{Name: factPolicy, Value: p.Name}, {Name: "TenantDomain", Value: a.TenantDomain},
			{Name: factContainers, Value: fmt.Sprint(st.Containers)},
			{Name: "Effect", Value: "content goes back to the keys of the service; the vaults are needed until it has"},
		},
	})
}

// offboard carries a request out: the policy covers nothing any more, then every container key
// moves. It may be cut off anywhere and begins anew.
func (s *Service) offboard(ctx context.Context, run *operation.Run, r request.Request) (string, error) {
	p, err := s.c.Store.Policy(ctx, r.Tenant, r.Subject)
	if err != nil {
		return "", err
	}
	if p.State == Purged || p.State == PendingDeletion {
		return "", fault.New(fault.Invalid, "the policy %q is being purged, or was", p.Name)
	}
	caller := directory.SystemCaller(r.Tenant, offboardWork, r.ID)
	if err := s.record(ctx, caller, Offboard, p.ID, audit.Allow, map[string]string{"request": r.ID}); err != nil {
		return "", err
	}
	if err := s.uncover(ctx, p); err != nil {
		return "", s.failed(ctx, caller, Offboard, p.ID, err)
	}
	stuck := s.converge(ctx, run) // by keys of other policies too, which are none of this request's business
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	left, err := s.evacuate(ctx, run, caller, p)
	if err != nil {
		return "", err
	}
	free, under, err := s.free(ctx, p)
	switch {
	case err != nil:
		return "", err
	case !free:
		return "", left.staying(p, under, stuck)
	}
	return "everything is under the keys of the service; the permissions on both vaults can be removed", nil
}

// staying says what of a policy could not move, and why; cause is what else stood in the way. It
// is tried again for as long as it takes.
func (c checkpoint) staying(p Policy, under int64, cause error) error {
	format := "%d container keys are still under the policy %q"
	args := []any{under, p.Name}
	if c.Broken > 0 {
		format += "; %d do not open and were left where they are, %s; the first: %s"
		args = append(args, c.Broken, c.which(), c.First)
	}
	if c.Closed > 0 {
		format += "; %d wait for root keys; the first: %s"
		args = append(args, c.Closed, c.Why)
	}
	hint := "the roots are needed until all has moved; this goes on by itself"
	if c.Broken > 0 {
		hint = "everything else has moved; restore those keys from a backup of the database: they are looked at again by themselves"
	}
	err := fault.Wrap(fault.Unavailable, cause, format, args...).WithHint("%s", hint)
	return operation.Again(err, c.lookAgain())
}

// lookAgain is the pause before everything is looked at again: that costs as much as there are keys,
// and a key that does not open waits for somebody who puts it back.
func (c checkpoint) lookAgain() time.Duration {
	switch {
	case c.Broken > 0:
		return 5 * time.Minute
	case c.Closed > 0:
		return time.Minute
	}
	return 0
}

// uncover takes a policy out of force, wherever it is, in one transaction: what others put in its
// place meanwhile stays.
func (s *Service) uncover(ctx context.Context, p Policy) error {
	return s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Left: p.ID, Reassignment: &Reassignment{From: p.ID}})
}

// evacuate moves what is under a policy by a rule that lets stored content stay where it is: who
// leaves a policy takes everything along. Keys that cannot be wrapped anew keep no other from
// moving; left says which they are.
func (s *Service) evacuate(ctx context.Context, run *operation.Run, caller directory.Caller, p Policy) (left checkpoint, err error) {
	w := &walk{s: s, run: run, caller: caller}
	for after := (Place{}); ; {
		keys, err := s.c.Store.ContainerKeys(ctx, p.Tenant, after, s.c.Batch)
		if err != nil || len(keys) == 0 {
			return left, err
		}
		jobs, err := s.leaving(ctx, p, keys)
		if err != nil {
			return left, err
		}
		w.work(ctx, jobs)
		b := gather(keys, jobs)
		if err := w.excuse(ctx, b.failures, &left); err != nil {
			return left, err
		}
		if err := w.carry(ctx, b.moves); err != nil {
			return left, err
		}
		after = b.last
	}
}

// carry stores moves, and leaves the checkpoint of the walk where it is.
func (w *walk) carry(ctx context.Context, moves []Move) error {
	if len(moves) == 0 {
		return ctx.Err()
	}
	done := w.run.Op.Done + int64(len(moves))
	f := w.run.Fence(w.run.Op.Checkpoint, done, max(w.run.Op.Total, done))
	if _, err := w.s.c.Store.Move(ctx, moves, f); err != nil {
		return err
	}
	w.run.Saved(f)
	return nil
}

// leaving returns the jobs that put those of keys that are under p under the policy that new
// content goes under.
func (s *Service) leaving(ctx context.Context, p Policy, keys []hierarchy.ContainerKey) (jobs []job, err error) {
	m, err := s.chart(ctx, p.Tenant, keys)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if key.Policy != p.ID {
			continue
		}
		id, err := m.active(ctx, s.c.Rule(key.Workload).choose(m.standing, key.Geo, m.owns[key.Container]))
		if err != nil {
			return nil, err
		}
		to, err := m.row(ctx, id)
		if err != nil {
			return nil, err
		}
		if to.ID != "" {
			jobs = append(jobs, job{from: key, to: to})
		}
	}
	return jobs, nil
}

// free reports whether nothing needs the roots of a policy: it is in force nowhere, and no
// container key is under it; under counts those that are.
func (s *Service) free(ctx context.Context, p Policy) (free bool, under int64, err error) {
	picture, err := s.c.Store.Picture(ctx, p.Tenant, p.ID, converge)
	if err != nil {
		return false, 0, err
	}
	free, under = picture.free()
	return free, under, nil
}

func (p Picture) free() (free bool, under int64) {
	for _, u := range p.Usage {
		if u.Policy == p.Policy.ID {
			under += u.Keys
		}
	}
	return under == 0 && !p.assigned(), under
}
