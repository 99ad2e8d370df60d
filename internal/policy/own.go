package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// A Holder is a container that can have a policy for itself, a mailbox, and what people call it.
// It need not hold anything yet: the policy waits for its first content.
type Holder struct{ Container, Name string }

// AssignTo puts a mailbox policy in force for one mailbox, in place of the one that it had
// (CK-120, CK-233). With identity "" it has none for itself any more: it goes by the default of
// the tenant's mailboxes, by the tenant's policy, or by the service's, the first of these that
// there is (CK-248, X-24). New content takes it at once; stored content follows in the operation
// "converge", which assignments that come before it has begun share. Assigning what is assigned
// only looks over what is stored. A disabled policy is refused (CK-174).
//
// Two assignments of one mailbox at once are made one after the other; the later one holds.
func (s *Service) AssignTo(ctx context.Context, caller directory.Caller, to Holder, identity string) error {
	if identity == "" {
		return s.takeBack(ctx, caller, to)
	}
	p, err := s.enter(ctx, caller, Mailbox, Assign, identity, to.detail())
	if err != nil {
		return err
	}
	e := Edit{Tenant: p.Tenant, Assignment: &Assignment{Family: Mailbox, Container: to.Container, Policy: p.ID}}
	if err := s.assignOwn(ctx, p, e); err != nil {
		return s.failed(ctx, caller, Assign, p.ID, err)
	}
	s.c.Wake()
	return nil
}

func (h Holder) detail() map[string]string {
	return map[string]string{"mailbox": clip(h.Name), "container": h.Container}
}

// activations bounds how often an assignment starts again because the policy has changed.
const activations = 8

// assignOwn makes an edit that puts containers under p. Only the first such edit of a policy
// changes its row, so that many at once do not run into each other.
func (s *Service) assignOwn(ctx context.Context, p Policy, e Edit) error {
	for n := 1; ; n++ {
		if err := p.Assignable(); err != nil {
			return err
		}
		now := s.now()
		op, err := operation.Fresh(p.Tenant, converge, p.ID, now)
		if err != nil {
			return err
		}
		e.Policy, e.Operation = nil, &op
		if p.State == PendingActivation {
			active := p
			active.State, active.Updated = Active, now
			e.Policy = &active
		}
		err = s.c.Store.Apply(ctx, e)
		if fault.As(err).Reason != ReasonChanged || n == activations {
			return err
		}
		if p, err = s.c.Store.Policy(ctx, p.Tenant, p.ID); err != nil {
			return err
		}
	}
}

// takeBack takes a container's own policy away. Without one it does nothing.
func (s *Service) takeBack(ctx context.Context, caller directory.Caller, from Holder) error {
	if err := s.check(ctx, caller, Mailbox, Assign, "none"); err != nil {
		return err
	}
	own, err := s.c.Store.Own(ctx, caller.Tenant, from.Container)
	if err != nil || own.Policy == "" {
		return err
	}
	detail := from.detail()
	detail["was"] = own.Policy
	if err := s.permit(ctx, caller, Assign, "none", detail); err != nil {
		return err
	}
	op, err := operation.Fresh(caller.Tenant, converge, own.Policy, s.now())
	if err == nil {
		err = s.c.Store.Apply(ctx, Edit{Tenant: caller.Tenant, Assignment: &Assignment{Family: Mailbox, Container: from.Container}, Operation: &op})
	}
	if err != nil {
		return s.failed(ctx, caller, Assign, "none", err)
	}
	s.c.Wake()
	return nil
}

// Reassign gives every mailbox that has the policy from for itself the policy to, or none if to
// is "", in one transaction (CK-254: before a purge; CK-74: after the loss of both roots). It
// returns how many had it just before.
func (s *Service) Reassign(ctx context.Context, caller directory.Caller, from, to string) (int64, error) {
	p, err := s.enter(ctx, caller, Mailbox, Assign, from, map[string]string{"to": clip(to)})
	if err != nil {
		return 0, err
	}
	moved, err := s.reassign(ctx, p, to)
	if err != nil {
		return 0, s.failed(ctx, caller, Assign, p.ID, err)
	}
	s.c.Wake()
	return moved, nil
}

func (s *Service) reassign(ctx context.Context, from Policy, identity string) (int64, error) {
	moved, err := s.c.Store.CountOwn(ctx, from.Tenant, from.ID)
	if err != nil {
		return 0, err
	}
	e := Edit{Tenant: from.Tenant, Reassignment: &Reassignment{From: from.ID}}
	if identity == "" {
		op, err := operation.Fresh(from.Tenant, converge, from.ID, s.now())
		if err != nil {
			return 0, err
		}
		e.Operation = &op
		return moved, s.c.Store.Apply(ctx, e)
	}
	to, err := s.resolve(ctx, from.Tenant, Mailbox, identity)
	if err != nil {
		return 0, err
	}
	if to.ID == from.ID {
		return 0, fault.New(fault.Invalid, "mailboxes cannot be moved from the policy %q to itself", to.Name).WithHint("name another policy")
	}
	e.Reassignment.To = to.ID
	return moved, s.assignOwn(ctx, to, e)
}
