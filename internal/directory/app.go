package directory

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Registration is an app as its home tenant, which answers for it, keeps it.
type Registration struct {
	ID          string // app id, a GUID; what a client calls client_id
	HomeTenant  string
	DisplayName string
	Redirects   []string // where a browser may come back to after a sign-in
	Created     time.Time
}

// A ServicePrincipal is an app as one tenant knows it: its object id there, and what it may
// do there.
type ServicePrincipal struct {
	Tenant, ID  string // ID is the object id that access policies name
	AppID       string
	HomeTenant  string // of the registration; empty for the service's own apps
	DisplayName string
	Roles       []Role // app permissions
	Disabled    bool   // gets no token
	Created     time.Time
}

// ExchangeManageAsApp lets an app run administrative cmdlets, together with a directory
// role (row CK-331).
const ExchangeManageAsApp Role = "Exchange.ManageAsApp"

// appRoles are the roles that an app can hold: permissions, and directory roles beside them.
var appRoles = []Role{
	ItemsReadWriteAll, ExchangeManageAsApp,
	GlobalAdministrator, ComplianceAdministrator, ExchangeAdministrator, SharePointAdministrator, GlobalReader, MailboxImportExport,
}

// secretLife is how long an app's secret is good.
const secretLife = 2 * 365 * 24 * time.Hour

// CreateApp registers an app in tenant, with a service principal there and one secret, which
// is shown only now. A Global Administrator of the tenant or a Service Operator may.
func (s *Service) CreateApp(ctx context.Context, c Caller, tenant, displayName string, roles []Role) (ServicePrincipal, string, error) {
	t, err := s.Tenant(ctx, tenant)
	if err != nil {
		return ServicePrincipal{}, "", err
	}
	app := Registration{ID: uuid.NewString(), HomeTenant: t.ID, DisplayName: displayName, Created: s.now()}
	a := act{caller: c, tenant: t.ID, action: "app.create", object: "apps/" + app.ID, detail: roleDetail(roles)}
	if err := s.allowed(ctx, a); err != nil {
		return ServicePrincipal{}, "", err // before anything about the tenant shows in an answer
	}
	if err := checkName("the app", displayName); err != nil {
		return ServicePrincipal{}, "", err
	}
	for _, r := range roles {
		if !slices.Contains(appRoles, r) {
			return ServicePrincipal{}, "", fault.New(fault.Invalid, "%.64q is not a role that apps can hold", string(r))
		}
	}
	p := ServicePrincipal{
		Tenant: t.ID, ID: uuid.NewString(), AppID: app.ID, HomeTenant: t.ID,
		DisplayName: displayName, Roles: slices.Clone(roles), Created: app.Created,
	}
	text := randomText(32)
	secret := Secret{
		Tenant: t.ID, App: app.ID, ID: uuid.NewString(), Hash: digest(text), Created: app.Created, Expires: app.Created.Add(secretLife),
	}
	if err := s.perform(ctx, a, func() error { return s.store.AddApp(ctx, app, secret, p) }); err != nil {
		return ServicePrincipal{}, "", err
	}
	return p, text, nil
}

// ServicePrincipal returns the principal of tenant with this object id or app id.
func (s *Service) ServicePrincipal(ctx context.Context, tenant, idOrAppID string) (ServicePrincipal, error) {
	id := strings.ToLower(idOrAppID)
	if !isGUID(id) {
		return ServicePrincipal{}, fault.New(fault.NotFound, "no such app")
	}
	p, err := s.store.PrincipalByApp(ctx, tenant, id)
	if fault.Is(err, fault.NotFound) {
		return s.store.Principal(ctx, tenant, id)
	}
	return p, err
}

// HomeOf returns the tenant in which an app is registered, for old clients that name none. Of an
// app that is not there the answer is that of an app that a tenant does not have.
func (s *Service) HomeOf(ctx context.Context, appID string) (tenant string, err error) {
	id := strings.ToLower(appID)
	if !isGUID(id) {
		return "", errClient(appID)
	}
	tenant, err = s.store.AppHome(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return "", errClient(appID)
	}
	return tenant, err
}

// digest is how random secrets are stored: they have 256 bits, so no slow hash is needed.
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
