package directory

import (
	"context"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// An Origin says where a sign-in comes from, for the record.
type Origin struct {
	Address string // client address; wrong user codes are counted by it
	Request string // request id
}

// ClientCredentials signs an app in to a tenant with a secret or an assertion (OAuth
// client_credentials). authority is a tenant id or domain; scope names the resource. An app
// that has no principal in that tenant is unknown there, whether or not it exists elsewhere.
func (s *Service) ClientCredentials(ctx context.Context, authority string, client Client, scope string, from Origin) (Tokens, error) {
	t, err := s.Tenant(ctx, authority)
	if err != nil {
		return Tokens{}, err
	}
	audience, err := s.audience(scope)
	if err != nil {
		return Tokens{}, err
	}
	p, err := s.app(ctx, t.ID, client.ID)
	if err != nil {
		return Tokens{}, err
	}
	a := appSignIn(p, audience, from)
	how, err := s.prove(ctx, a, t, p, client)
	if err != nil {
		return Tokens{}, err
	}
	if how == byCertificate {
		a.detail["how"] = "certificate"
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	return s.appTokens(ctx, p, how, audience, scope)
}

// ServiceToken signs one of the service's own apps in to a tenant, for credentials inside
// the process. It refuses apps that have a registration, hence a secret, of their own, and
// tenants that do not have the app.
func (s *Service) ServiceToken(ctx context.Context, tenant, appID, audience string) (token string, expires time.Time, err error) {
	scope := audience + "/.default"
	if audience, err = s.audience(scope); err != nil {
		return "", time.Time{}, err
	}
	p, err := s.app(ctx, tenant, appID)
	if err != nil {
		return "", time.Time{}, err
	}
	a := appSignIn(p, audience, Origin{})
	a.detail["how"] = "service"
	if p.HomeTenant != "" {
		return "", time.Time{}, s.deny(ctx, a, fault.New(fault.Forbidden, "that is not one of the service's own apps"))
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return "", time.Time{}, err
	}
	tokens, err := s.appTokens(ctx, p, byCertificate, audience, scope)
	return tokens.Access, tokens.Expires, err
}

// ManagedToken signs an app in to a tenant without a secret, for programs of this machine that
// stand for it (row KV-140; package identity decides who may ask). The service's own apps, which
// reach into customers' vaults, are refused. tenant is an id or a domain.
func (s *Service) ManagedToken(ctx context.Context, tenant, appID, resource string, from Origin) (Tokens, error) {
	t, err := s.Tenant(ctx, tenant)
	if err != nil {
		return Tokens{}, err
	}
	scope := resource + "/.default"
	audience, err := s.audience(scope)
	if err != nil {
		return Tokens{}, err
	}
	p, err := s.app(ctx, t.ID, appID)
	if err != nil {
		return Tokens{}, err
	}
	a := appSignIn(p, audience, from)
	a.detail["how"] = "managed identity"
	if p.HomeTenant == "" {
		return Tokens{}, s.deny(ctx, a, fault.New(fault.Forbidden, "the service's own apps are nobody's identity"))
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	return s.appTokens(ctx, p, byCertificate, audience, scope)
}

// app returns the enabled principal of an app id.
func (s *Service) app(ctx context.Context, tenant, client string) (ServicePrincipal, error) {
	id := strings.ToLower(client)
	if !isGUID(id) {
		return ServicePrincipal{}, errClient(client)
	}
	p, err := s.store.PrincipalByApp(ctx, tenant, id)
	if fault.Is(err, fault.NotFound) || (err == nil && p.Disabled) {
		return ServicePrincipal{}, errClient(client)
	}
	return p, err
}

func appSignIn(p ServicePrincipal, audience string, from Origin) act {
	return act{
		caller: Caller{Tenant: p.Tenant, ID: p.ID, Kind: App, Name: p.DisplayName, App: p.AppID, Roles: p.Roles, Address: from.Address, Request: from.Request},
		tenant: p.Tenant, action: "signin.app", object: "apps/" + p.AppID,
		detail: map[string]string{"audience": audience},
	}
}

func errClient(client string) *fault.Error {
	return fault.New(fault.Unauthenticated, "no app %.64q in this tenant", client).WithReason(UnknownClient).
		WithHint("check the client id, and that it belongs to this tenant")
}
