package directory

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of a Verifier.
const (
	leeway      = 60               // seconds by which clocks may differ (row KV-136)
	maxBearer   = 32 << 10         // bytes of a token
	usualBearer = 2 << 10          // bytes that most tokens stay below
	keysLife    = time.Hour        // how long published keys are trusted without asking again
	keysPause   = 10 * time.Second // between two questions to the issuer
	keysEnd     = 24 * time.Hour   // how long they serve when the issuer does not answer

	keysPatience = 10 * time.Second // for the answer to one question
)

// VerifierConfig is what a Verifier needs.
type VerifierConfig struct {
	// Keys returns the issuer's public keys; required. It is called seldom: at first, every
	// hour, and at most every ten seconds for tokens that name an unknown key.
	Keys      func(ctx context.Context) (jose.JSONWebKeySet, error)
	Issuer    func(tenant string) string // required: the issuer that a token of tenant must carry
	Audiences []string                   // required: whom tokens may be meant for, with or without a final slash
	Fresh     time.Duration              // how long Keys' answer is trusted without asking again; an hour if zero
	Outside   []OutsideIssuer            // further issuers
	Now       func() time.Time           // time.Now if nil
}

// A Verifier turns bearer tokens into callers. It is safe for concurrent use.
//
// A token is good until it expires: disabling a person or taking a role away ends their
// sign-ins at once, yet a token that was given before lives out its hour. Verified tokens
// are remembered (bounded, by SHA-256) until then, so only the first use of one pays for
// the signature. What a key has signed is refused once its issuer does not publish it any more.
type Verifier struct {
	own       *source
	outside   map[string]*source // by iss
	audiences []string
	clock     func() time.Time
	recent    *recent
}

// NewVerifier returns a Verifier. It asks for no keys yet.
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	if c.Keys == nil || c.Issuer == nil || len(c.Audiences) == 0 {
		return nil, errors.New("directory: a verifier needs Keys, Issuer and Audiences")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	own := &source{keys: &publicKeys{fetch: c.Keys, fresh: cmp.Or(c.Fresh, keysLife)}, issuer: c.Issuer}
	v := &Verifier{own: own, outside: map[string]*source{}, clock: c.Now, recent: newRecent()}
	for _, a := range c.Audiences {
		v.audiences = append(v.audiences, strings.TrimSuffix(a, "/"))
	}
	for _, o := range c.Outside {
		from, err := newOutside(o)
		if err != nil {
			return nil, err
		}
		for tenant := range o.Tenants {
			v.outside[from.issuer(tenant)] = from
		}
	}
	return v, nil
}

