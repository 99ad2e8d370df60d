package policy

import "github.com/customerkey/customerkey/internal/availability"

// availabilityScope names the availability key that a policy takes (CK-24, CK-25).
func (s *Service) availabilityScope(p Policy) availability.Scope {
	kind := availability.PerPolicy
	if p.Family == SharePoint {
		kind = s.c.SharePointAvailability
	}
	return availability.Scope{Kind: kind, Tenant: p.Tenant, Policy: p.ID}
}
