package directory

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of client assertions (RFC 7523 section 3).
const (
	maxAssertion  = 16 << 10         // bytes
	assertionLife = 15 * time.Minute // from now to exp, at most; official clients write 10 minutes
	assertionKept = 24 * time.Hour   // after exp: see useAssertion
)

// assertionAlgorithms are those that official clients sign with. What has no key pair (none,
// HS256) is not among them.
var assertionAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}

// assertionClaims are what an assertion must say.
type assertionClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  jwt.Audience     `json:"aud"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	Expires   *jwt.NumericDate `json:"exp"`
	ID        string           `json:"jti"`
}

// checkAssertion checks that text was signed by a certificate of p, for this token service and
// for now, and uses it up: the same assertion is refused until it has expired. Every refusal is
// fault.Unauthenticated.
func (s *Service) checkAssertion(ctx context.Context, t Tenant, p ServicePrincipal, text string) error {
	if len(text) > maxAssertion {
		return badAssertion(InvalidAssertion, nil, "the client assertion is longer than %d bytes", maxAssertion)
	}
	jws, err := jose.ParseSignedCompact(text, assertionAlgorithms)
	if err != nil {
		return badAssertion(InvalidAssertion, err, "the client assertion is not a JWT signed by RS256, PS256 or ES256")
	}
	payload, err := s.signedByApp(ctx, p, jws)
	if err != nil {
		return err
	}
	var c assertionClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return badAssertion(InvalidAssertion, err, "the claims of the client assertion cannot be read")
	}
	if err := s.checkClaims(t, p, c); err != nil {
		return err
	}
	return s.useAssertion(ctx, p, c, payload)
}

// signedByApp returns the payload if a valid certificate of p has signed it. The thumbprint in
// the header is looked at where it is SHA-256; an older one would only save a few attempts.
func (s *Service) signedByApp(ctx context.Context, p ServicePrincipal, jws *jose.JSONWebSignature) ([]byte, error) {
	unknown := badAssertion(UnknownCertificate, nil, "the client assertion was not signed by a certificate of this app")
	if p.HomeTenant == "" {
		return nil, unknown // the service's own apps have none
	}
	certificates, err := s.store.Certificates(ctx, p.HomeTenant, p.AppID)
	if err != nil {
		return nil, err
	}
	now, thumbprint := s.now(), thumbprintOf(jws)
	for _, known := range certificates {
		sum := sha256.Sum256(known.DER)
		if thumbprint != nil && subtle.ConstantTimeCompare(thumbprint, sum[:]) == 0 {
			continue
		}
		certificate, err := x509.ParseCertificate(known.DER)
		if err != nil {
			return nil, fault.Wrap(fault.Corrupt, err, "a stored certificate cannot be read")
		}
		payload, err := jws.Verify(certificate.PublicKey)
		switch {
		case err != nil:
			continue
		case !within(now, certificate.NotBefore, certificate.NotAfter):
			return nil, badAssertion(UnknownCertificate, nil, "the certificate that signed the client assertion is not valid at this time")
		}
		return payload, nil
	}
	return nil, unknown
}

// thumbprintOf returns the SHA-256 of the certificate that the header names, nil if it names
// none. Official clients write it in either alphabet of base64.
func thumbprintOf(jws *jose.JSONWebSignature) []byte {
	text, ok := jws.Signatures[0].Protected.ExtraHeaders["x5t#S256"].(string)
	if !ok || text == "" {
		return nil
	}
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	sum, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return []byte{} // names nothing
	}
	return sum
}

func (s *Service) checkClaims(t Tenant, p ServicePrincipal, c assertionClaims) error {
	switch {
	case !strings.EqualFold(c.Issuer, p.AppID) || !strings.EqualFold(c.Subject, p.AppID):
		return badAssertion(AssertionSubject, nil, "issuer and subject of the client assertion are not the client_id")
	case !slices.ContainsFunc(c.Audience, func(a string) bool { return s.isTokenService(t, a) }):
		return badAssertion(AssertionAudience, nil, "the audience of the client assertion is not this token service")
	case c.Expires == nil:
		return badAssertion(AssertionTime, nil, "the client assertion does not say when it expires")
	}
	now, from := s.now().Unix(), int64(0)
	if c.NotBefore != nil {
		from = int64(*c.NotBefore)
	}
	if err := checkTime(from, int64(*c.Expires), time.Unix(now, 0)); err != nil {
		return badAssertion(AssertionTime, nil, "the client assertion is expired or not valid yet")
	}
	if int64(*c.Expires) > now+int64(assertionLife/time.Second)+leeway {
		return badAssertion(AssertionTime, nil, "the client assertion is good for longer than %s", assertionLife)
	}
	return nil
}

// isTokenService reports whether audience is one of the names of the token service of t: its
// token endpoints, its issuers, by id or domain.
func (s *Service) isTokenService(t Tenant, audience string) bool {
	audience = strings.TrimSuffix(audience, "/")
	for _, name := range []string{t.ID, t.Domain, Common, Organizations} {
		rest, ok := strings.CutPrefix(audience, s.login+"/"+name)
		if ok && slices.Contains([]string{"", "/oauth2/v2.0/token", "/oauth2/token", "/v2.0"}, rest) {
			return true
		}
	}
	return audience == strings.TrimSuffix(s.Issuer(t.ID), "/") || audience == s.login+"/adfs/oauth2/token"
}

// useAssertion refuses what was shown before. An assertion without a jti is known by what it
// says, and not by its signature: of one by ECDSA anybody makes another that is right, too.
//
// Also what was forgotten stays refused, for the clock may have been wrong then and come back
// (decision 32). A new assertion expires after the old ones and is not affected, unless the clock
// goes back by more than assertionKept.
func (s *Service) useAssertion(ctx context.Context, p ServicePrincipal, c assertionClaims, payload []byte) error {
	hash := sha256.Sum256(append([]byte("says "), payload...))
	if c.ID != "" {
		hash = sha256.Sum256([]byte("jti " + c.ID))
	}
	err := s.store.UseAssertion(ctx, p.HomeTenant, p.AppID, hash[:], time.Unix(int64(*c.Expires), 0), s.now().Add(-assertionKept))
	if fault.Is(err, fault.Conflict) {
		return badAssertion(InvalidAssertion, err, "the client assertion was used before, or is too old to tell").
			WithHint("sign a new one for each use; if that is refused, too, the server's clock has gone back by more than a day: set it right, or use a secret")
	}
	return err
}

func badAssertion(reason string, cause error, format string, args ...any) *fault.Error {
	return fault.Wrap(fault.Unauthenticated, cause, format, args...).WithReason(reason).
		WithHint("sign a new one with the key of a registered certificate: aud the token endpoint, iss and sub the client id, exp at most %s ahead", assertionLife)
}
