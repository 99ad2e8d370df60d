package directory

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Redemption is what a client shows to exchange an authorization code (RFC 6749 section 4.1.3,
// RFC 7636 section 4.5).
type Redemption struct {
	Code, Redirect string
	Verifier       string // of which the challenge is the hash
	Scope          string // empty for that of the request
}

// RedeemCode gives the tokens of a sign-in by browser, once, to the client that started it. A
// code that comes again means that somebody has a copy: what it gave the first time ends.
//
// Refusals are fault.Unauthenticated, InvalidCode, without a reason: unknown, expired, used, of
// another client, redirect address or verifier. Apps must prove themselves as in
// ClientCredentials.
func (s *Service) RedeemCode(ctx context.Context, authority string, client Client, r Redemption, from Origin) (Tokens, error) {
	authority, err := s.authority(ctx, authority)
	if err != nil {
		return Tokens{}, err
	}
	c, err := s.authCode(ctx, authority, client, r)
	if err != nil {
		return Tokens{}, err
	}
	if r.Scope == "" {
		r.Scope = c.Scope
	}
	audience, err := s.audience(r.Scope)
	if err != nil {
		return Tokens{}, err
	}
	account, err := s.store.Person(ctx, c.Tenant, c.Person)
	if err != nil {
		return Tokens{}, err
	}
	a := tokenAct("token.code", account, c.Client, audience, from)
	if c.Grant != "" {
		return Tokens{}, s.reused(ctx, a, c)
	}
	if account.Disabled || account.Epoch != c.Epoch {
		return Tokens{}, s.deny(ctx, a, errCode())
	}
	how, err := s.proveClient(ctx, c.Tenant, client, audience, from)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	grant, token, text := s.newGrant(account, c.Client, c.Scope)
	if err := s.store.RedeemAuthCode(ctx, c.Hash, grant, token); fault.Is(err, fault.Conflict) {
		return Tokens{}, s.redeemedMeanwhile(ctx, a, c)
	} else if err != nil {
		return Tokens{}, errors.Join(err, s.record(ctx, a, "fail"))
	}
	tokens, err := s.personTokens(ctx, issue{account.Person, c.Client, how, audience, r.Scope, c.Nonce})
	tokens.Refresh = text
	return tokens, err
}

// authCode finds a code and checks all that binds it, but not whether it was used.
func (s *Service) authCode(ctx context.Context, authority string, client Client, r Redemption) (AuthCode, error) {
	tenant, ok := tenantOf(r.Code)
	if !ok {
		return AuthCode{}, errCode()
	}
	c, err := s.store.AuthCode(ctx, tenant, digest(r.Code))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return AuthCode{}, err
	}
	verifier := sha256.Sum256([]byte(r.Verifier))
	challenge := base64.RawURLEncoding.EncodeToString(verifier[:])
	anyTenant := authority == Common || authority == Organizations
	switch {
	case err != nil,
		!anyTenant && authority != c.Tenant,
		c.Client != strings.ToLower(client.ID),
		c.Redirect != r.Redirect,
		len(r.Verifier) < 43 || len(r.Verifier) > 128,
		subtle.ConstantTimeCompare([]byte(challenge), []byte(c.Challenge)) == 0,
		c.Grant == "" && !s.now().Before(c.Expires):
		return AuthCode{}, errCode()
	}
	return c, nil
}

// reused ends the grant of a code that came again.
func (s *Service) reused(ctx context.Context, a act, c AuthCode) error {
	a.detail["reason"] = "CodeReused"
	if err := s.record(ctx, a, "deny"); err != nil {
		return err
	}
	return errors.Join(s.store.DeleteGrant(ctx, c.Tenant, c.Grant), errCode())
}

// redeemedMeanwhile treats a code that two have redeemed at once as one that came again.
func (s *Service) redeemedMeanwhile(ctx context.Context, a act, c AuthCode) error {
	c, err := s.store.AuthCode(ctx, c.Tenant, c.Hash)
	if err != nil {
		return errors.Join(err, s.record(ctx, a, "fail"))
	}
	return s.reused(ctx, a, c)
}

// proveClient checks the client of a person's sign-in: an app of the tenant proves itself, a
// program of people has nothing to prove itself by.
func (s *Service) proveClient(ctx context.Context, tenant string, c Client, audience string, from Origin) (proof, error) {
	if publicClients[strings.ToLower(c.ID)] != "" {
		return byNothing, nil
	}
	t, err := s.Tenant(ctx, tenant)
	if err != nil {
		return byNothing, err
	}
	p, err := s.app(ctx, t.ID, c.ID)
	if err != nil {
		return byNothing, err
	}
	if !c.proves() {
		return byNothing, fault.New(fault.Unauthenticated, "this app must prove itself").WithReason(ConfidentialClient).
			WithHint("send client_secret, or client_assertion with its type")
	}
	return s.prove(ctx, appSignIn(p, audience, from), t, p, c)
}

// PasswordTokens signs a person in with name and password and gives tokens at once (OAuth
// password grant), to the programs of people only. Errors are those of Authenticate. No page
// says who asks: faces offer it only where an operator has switched it on (row KV-132).
func (s *Service) PasswordTokens(ctx context.Context, authority, client, scope string, p Approval) (Tokens, error) {
	client = strings.ToLower(client)
	if publicClients[client] == "" {
		return Tokens{}, errClient(client)
	}
	audience, err := s.audience(scope)
	if err != nil {
		return Tokens{}, err
	}
	account, err := s.signIn(ctx, attempt{authority: authority, upn: p.UPN, password: p.Password, client: client, from: p.From})
	if err != nil {
		return Tokens{}, err
	}
	a := tokenAct("token.password", account, client, audience, p.From)
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	grant, token, text := s.newGrant(account, client, scope)
	if err := s.store.AddGrant(ctx, grant, token); err != nil {
		return Tokens{}, errors.Join(err, s.record(ctx, a, "fail"))
	}
	tokens, err := s.personTokens(ctx, issue{account.Person, client, byNothing, audience, scope, ""})
	tokens.Refresh = text
	return tokens, err
}

func errCode() error {
	return fault.New(fault.Unauthenticated, "the authorization code is not good for this client, or not any more").WithReason(InvalidCode).
		WithHint("sign in again")
}
