package policy

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/internal/directory"
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
	found, err := s.examine(ctx, p.Roots, roots)
	if err != nil {
		return p, err
	}
	if err := found.fault(); err != nil {
		return p, err
	}
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
