package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// converge is the kind of the operation that moves a tenant's container keys to where they
// belong.
const converge = "converge"

// Assign puts a multi-workload policy in force for the tenant, in place of the one before (CK-91). With
// identity "" the tenant goes back to the policy that the service owns (CK-306, X-9). New
// content takes it at once; stored content follows in the operation "converge", which is
// stored in the same transaction. Assigning what is assigned already only looks over the
// stored content again. A disabled policy is refused (CK-174).
func (s *Service) Assign(ctx context.Context, caller directory.Caller, identity string) error {
	return s.assignFamily(ctx, caller, MultiWorkload, identity)
}

// SetDefault puts a mailbox policy in force for every mailbox of the tenant that has none of
// its own, those made later too, in place of the one before (CK-314); identity "" takes it back:
// such mailboxes are then under the tenant's policy, or the service's (CK-235).
func (s *Service) SetDefault(ctx context.Context, caller directory.Caller, identity string) error {
	return s.assignFamily(ctx, caller, Mailbox, identity)
}

// assignFamily puts a policy in force for its whole family, or none.
func (s *Service) assignFamily(ctx context.Context, caller directory.Caller, f Family, identity string) error {
	if identity == "" {
		return s.unassign(ctx, caller, f)
	}
	p, err := s.enter(ctx, caller, f, Assign, identity, nil)
	if err != nil {
		return err
	}
	if err := s.assign(ctx, p); err != nil {
		return s.failed(ctx, caller, Assign, p.ID, err)
	}
	s.c.Wake()
	return nil
}

// Assignable returns why nothing can be put under the policy now, nil if it can (CK-174).
func (p Policy) Assignable() error {
	if err := p.open(Assign); err != nil {
		return err
	}
	if !p.Enabled {
		return fault.New(fault.Conflict, "the policy %q is disabled and cannot be assigned", p.Name).WithReason(ReasonDisabled).
			WithHint("enable it first: Set-%s -Identity %q -Enabled $true", p.Family.Noun(), p.Name)
	}
	return nil
}

func (s *Service) assign(ctx context.Context, p Policy) error {
	if err := p.Assignable(); err != nil {
		return err
	}
	now := s.now()
	op, err := operation.Fresh(p.Tenant, converge, p.ID, now)
	if err != nil {
		return err
	}
	p.State, p.Updated = Active, now
	return s.c.Store.Apply(ctx, Edit{
		Tenant: p.Tenant, Policy: &p, Assignment: &Assignment{Family: p.Family, Policy: p.ID}, Operation: &op,
	})
}

// unassign takes the assignment back. Without one it does nothing.
func (s *Service) unassign(ctx context.Context, caller directory.Caller, f Family) error {
	if err := s.check(ctx, caller, f, Assign, "none"); err != nil {
		return err
	}
	was, err := s.assigned(ctx, caller.Tenant, f)
	if err != nil || was == "" {
		return err
	}
	if err := s.permit(ctx, caller, Assign, "none", map[string]string{"was": was}); err != nil {
		return err
	}
	op, err := operation.Fresh(caller.Tenant, converge, was, s.now())
	if err == nil {
		err = s.c.Store.Apply(ctx, Edit{Tenant: caller.Tenant, Assignment: &Assignment{Family: f}, Operation: &op})
	}
	if err != nil {
		return s.failed(ctx, caller, Assign, "none", err)
	}
	s.c.Wake()
	return nil
}

// Assignment returns the multi-workload policy that the tenant has assigned, nil if there is none: its
// content is then under the policy that the service owns.
func (s *Service) Assignment(ctx context.Context, caller directory.Caller) (*Policy, error) {
	return s.assignment(ctx, caller, MultiWorkload)
}

// Default returns the policy that SetDefault has put in force, nil if there is none.
func (s *Service) Default(ctx context.Context, caller directory.Caller) (*Policy, error) {
	return s.assignment(ctx, caller, Mailbox)
}

func (s *Service) assignment(ctx context.Context, caller directory.Caller, f Family) (*Policy, error) {
	if err := s.authorize(ctx, caller, f, Read, "assignment", nil); err != nil {
		return nil, err
	}
	id, err := s.assigned(ctx, caller.Tenant, f)
	if err != nil || id == "" {
		return nil, err
	}
	p, err := s.c.Store.Policy(ctx, caller.Tenant, id)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// assigned returns the id of the policy that is in force for a whole family, "" if there is none.
func (s *Service) assigned(ctx context.Context, tenant string, f Family) (string, error) {
	standing, err := s.c.Store.InForce(ctx, tenant)
	if err != nil {
		return "", err
	}
	return inForce(standing, f, "").Policy, nil
}
