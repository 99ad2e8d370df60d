package policy

import (
	"context"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// InForce returns where new content of a container belongs now: its own policy, that of its
// geo or of the tenant, by the rule of its workload. Where none is assigned it is the policy
// that the service owns (CK-14). It is fault.NotFound for a workload that nobody knows.
func (s *Service) InForce(ctx context.Context, c hierarchy.Container) (hierarchy.Target, error) {
	rule := s.c.Rule(c.Workload)
	if rule.Family == "" {
		return hierarchy.Target{}, fault.New(fault.NotFound, "there is no workload %q", clip(c.Workload))
	}
	standing, err := s.c.Store.InForce(ctx, c.Tenant)
	if err != nil {
		return hierarchy.Target{}, err
	}
	var own Standing
	if rule.Family == Mailbox {
		if own, err = s.c.Store.Own(ctx, c.Tenant, c.ID); err != nil {
			return hierarchy.Target{}, err
		}
	}
	id := rule.choose(standing, c.Geo, own.Policy)
	for _, at := range append(standing, own) {
		if id != "" && at.Policy == id {
			return hierarchy.Target{Policy: at.Policy, Generation: at.Generation, NewDataOnly: rule.NewDataOnly}, nil
		}
	}
	return hierarchy.Target{}, fault.New(fault.Unavailable, "the tenant is not set up for encryption").
		WithHint("the service makes its own policy when a tenant is created; try again in a moment")
}
