package policy

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// Refresh makes a new generation of the policy under the newest enabled versions of its root
// keys, after checking them as at creation (CK-243). The older generations drain: what is
// under them moves in the operation "converge", stored in the same transaction. It makes a
// generation also when the root keys have no newer version, and for a policy that is not
// assigned or is disabled: there may be content under any of them.
func (s *Service) Refresh(ctx context.Context, caller directory.Caller, f Family, identity string) (Policy, error) {
	p, err := s.enter(ctx, caller, f, Refresh, identity, nil)
	if err != nil {
		return Policy{}, err
	}
	p, err = s.refresh(ctx, caller, p)
	if err != nil {
		return Policy{}, s.failed(ctx, caller, Refresh, p.ID, err)
	}
	s.c.Wake()
	return p, nil
}

func (s *Service) refresh(ctx context.Context, caller directory.Caller, p Policy) (Policy, error) {
	var roots [2]root
	for i, ref := range p.Roots {
		canonical, vault, err := s.c.Roots.Parse(ref.URI)
		if err != nil { // the configured vault hosts have changed since
			return p, fmt.Errorf("root key %d of the policy: %w", i+1, err)
		}
		roots[i] = root{canonical, vault}
	}
	if err := s.validate(ctx, p.Roots, roots, nil); err != nil {
		return p, err
	}
	return s.renew(ctx, caller, p)
}

// Replace gives the policy two other root keys in one act, checked as at creation (CK-97,
// CK-113). One of the two may be one that it has: then the other alone is replaced. A new
// generation under the new roots and the policy's row change in one transaction; what lies
// under the old roots moves as after a refresh, and they are needed until it has. Of the old
// roots none need be asked for that as long as the availability key may be used.
func (s *Service) Replace(ctx context.Context, caller directory.Caller, f Family, identity string, uris []string) (Policy, error) {
	p, err := s.enter(ctx, caller, f, Replace, identity, keyDetail(uris))
	if err != nil {
		return Policy{}, err
	}
	p, err = s.replace(ctx, caller, p, uris)
	if err != nil {
		return Policy{}, s.failed(ctx, caller, Replace, p.ID, err)
	}
	s.c.Wake()
	return p, nil
}

func (s *Service) replace(ctx context.Context, caller directory.Caller, p Policy, uris []string) (Policy, error) {
	roots, found, err := s.parse(uris)
	if err != nil {
		return p, err
	}
	refs := refsOf(p.Tenant, p.Family, roots)
	if refs == p.Roots || refs == [2]hierarchy.RootRef{p.Roots[1], p.Roots[0]} {
		return p, fault.New(fault.Invalid, "the policy %q has these two root keys already", p.Name).
			WithHint("to take their newest versions use -Refresh")
	}
	apart, err := s.apart(ctx, p.Tenant, roots)
	if err != nil {
		return p, err
	}
	if err := s.validate(ctx, refs, roots, append(found, apart...)); err != nil {
		return p, err
	}
	p.Roots = refs
	return s.renew(ctx, caller, p)
}

// renew stores the policy with a new generation under the roots that it names.
func (s *Service) renew(ctx context.Context, caller directory.Caller, p Policy) (Policy, error) {
	g, err := s.generation(ctx, caller, p, p.Number+1)
	if err != nil {
		return p, err
	}
	now := s.now()
	op, err := operation.Fresh(p.Tenant, converge, p.ID, now)
	if err != nil {
		return p, err
	}
	p.Generation, p.Number, p.Updated = g.ID, g.Number, now
	if err := s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Policy: &p, Generation: &g, Operation: &op}); err != nil {
		return p, err
	}
	p.Revision++
	return p, nil
}
