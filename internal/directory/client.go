package directory

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Client is a program at the token endpoint: which one it says it is, and how it proves that.
type Client struct {
	ID        string // app id
	Secret    string // one of the app's secrets
	Assertion string // or a JWT that one of the app's certificates signed (RFC 7523 section 2.2)
}

// proves reports whether the client shows anything.
func (c Client) proves() bool { return c.Secret != "" || c.Assertion != "" }

// A proof is how an app has proved itself: the claim appidacr.
type proof string

const (
	byNothing     proof = "0"
	bySecret      proof = "1"
	byCertificate proof = "2"
)

// prove checks what the client shows for being p, an app of tenant t, and records a refusal.
//
// A right secret or assertion always passes: with 256 random bits or a signature there is
// nothing to guess. Wrong ones are counted by app, and twenty in a row close it for a while, to
// further wrong ones only; those are refused unrecorded, so that nobody can fill the log.
func (s *Service) prove(ctx context.Context, a act, t Tenant, p ServicePrincipal, c Client) (proof, error) {
	how, err := bySecret, error(nil)
	if c.Assertion != "" {
		how, err = byCertificate, s.checkAssertion(ctx, t, p, c.Assertion)
	} else {
		err = s.checkSecret(ctx, p, c.Secret)
	}
	app, now := p.Tenant+" "+p.AppID, s.now()
	switch {
	case err == nil:
		s.apps.succeeded(app)
		return how, nil
	case !fault.Is(err, fault.Unauthenticated):
		return how, err // it could not be looked at
	}
	if err := closed(s.apps.wait(app, now), "too many wrong secrets or assertions for this app"); err != nil {
		return how, err
	}
	s.apps.failed(app, now)
	a.detail["reason"] = fault.As(err).Reason
	return how, s.deny(ctx, a, err)
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

// within reports whether now lies in a span of time, with the leeway that clocks need.
func within(now, from, until time.Time) bool {
	const slack = leeway * time.Second
	return !now.Add(slack).Before(from) && now.Add(-slack).Before(until)
}
