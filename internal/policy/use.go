package policy

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/fault"
)

// UsesVaults reports whether a key in one of a tenant's vaults, given by their names in lower
// case, is a root of any policy of the tenant: of its present generation, or of an older one
// that content still lies under. It is for the wiring, which tells the vaults no more than
// that; so there is no caller and no record.
func (s *Service) UsesVaults(ctx context.Context, tenant string, vaults []string) (bool, error) {
	live, err := s.c.Store.LiveGenerations(ctx, tenant)
	if err != nil {
		return false, err
	}
	for _, g := range live {
		for _, root := range g.Roots {
			if root.Ref.Tenant != tenant {
				continue
			}
			_, vault, err := s.c.Roots.Parse(root.Ref.URI)
			if err != nil {
				return false, fault.Wrap(fault.Corrupt, err, "the root of a policy cannot be read")
			}
			if slices.Contains(vaults, vault) {
				return true, nil
			}
		}
	}
	return false, nil
}
