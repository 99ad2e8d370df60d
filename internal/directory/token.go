package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// tokenLife is how long access and id tokens are good (row KV-134: 60 to 90 minutes).
const tokenLife = time.Hour

// Tokens are what a sign-in gives.
type Tokens struct {
	Access   string    // RS256 JWT, claims of row KV-134
	Expires  time.Time //
	Audience string    // of Access
	Scope    string    // as asked for
	Refresh  string    // for people only: good for 90 days, once
	ID       string    // for people only: an OpenID id token for the client
	Person   Person    // for people only
}

// accessClaims are the claims of row KV-134, in the shape of Entra's version 1 tokens.
type accessClaims struct {
	Audience   string `json:"aud"`
	Issuer     string `json:"iss"`
	IssuedAt   int64  `json:"iat"`
	NotBefore  int64  `json:"nbf"`
	Expires    int64  `json:"exp"`
	Tenant     string `json:"tid"`
	Object     string `json:"oid"`
	Subject    string `json:"sub"`
	App        string `json:"appid"`
	ClientAuth proof  `json:"appidacr"` // "0" public client, "1" secret, "2" certificate
	Version    string `json:"ver"`
	Kind       string `json:"idtyp"`
	ID         string `json:"uti"`
	UPN        string `json:"upn,omitempty"`
	UniqueName string `json:"unique_name,omitempty"`
	Name       string `json:"name,omitempty"`
	AppName    string `json:"app_displayname,omitempty"`
	Scope      string `json:"scp,omitempty"`
	Roles      []Role `json:"roles,omitempty"`

	Groups []string `json:"groups,omitempty"` // object ids; all of them, for there are at most MaxGroupsOf
}

// idClaims are the claims of an OpenID id token, version 2.0.
type idClaims struct {
	Audience  string `json:"aud"` // the client
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	Tenant    string `json:"tid"`
	Object    string `json:"oid"`
	Subject   string `json:"sub"`
	Username  string `json:"preferred_username"`
	Name      string `json:"name"`
	Version   string `json:"ver"`
	ID        string `json:"uti"`
	Nonce     string `json:"nonce,omitempty"`
}

// Issuer returns the issuer of access tokens of tenant: "https://sts.{domain}/{tid}/".
func (s *Service) Issuer(tenant string) string { return s.issuer + tenant + "/" }

// LoginIssuer returns the issuer of id tokens of tenant, which is also the one that its
// openid-configuration names: "https://login.{domain}/{tid}/v2.0".
func (s *Service) LoginIssuer(tenant string) string { return s.login + "/" + tenant + "/v2.0" }

// An issue is what tokens of a person are made from.
type issue struct {
	person          Person
	client          string // app id
	how             proof  // by which the client has proved itself
	audience, scope string
	nonce           string // of the request to authorize, "" where there was none
}

// personTokens signs access and id token for a person. The caller has recorded the sign-in.
func (s *Service) personTokens(ctx context.Context, i issue) (Tokens, error) {
	p, client := i.person, i.client
	access, err := s.newClaims(ctx, p.Tenant, p.ID, client, i.audience)
	if err != nil {
		return Tokens{}, err
	}
	access.ClientAuth, access.Kind, access.Roles = i.how, "user", p.Roles
	access.UPN, access.UniqueName, access.Name, access.Scope = p.UPN, p.UPN, p.DisplayName, "user_impersonation"
	id := idClaims{
		Audience: client, Issuer: s.LoginIssuer(p.Tenant), IssuedAt: access.IssuedAt, NotBefore: access.NotBefore,
		Expires: access.Expires, Tenant: p.Tenant, Object: p.ID, Subject: p.ID, Username: p.UPN, Name: p.DisplayName,
		Version: "2.0", ID: randomText(16), Nonce: i.nonce,
	}
	t := Tokens{Expires: time.Unix(access.Expires, 0).UTC(), Audience: i.audience, Scope: i.scope, Person: p}
	_, signer, err := s.issuerKeys(ctx)
	if err != nil {
		return Tokens{}, err
	}
	if t.Access, err = sign(signer, access); err != nil {
		return Tokens{}, err
	}
	if t.ID, err = sign(signer, id); err != nil {
		return Tokens{}, err
	}
	return t, nil
}

// appTokens signs an access token for p. The caller has recorded the sign-in.
func (s *Service) appTokens(ctx context.Context, p ServicePrincipal, how proof, audience, scope string) (Tokens, error) {
	access, err := s.newClaims(ctx, p.Tenant, p.ID, p.AppID, audience)
	if err != nil {
		return Tokens{}, err
	}
	access.ClientAuth, access.Kind, access.Roles, access.AppName = how, "app", p.Roles, p.DisplayName
	_, signer, err := s.issuerKeys(ctx)
	if err != nil {
		return Tokens{}, err
	}
	token, err := sign(signer, access)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{Access: token, Expires: time.Unix(access.Expires, 0).UTC(), Audience: audience, Scope: scope}, nil
}

// newClaims returns what all access tokens say, with the groups as they are now.
func (s *Service) newClaims(ctx context.Context, tenant, object, app, audience string) (accessClaims, error) {
	groups, err := s.store.GroupsOf(ctx, tenant, object)
	now := s.now()
	return accessClaims{
		Audience: audience, Issuer: s.Issuer(tenant), IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(tokenLife).Unix(),
		Tenant: tenant, Object: object, Subject: object, App: app, Version: "1.0", ID: randomText(16),
		Groups: groups,
	}, err
}

func sign(signer jose.Signer, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding a token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}
