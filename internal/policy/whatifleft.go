package policy

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/hierarchy"
)

// WhatIfOffboarded reports what it would come to if a policy were left for the service's own keys:
// see [Service.WhatIf]. Workloads that take new data only move too, and the versions of its root keys
// count as freed: nothing is under them then, and the vaults are not asked (see [Status].Free). It is
// for whoever may ask for that or approve it: nobody's rights are looked at.
func (s *Service) WhatIfOffboarded(ctx context.Context, tenant, id string) (Report, error) {
	p, err := s.c.Store.Policy(ctx, tenant, id)
	if err != nil {
		return Report{}, err
	}
	leaves := func(_ Prospect, u Usage) bool { return u.Policy == p.ID }
	r, err := s.foresee(ctx, tenant, leaves, func(on *Service) error { return on.uncover(ctx, p) })
	if err != nil {
		return r, err
	}
	now, err := s.c.Store.Prospect(ctx, tenant)
	if err != nil {
		return r, err
	}
	others := versionsOf(slices.DeleteFunc(now.Live, func(g hierarchy.Generation) bool { return g.Policy == p.ID }))
	alone := func(kid string) bool { return !others[kid] }
	for _, kid := range r.Kept {
		if alone(kid) {
			r.Freed = append(r.Freed, kid)
		}
	}
	r.Kept = slices.DeleteFunc(r.Kept, alone)
	slices.Sort(r.Freed)
	return r, nil
}

// WhatIfRenewed reports what it would come to if all content that a policy covers were encrypted
// anew: Moving is all of it, and the versions of root keys are as they are once it is done. It is
// for whoever may start that: nobody's rights are looked at.
func (s *Service) WhatIfRenewed(ctx context.Context, tenant, id string) (Report, error) {
	covered := func(p Prospect, u Usage) bool {
		return u.Policy == id || s.c.Rule(u.Workload).choose(p.InForce, u.Geo, u.Own) == id
	}
	r, err := s.foresee(ctx, tenant, covered, func(*Service) error { return nil })
	if err != nil {
		return r, err
	}
	r.Moving, err = s.Concerns(ctx, tenant, id)
	return r, err
}

// Concerns counts what lies under a policy, and what belongs under it and has not come there yet:
// what encrypting the policy's content anew, or opening it, is about. Nobody's rights are looked at.
func (s *Service) Concerns(ctx context.Context, tenant, id string) (Toll, error) {
	now, err := s.c.Store.Prospect(ctx, tenant)
	if err != nil {
		return Toll{}, err
	}
	held, err := s.c.Store.Held(ctx, tenant, Edit{})
	return held.toll(now.Usage, func(u Usage) bool {
		return u.Policy == id || s.c.Rule(u.Workload).choose(now.InForce, u.Geo, u.Own) == id
	}), err
}

// CoveredBy returns the policy that content of a new container goes under, in a geo if the workload
// has geos. It serves those who may make the container: nobody's rights are looked at.
func (s *Service) CoveredBy(ctx context.Context, tenant, workload, geo string) (Policy, error) {
	target, err := s.InForce(ctx, hierarchy.Container{Tenant: tenant, Workload: workload, Geo: geo})
	if err != nil {
		return Policy{}, err
	}
	return s.c.Store.Policy(ctx, tenant, target.Policy)
}
