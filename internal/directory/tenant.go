package directory

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Tenant is one customer, or the operator's own organisation.
type Tenant struct {
	ID      string // GUID
	Name    string // "Contoso"
	Domain  string // lower case, "contoso.example"; the right side of its people's names
	Created time.Time
}

// domainForm: two labels or more, so that no domain is "common", "organizations" or "adfs".
var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CreateTenant makes a tenant with the service principals of the service's own apps in it
// (row KV-139). Only a Service Operator may; fault.Conflict if the domain is taken.
func (s *Service) CreateTenant(ctx context.Context, c Caller, name, domain string) (Tenant, error) {
	domain = strings.ToLower(domain)
	if err := checkName("the tenant", name); err != nil {
		return Tenant{}, err
	}
	if len(domain) > 253 || !domainForm.MatchString(domain) {
		return Tenant{}, fault.New(fault.Invalid, "%.64q is not a domain", domain).
			WithHint("give one with two parts or more, such as contoso.example")
	}
	t := Tenant{ID: uuid.NewString(), Name: name, Domain: domain, Created: s.now()}
	var principals []ServicePrincipal
	for _, app := range serviceApps {
		principals = append(principals, ServicePrincipal{
			Tenant: t.ID, ID: uuid.NewString(), AppID: app.id, DisplayName: app.name, Created: t.Created,
		})
	}
	if c.Kind != System && !c.Has(ServiceOperator) {
		return Tenant{}, s.deny(ctx, act{caller: c, tenant: c.Tenant, action: "tenant.create", object: "tenants/" + domain},
			fault.New(fault.Forbidden, "creating a tenant takes the role %s", ServiceOperator))
	}
	a := act{caller: c, tenant: t.ID, action: "tenant.create", object: "tenants/" + domain, first: true}
	err := s.perform(ctx, a, func() error { return s.store.AddTenant(ctx, t, principals) })
	if err != nil {
		return Tenant{}, err
	}
	return t, nil
}

// Tenant returns the tenant with this id or domain, in any case of letters. It serves the
// service's own look-ups: a face must not tell one tenant about another.
func (s *Service) Tenant(ctx context.Context, idOrDomain string) (Tenant, error) {
	var t Tenant
	var err error
	name := strings.ToLower(idOrDomain)
	switch {
	case isGUID(name):
		t, err = s.store.Tenant(ctx, name)
	case len(name) <= 253 && domainForm.MatchString(name):
		t, err = s.store.TenantByDomain(ctx, name)
	default:
		return Tenant{}, errNoTenant()
	}
	if fault.Is(err, fault.NotFound) {
		return Tenant{}, errNoTenant()
	}
	return t, err
}

// Tenants lists at most limit tenants by id, beginning behind after. For the service's own use.
func (s *Service) Tenants(ctx context.Context, after string, limit int) ([]Tenant, error) {
	return s.store.Tenants(ctx, after, min(max(limit, 1), 1000))
}

// ListTenants is Tenants for an operator of the service, who alone may know of all. A refusal is
// in the log of who asked.
func (s *Service) ListTenants(ctx context.Context, c Caller, after string, limit int) ([]Tenant, error) {
	a := act{caller: c, tenant: c.Tenant, action: "tenant.list", object: "tenants"}
	if c.Kind != System && !c.Has(ServiceOperator) {
		return nil, s.deny(ctx, a, fault.New(fault.Forbidden, "listing tenants takes the role %s", ServiceOperator))
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return nil, err
	}
	return s.Tenants(ctx, after, limit)
}

// isGUID reports whether id is a GUID in its canonical, lower-case form.
func isGUID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

// checkName refuses display names that are empty, too long or hold control characters.
func checkName(of, name string) error {
	bad := strings.TrimSpace(name) == "" || len(name) > 256 || strings.ContainsFunc(name, isControl)
	if bad {
		return fault.New(fault.Invalid, "the name of %s must have 1 to 256 bytes and no control characters", of)
	}
	return nil
}

// isControl also tells the controls of Latin 1, which some terminals obey: what anybody types as
// a name comes to stand in the log, and the log on an administrator's terminal.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\uFFFD' }
