package profile

import (
	"context"
	"net/url"

	"github.com/customerkey/customerkey/internal/fault"
)

// TokenSource returns a function that gives access tokens for one audience, such as
// "https://api.localhost:8443". Tokens come from the profile while they are good, else from
// the token service, in exchange for the refresh token, which is replaced in the same step.
//
// Errors: fault.Unauthenticated if one has to sign in again, fault.Unavailable if the token
// service cannot be reached or the profile cannot be saved.
func (p *Profile) TokenSource(audience string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		a, err := p.access(ctx, audience)
		return a.Token, err
	}
}

func (p *Profile) access(ctx context.Context, audience string) (Access, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.data.AccessTokens[audience]; a.good(p.now()) {
		return a, nil
	}
	unlock, err := lock(ctx, p.path)
	if err != nil {
		return Access{}, err
	}
	defer unlock()
	// Another command may have signed in, out, or refreshed meanwhile: the file is the truth.
	if p.data, err = p.reread(); err != nil {
		return Access{}, err
	}
	if a := p.data.AccessTokens[audience]; a.good(p.now()) {
		return a, nil
	}
	return p.refresh(ctx, audience)
}

// reread returns what the file holds now, if it still is the same person's.
func (p *Profile) reread() (Data, error) {
	d, err := read(p.path)
	if err != nil {
		return p.data, err
	}
	if d.Domain != p.data.Domain || d.Tenant != p.data.Tenant || d.User != p.data.User {
		return p.data, fault.New(fault.Unauthenticated, "%s has signed in to this profile meanwhile", d).WithHint("run the command again")
	}
	return d, nil
}

// refresh spends the refresh token. The caller holds the lock.
func (p *Profile) refresh(ctx context.Context, audience string) (Access, error) {
	w, err := newDraft(p.path)
	if err != nil {
		return Access{}, err
	}
	defer w.discard()
	g, refused, err := p.spend(ctx, audience)
	if err != nil {
		return Access{}, err
	}
	if refused != nil {
		return Access{}, refreshFault(refused)
	}
	next := p.data.copy()
	if g.RefreshToken != "" {
		next.RefreshToken = g.RefreshToken
	}
	next.keep(audience, g.access(p.now()), p.now)
	if err := w.commit(next); err != nil {
		return Access{}, err
	}
	p.data = next
	return next.AccessTokens[audience], nil
}

// spend asks for new tokens. If the answer gets lost, the old refresh token still works for
// a moment, so it asks once more.
func (p *Profile) spend(ctx context.Context, audience string) (grant, *oauthError, error) {
	s := tokenService{p.client, AddressesOf(p.data.Domain).Login, p.data.Tenant}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {p.data.RefreshToken}, "scope": {scope(audience)}}
	g, refused, err := s.token(ctx, form)
	if fault.Is(err, fault.Unavailable) && ctx.Err() == nil {
		g, refused, err = s.token(ctx, form)
	}
	return g, refused, err
}

func refreshFault(e *oauthError) error {
	const again = "sign in again with: ck login"
	if e.Code == "invalid_grant" || e.Code == "interaction_required" {
		return fault.New(fault.Unauthenticated, "you are not signed in any more").WithReason(e.Code).WithHint(again)
	}
	return e.fault(again)
}
