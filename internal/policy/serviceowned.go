package policy

import (
	"context"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// serviceOwnedName is the name of every tenant's policy that the service owns. There is one
// per tenant because names are unique in a family.
const serviceOwnedName = "Service-managed keys"

// EnsureServicePolicy makes the policy that the service owns for a tenant, unless there is
// one: then refs is not looked at. refs are two different keys in the service's own vaults,
// with the service's tenant as theirs. It is in force from the start and can be neither
// unassigned nor changed by the tenant (CK-14, CK-128, CK-181). Calling it again, also at
// the same time on another node, is harmless.
func (s *Service) EnsureServicePolicy(ctx context.Context, tenant string, refs [2]hierarchy.RootRef) (Policy, error) {
	p, err := s.serviceOwned(ctx, tenant)
	if !fault.Is(err, fault.NotFound) {
		return p, err
	}
	if tenant == "" || refs[0].URI == "" || refs[1].URI == "" || refs[0].URI == refs[1].URI {
		return Policy{}, fault.New(fault.Invalid, "the service's own policy needs a tenant and two different root keys")
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Policy{}, fault.Wrap(fault.Unavailable, err, "no random number for the policy's id")
	}
	caller := directory.SystemCaller(tenant, "set up default encryption", id.String())
	p = Policy{Tenant: tenant, ID: id.String(), Family: ServiceOwned, Name: serviceOwnedName, Enabled: true, Roots: refs}
	if err := s.record(ctx, caller, Create, p.ID, audit.Allow, map[string]string{"name": p.Name}); err != nil {
		return Policy{}, err
	}
	made, err := s.found(ctx, caller, p, &Assignment{Family: ServiceOwned, Policy: p.ID})
	if err != nil {
		err = s.failed(ctx, caller, Create, p.ID, err)
	}
	if fault.Is(err, fault.Conflict) { // another node was faster
		return s.serviceOwned(ctx, tenant)
	}
	return made, err
}

func (s *Service) serviceOwned(ctx context.Context, tenant string) (Policy, error) {
	return s.c.Store.PolicyNamed(ctx, tenant, ServiceOwned, FoldName(serviceOwnedName))
}
