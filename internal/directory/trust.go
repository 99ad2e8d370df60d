package directory

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// An OutsideIssuer is one whose tokens a Verifier takes beside our own, such as a tenant of
// Entra (row KV-137).
//
// Who is trusted for a tenant can name any person or app of that tenant. It cannot give roles:
// those of outside tokens are not read.
type OutsideIssuer struct {
	// Issuer is the claim iss of its tokens, with "{tenantid}" where the id of the tenant stands:
	// "https://sts.windows.net/{tenantid}/".
	Issuer  string
	Keys    func(ctx context.Context) (jose.JSONWebKeySet, error) // see RemoteKeys
	Tenants map[string]string                                     // id of a tenant there -> id of the tenant here
}

// A source is an issuer as a Verifier sees it.
type source struct {
	keys    *publicKeys
	issuer  func(tenant string) string
	tenants map[string]string // nil for our own issuer
}

// ours returns the tenant that a token's tenant is here.
func (s *source) ours(tenant string) (string, bool) {
	if !isGUID(tenant) {
		return "", false
	}
	if s.tenants == nil {
		return tenant, true
	}
	mapped, ok := s.tenants[tenant]
	return mapped, ok
}

// newOutside returns the source for an outside issuer.
func newOutside(o OutsideIssuer) (*source, error) {
	if o.Keys == nil || o.Issuer == "" || len(o.Tenants) == 0 {
		return nil, errors.New("directory: an outside issuer needs Issuer, Keys and Tenants")
	}
	for theirs, ours := range o.Tenants {
		if !isGUID(theirs) || !isGUID(ours) {
			return nil, errors.New("directory: an outside issuer's tenants are GUIDs, in lower case")
		}
	}
	return &source{
		keys:    &publicKeys{fetch: o.Keys, fresh: keysLife},
		issuer:  func(tenant string) string { return strings.ReplaceAll(o.Issuer, "{tenantid}", tenant) },
		tenants: o.Tenants,
	}, nil
}

// caller returns who the claims stand for, to whom the tenant here is given. Outside tokens
// need not say whether they are a person's or an app's: those of people have scopes.
func (s *source) caller(c tokenClaims, tenant string) Caller {
	caller := Caller{Tenant: tenant, ID: c.Object, Kind: User, Name: c.UPN, App: c.App, Roles: c.Roles, Groups: c.Groups}
	if s.tenants != nil {
		caller.Roles = nil
		caller.Name, caller.App = cmp.Or(c.UPN, c.Username), cmp.Or(c.App, c.Party)
	}
	if c.Kind == "app" {
		caller.Kind, caller.Name = App, c.AppName
	}
	return caller
}
