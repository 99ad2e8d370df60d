package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// InForce returns where new content of a workload belongs now. A tenant without assignment
// has the policy that the service owns (CK-14). It is fault.NotFound for a workload that
// nobody knows.
func (s *Service) InForce(ctx context.Context, tenant, workload string) (hierarchy.Target, error) {
	rule := s.c.Rule(workload)
	if rule.Family == "" {
		return hierarchy.Target{}, fault.New(fault.NotFound, "there is no workload %q", clip(workload))
	}
	standing, err := s.c.Store.InForce(ctx, tenant)
	if err != nil {
		return hierarchy.Target{}, err
	}
	at, ok := rule.choose(standing)
	if !ok {
		return hierarchy.Target{}, fault.New(fault.Unavailable, "the tenant is not set up for encryption").
			WithHint("the service makes its own policy when a tenant is created; try again in a moment")
	}
	return hierarchy.Target{Policy: at.Policy, Generation: at.Generation, NewDataOnly: rule.NewDataOnly}, nil
}

// choose is the precedence of policies: the first family of the rule that has one in force.
func (r Rule) choose(standing []Standing) (Standing, bool) {
	for _, f := range r.precedence() {
		if at := inForce(standing, f); at.Policy != "" {
			return at, true
		}
	}
	return Standing{}, false
}

func inForce(standing []Standing, f Family) Standing {
	for _, at := range standing {
		if at.Family == f {
			return at
		}
	}
	return Standing{}
}