// tokenClaims are the claims that a Verifier reads. Nothing of them is believed before the
// signature has been checked.
type tokenClaims struct {
	Audience  jwt.Audience     `json:"aud"`
	Issuer    string           `json:"iss"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	Expires   *jwt.NumericDate `json:"exp"`
	Tenant    string           `json:"tid"`
	Object    string           `json:"oid"`
	App       string           `json:"appid"`
	Party     string           `json:"azp"` // the app, in Entra's version 2 tokens
	Username  string           `json:"preferred_username"`
	Scope     string           `json:"scp"`
	Kind      string           `json:"idtyp"`
	UPN       string           `json:"upn"`
	AppName   string           `json:"app_displayname"`
	Roles     []Role           `json:"roles"`
	Groups    []string         `json:"groups"`
}

// Verify returns the caller that bearer, a token without the word "Bearer", stands for.
// Address and Request are left for the face to fill in.
//
// The checks run in the order of row KV-136: signature (RS256 only, by a key that the issuer
// publishes under the token's kid), issuer of the tenant, audience, time. The first that
// fails is the error: fault.Unauthenticated with the reason MissingToken, BadSignature,
// InvalidIssuer, InvalidAudience or TokenExpired. fault.Unavailable means that the issuer's
// keys could not be had.
func (v *Verifier) Verify(ctx context.Context, bearer string) (Caller, error) {
	if bearer == "" {
		return Caller{}, refuse(MissingToken, nil, "the request carries no bearer token")
	}
	if len(bearer) > maxBearer {
		return Caller{}, refuse(BadSignature, nil, "the token is longer than %d bytes", maxBearer)
	}
	now := v.clock()
	id := sha256.Sum256(append(make([]byte, 0, usualBearer), bearer...)) // copied on the stack: no garbage
	known, ok := v.recent.get(id)
	if ok {
		if _, err := known.from.keys.find(ctx, known.kid, now); err != nil {
			return Caller{}, err // its key was taken back
		}
	} else {
		var err error
		if known, err = v.check(ctx, bearer, now); err != nil {
			return Caller{}, err
		}
	}
	if err := checkTime(known.since, known.until, now); err != nil {
		return Caller{}, err
	}
	if !ok {
		v.recent.put(id, known)
	}
	return known.copy(), nil
}

// check verifies everything but the time.
func (v *Verifier) check(ctx context.Context, bearer string, now time.Time) (remembered, error) {
	from, kid, payload, err := v.signed(ctx, bearer, now)
	if err != nil {
		return remembered{}, err
	}
	var c tokenClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return remembered{}, refuse(BadSignature, err, "the token's claims cannot be read")
	}
	tenant, ok := from.ours(c.Tenant)
	if !ok || c.Issuer != from.issuer(c.Tenant) {
		return remembered{}, refuse(InvalidIssuer, nil, "Invalid issuer. Expected one of %.256s, found %.256s", from.issuer(c.Tenant), c.Issuer)
	}
	if !v.meantForUs(c.Audience) {
		return remembered{}, refuse(InvalidAudience, nil, "Invalid audience. Expected %s, found: %.256s", v.audiences[0], strings.Join(c.Audience, ", "))
	}
	if c.NotBefore == nil || c.Expires == nil {
		return remembered{}, refuse(TokenExpired, nil, "the token does not say when it is valid")
	}
	if c.Kind == "" && from.tenants != nil {
		c.Kind = "app"
		if c.Scope != "" {
			c.Kind = "user"
		}
	}
	if !isGUID(c.Object) || (c.Kind != "user" && c.Kind != "app") {
		return remembered{}, refuse(BadSignature, nil, "the token is not an access token")
	}
	return remembered{
		caller: from.caller(c, tenant), from: from, kid: kid, since: int64(*c.NotBefore), until: int64(*c.Expires),
	}, nil
}

// signed returns the payload of bearer if a key of its issuer has signed it. Before that, the
// issuer's name and the key's serve to find the key, and for nothing else.
func (v *Verifier) signed(ctx context.Context, bearer string, now time.Time) (from *source, kid string, payload []byte, err error) {
	jws, err := jose.ParseSignedCompact(bearer, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, "", nil, refuse(BadSignature, err, "the bearer token is not a token that this service reads")
	}
	from, kid = v.source(jws), jws.Signatures[0].Protected.KeyID
	key, err := from.keys.find(ctx, kid, now)
	if err != nil {
		return nil, "", nil, err
	}
	if payload, err = jws.Verify(key); err != nil {
		return nil, "", nil, refuse(BadSignature, err, "the token's signature is not right")
	}
	return from, kid, payload, nil
}

// source returns the issuer that a token claims to be from: ours, if it names none that is
// trusted beside it.
func (v *Verifier) source(jws *jose.JSONWebSignature) *source {
	var claimed struct {
		Issuer string `json:"iss"`
	}
	if len(v.outside) == 0 || json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claimed) != nil {
		return v.own
	}
	if from := v.outside[claimed.Issuer]; from != nil {
		return from
	}
	return v.own
}

func (v *Verifier) meantForUs(audience jwt.Audience) bool {
	for _, found := range audience {
		for _, ours := range v.audiences {
			if strings.TrimSuffix(found, "/") == ours {
				return true
			}
		}
	}
	return false
}

// checkTime compares whole seconds: nothing overflows, whatever the claims say.
func checkTime(from, until int64, now time.Time) error {
	switch t := now.Unix(); {
	case t-leeway >= until:
		return refuse(TokenExpired, nil, "the token has expired")
	case t+leeway < from:
		return refuse(TokenExpired, nil, "the token is not valid yet")
	}
	return nil
}

func refuse(reason string, cause error, format string, args ...any) error {
	return fault.Wrap(fault.Unauthenticated, cause, "%s", fmt.Sprintf(format, args...)).WithReason(reason).
		WithHint("sign in again")
}

// BearerToken returns the token inside the value of an Authorization header, "" if the
// header holds something else.
func BearerToken(authorization string) string {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// usable returns the RSA keys of set that are strong enough, by kid.
func usable(set jose.JSONWebKeySet) map[string]*rsa.PublicKey {
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		if public, ok := k.Key.(*rsa.PublicKey); ok && k.KeyID != "" && public.N.BitLen() >= 2048 {
			keys[k.KeyID] = public
		}
	}
	return keys
}
