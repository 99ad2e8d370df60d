package directory

import (
	"context"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// EnsureServiceApps gives a tenant the service principals of the service's own apps that it does
// not have: one that was made by an older program knows fewer. Only the service itself may.
func (s *Service) EnsureServiceApps(ctx context.Context, c Caller, tenant string) error {
	for _, app := range serviceApps {
		_, err := s.store.PrincipalByApp(ctx, tenant, app.id)
		if !fault.Is(err, fault.NotFound) {
			if err != nil {
				return err
			}
			continue
		}
		a := act{caller: c, tenant: tenant, action: "app.create", object: "apps/" + app.id}
		if c.Kind != System {
			return s.deny(ctx, a, fault.New(fault.Forbidden, "only the service itself adds its own apps"))
		}
		err = s.perform(ctx, a, func() error {
			return s.store.AddPrincipal(ctx, ServicePrincipal{
				Tenant: tenant, ID: uuid.NewString(), AppID: app.id, DisplayName: app.name, Created: s.now(),
			})
		})
		if err != nil && !fault.Is(err, fault.Conflict) { // another node was faster
			return err
		}
	}
	return nil
}
