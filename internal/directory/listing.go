package directory

import (
	"context"

	"github.com/customerkey/customerkey/internal/fault"
)

// MaxPage is the most that one page of a list is asked for; one more may be read, to see whether
// there is another page.
const MaxPage = 999

// listReaders are the roles that may see who all is in a tenant.
var listReaders = []Role{GlobalAdministrator, ComplianceAdministrator, ExchangeAdministrator, SharePointAdministrator, GlobalReader}

// ListPeople lists at most limit people of the caller's tenant by user principal name, beginning
// behind after. Administrators and readers of the tenant may, as for all lists here; each page is
// recorded.
func (s *Service) ListPeople(ctx context.Context, c Caller, after string, limit int) ([]Person, error) {
	if err := s.mayList(ctx, c, "person.list", "people"); err != nil {
		return nil, err
	}
	return s.store.People(ctx, c.Tenant, after, page(limit))
}

// ListGroups lists at most limit groups of the caller's tenant by name in lower case, beginning
// behind the name after.
func (s *Service) ListGroups(ctx context.Context, c Caller, after string, limit int) ([]Group, error) {
	if err := s.mayList(ctx, c, "group.list", "groups"); err != nil {
		return nil, err
	}
	return s.store.Groups(ctx, c.Tenant, after, page(limit))
}

// ListMembers lists at most limit members of a group of the caller's tenant by object id,
// beginning behind after.
func (s *Service) ListMembers(ctx context.Context, c Caller, group, after string, limit int) ([]Member, error) {
	if err := s.mayList(ctx, c, "group.members", "groups/"+clip(group)); err != nil {
		return nil, err
	}
	g, err := s.Group(ctx, c.Tenant, group)
	if err != nil {
		return nil, err
	}
	return s.store.Members(ctx, g, after, page(limit))
}

// mayList decides about a list of the caller's own tenant, and records it.
func (s *Service) mayList(ctx context.Context, c Caller, action, object string) error {
	a := act{caller: c, tenant: c.Tenant, action: action, object: object}
	if c.Kind == System || c.Has(ServiceOperator) || c.Has(listReaders...) {
		return s.record(ctx, a, "allow")
	}
	return s.deny(ctx, a, fault.New(fault.Forbidden, "listing the directory takes one of its roles, such as %s", GlobalReader).
		WithHint("look one up by its id or name, or ask an administrator of your organisation"))
}

// page bounds the length of a page.
func page(limit int) int { return min(max(limit, 1), MaxPage+1) }
