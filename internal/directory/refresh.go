package directory

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// A refresh token is base64url of 16 bytes, the tenant id, and 32 random bytes. The tenant
// in it says where to look; it proves nothing.
const (
	refreshLife   = 90 * 24 * time.Hour
	refreshGrace  = 10 * time.Second // a used token still works so long, for a client whose answer was lost
	refreshRandom = 32
)

// Refresh exchanges a refresh token for new tokens, also for another resource than before:
// scope names it, or is empty for the one of the sign-in. An app proves itself as in
// ClientCredentials. The old token is used up; using it
// again later than ten seconds after means that somebody has a copy, and ends the sign-in.
//
// Every refusal is fault.Unauthenticated, InvalidRefreshToken, and does not say why: unknown,
// expired, another client's, of a disabled person, or from before a new password.
func (s *Service) Refresh(ctx context.Context, authority string, client Client, refresh, scope string, from Origin) (Tokens, error) {
	authority, err := s.authority(ctx, authority)
	if err != nil {
		return Tokens{}, err
	}
	g, t, err := s.grant(ctx, refresh)
	if err != nil {
		return Tokens{}, err
	}
	if authority != Common && authority != Organizations && authority != g.Tenant {
		return Tokens{}, errRefresh() // clients try one tenant's token at another: no harm done
	}
	if scope == "" {
		scope = g.Scope
	}
	audience, err := s.audience(scope)
	if err != nil {
		return Tokens{}, err
	}
	account, err := s.store.Person(ctx, g.Tenant, g.Person)
	if err != nil {
		return Tokens{}, err
	}
	a := tokenAct("token.refresh", account, g.Client, audience, from)
	if reason := s.refusal(client.ID, account, g, t); reason != "" {
		a.detail["reason"] = reason
		if err := s.record(ctx, a, "deny"); err != nil {
			return Tokens{}, err
		}
		return Tokens{}, errors.Join(s.store.DeleteGrant(ctx, g.Tenant, g.ID), errRefresh())
	}
	how, err := s.proveClient(ctx, g.Tenant, client, audience, from)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return Tokens{}, err
	}
	return s.rotate(ctx, a, g, t, issue{account.Person, g.Client, how, audience, scope, ""})
}

// refusal says, for the record, why a token of a grant gives nothing, "" if it does. What
// it refuses ends the grant.
func (s *Service) refusal(client string, account Account, g Grant, t RefreshToken) string {
	now := s.now()
	switch {
	case g.Client != strings.ToLower(client):
		return "OtherClient"
	case account.Disabled:
		return AccountDisabled
	case account.Epoch != g.Epoch:
		return "PasswordChanged"
	case !now.Before(t.Expires):
		return TokenExpired
	case !t.Used.IsZero() && now.Sub(t.Used).Abs() > refreshGrace:
		return "TokenReused"
	}
	return ""
}

func (s *Service) rotate(ctx context.Context, a act, g Grant, old RefreshToken, i issue) (Tokens, error) {
	next, text := s.newRefreshToken(g.Tenant)
	if err := s.store.Rotate(ctx, g, old.Hash, s.now(), next); fault.Is(err, fault.Conflict) {
		return Tokens{}, errors.Join(errRefresh(), s.record(ctx, a, "fail")) // the grant ended meanwhile
	} else if err != nil {
		return Tokens{}, errors.Join(err, s.record(ctx, a, "fail"))
	}
	tokens, err := s.personTokens(ctx, i)
	tokens.Refresh = text
	return tokens, err
}

// newGrant makes the grant of a fresh sign-in with its first refresh token.
func (s *Service) newGrant(a Account, client, scope string) (Grant, RefreshToken, string) {
	token, text := s.newRefreshToken(a.Tenant)
	return Grant{
		Tenant: a.Tenant, ID: uuid.NewString(), Person: a.ID, Client: client, Scope: scope, Epoch: a.Epoch,
		Created: s.now(), Expires: token.Expires,
	}, token, text
}

func (s *Service) newRefreshToken(tenant string) (RefreshToken, string) {
	text := tenantText(tenant)
	return RefreshToken{Hash: digest(text), Expires: s.now().Add(refreshLife)}, text
}

// grant finds the grant that a refresh token belongs to.
func (s *Service) grant(ctx context.Context, refresh string) (Grant, RefreshToken, error) {
	tenant, ok := tenantOf(refresh)
	if !ok {
		return Grant{}, RefreshToken{}, errRefresh()
	}
	g, t, err := s.store.RefreshToken(ctx, tenant, digest(refresh))
	if fault.Is(err, fault.NotFound) {
		err = errRefresh()
	}
	return g, t, err
}

// tokenAct is the act of giving tokens to a person's client.
func tokenAct(action string, a Account, client, audience string, from Origin) act {
	return act{
		caller: Caller{Tenant: a.Tenant, ID: a.ID, Kind: User, Name: a.UPN, App: client, Roles: a.Roles, Address: from.Address, Request: from.Request},
		tenant: a.Tenant, action: action, object: "people/" + a.UPN,
		detail: map[string]string{"audience": audience},
	}
}

func errRefresh() error {
	return fault.New(fault.Unauthenticated, "the sign-in has ended").WithReason(InvalidRefreshToken).WithHint("sign in again")
}
