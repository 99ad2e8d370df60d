package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of authorization codes. A code is like a refresh token: base64url of the tenant id and
// 32 random bytes.
const (
	codeLife = 5 * time.Minute
	codeKept = 24 * time.Hour // a used code is known that much longer
	maxNonce = 1024
)

// An AuthorizationRequest asks to sign a person in by a browser, which then brings a code to
// Redirect (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
type AuthorizationRequest struct {
	Authority         string // a tenant id, a domain, "common" or "organizations"
	Client, Redirect  string
	Scope, Nonce      string
	Challenge, Method string // S256 only: base64url of the SHA-256 of what the client keeps
}

// A returning is a client as far as a browser needs to know it.
type returning struct {
	name      string
	redirects []string
}

// ReturnsTo checks that the client may have a browser sent to the redirect address, and returns
// the client's name for people. Before it has, the address must not be followed: anybody could
// have written it. Errors are UnknownClient, TenantNotFound and InvalidRedirect.
func (s *Service) ReturnsTo(ctx context.Context, r AuthorizationRequest) (client string, err error) {
	c, err := s.returning(ctx, r.Authority, strings.ToLower(r.Client))
	if err != nil {
		return "", err
	}
	if !mayReturn(c.redirects, r.Redirect) {
		return "", fault.New(fault.Invalid, "the redirect address is not one that this app has registered").WithReason(InvalidRedirect).
			WithHint("an administrator can register it; programs of people may use http://localhost with any port")
	}
	return c.name, nil
}

// returning finds a program of people, or an app that the tenant itself has registered. The
// latter signs in at its own tenant only.
func (s *Service) returning(ctx context.Context, authority, client string) (returning, error) {
	authority, err := s.authority(ctx, authority)
	if err != nil {
		return returning{}, err
	}
	if name := publicClients[client]; name != "" {
		return returning{name, loopbackRedirects}, nil
	}
	if authority == Common || authority == Organizations {
		return returning{}, errClient(client).WithHint("an app of a tenant signs people in at that tenant's own address")
	}
	p, err := s.app(ctx, authority, client)
	if err != nil {
		return returning{}, err
	}
	if p.HomeTenant != authority {
		return returning{}, errClient(client)
	}
	app, err := s.store.App(ctx, authority, p.AppID)
	return returning{p.DisplayName, app.Redirects}, err
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// CheckAuthorization checks the rest of a request: what it finds may be told to the redirect
// address. Errors are InvalidRequest, InvalidScope and InvalidResource.
func (s *Service) CheckAuthorization(r AuthorizationRequest) error {
	switch {
	case r.Method != "S256" || !challengeForm.MatchString(r.Challenge):
		return fault.New(fault.Invalid, "a code_challenge by the method S256 is needed").WithReason(InvalidRequest).
			WithHint("send code_challenge and code_challenge_method=S256 (RFC 7636)")
	case len(r.Nonce) > maxNonce || strings.ContainsFunc(r.Nonce, isControl):
		return fault.New(fault.Invalid, "the nonce cannot be one").WithReason(InvalidRequest)
	}
	_, err := s.audience(r.Scope)
	return err
}

// Authorize signs a person in and returns the code that their client exchanges by RedeemCode.
// The errors are those of ReturnsTo, CheckAuthorization and Authenticate.
func (s *Service) Authorize(ctx context.Context, r AuthorizationRequest, p Approval) (code string, err error) {
	if _, err := s.ReturnsTo(ctx, r); err != nil {
		return "", err
	}
	if err := s.CheckAuthorization(r); err != nil {
		return "", err
	}
	client := strings.ToLower(r.Client)
	account, err := s.signIn(ctx, attempt{
		authority: r.Authority, upn: p.UPN, password: p.Password, newPassword: p.NewPassword, client: client, from: p.From,
	})
	if err != nil {
		return "", err
	}
	text, now := tenantText(account.Tenant), s.now()
	c := AuthCode{
		Tenant: account.Tenant, Hash: digest(text), Client: client, Redirect: r.Redirect, Challenge: r.Challenge,
		Scope: r.Scope, Nonce: r.Nonce, Person: account.ID, Epoch: account.Epoch, Created: now, Expires: now.Add(codeLife),
	}
	if err := s.store.AddAuthCode(ctx, c, now.Add(-codeKept)); err != nil {
		return "", err
	}
	return text, nil
}

// tenantText returns a secret that says where to look for it: base64url of the tenant id and 32
// random bytes. The tenant in it proves nothing.
func tenantText(tenant string) string {
	id := uuid.MustParse(tenant) // a tenant's id out of a row
	raw := append(id[:], make([]byte, refreshRandom)...)
	rand.Read(raw[len(id):])
	return base64.RawURLEncoding.EncodeToString(raw)
}

// tenantOf returns the tenant inside a tenantText, false if it is none.
func tenantOf(text string) (string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != 16+refreshRandom {
		return "", false
	}
	return uuid.UUID(slices.Clone(raw[:16])).String(), true
}
