package directory

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// An Origin says where a sign-in comes from, for the record.
type Origin struct {
	Address string // client address; wrong user codes are counted by it
	Request string // request id
}

// ClientCredentials signs an app in to a tenant with its secret (OAuth client_credentials).
// authority is a tenant id or domain; scope names the resource. An app that has no
// principal in that tenant is unknown there, whether or not it exists elsewhere.
func (s *Service) ClientCredentials(ctx context.Context, authority, client, secret, scope string, from Origin) (Tokens, error) {
	t, err := s.Tenant(ctx, authority)
	if err != nil {
		return Tokens{}, err
	}
	audience, err := s.audience(scope)
	if err != nil {
		return Tokens{}, err
	}
	p, err := s.app(ctx, t.ID, client)
	if err != nil {
		return Tokens{}, err
	}
	a := appSignIn(p, audience, from)
	if err := s.checkSecret(ctx, p, secret); err != nil {
		return Tokens{}, s.deny(ctx, a, err)
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	return s.appTokens(ctx, p, audience, scope)
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
	tokens, err := s.appTokens(ctx, p, audience, scope)
	return tokens.Access, tokens.Expires, err
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

func (s *Service) checkSecret(ctx context.Context, p ServicePrincipal, secret string) error {
	wrong := fault.New(fault.Unauthenticated, "the client secret is not right").WithReason(InvalidSecret).
		WithHint("give the value of the secret, not its id, and check that it has not expired")
	if p.HomeTenant == "" {
		return wrong // the service's own apps have none
	}
	secrets, err := s.store.Secrets(ctx, p.HomeTenant, p.AppID)
	if err != nil {
		return err
	}
	given, now := digest(secret), s.now()
	for _, known := range secrets {
		if subtle.ConstantTimeCompare(given, known.Hash) == 1 && now.Before(known.Expires) {
			return nil
		}
	}
	return wrong
}

func appSignIn(p ServicePrincipal, audience string, from Origin) act {
	return act{
		caller: Caller{Tenant: p.Tenant, ID: p.ID, Kind: App, Name: p.DisplayName, App: p.AppID, Roles: p.Roles, Address: from.Address, Request: from.Request},
		tenant: p.Tenant, action: "signin.app", object: "apps/" + p.AppID,
		detail: map[string]string{"audience": audience},
	}
}

func errClient(client string) error {
	return fault.New(fault.Unauthenticated, "no app %.64q in this tenant", client).WithReason(UnknownClient).
		WithHint("check the client id, and that it belongs to this tenant")
}
