package keyvaulttest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/customerkey/customerkey/internal/directory"
)

// An issuer signs tokens as the token service does (row KV-134).
type issuer struct {
	key    *rsa.PrivateKey // its kid is "test"
	signer jose.Signer
	keys   jose.JSONWebKeySet
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := jose.JSONWebKey{Key: key, KeyID: "test", Algorithm: string(jose.RS256)}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{key, signer, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}}}
}

func issuerOf(tenant string) string { return "https://sts.test/" + tenant + "/" }

// Token returns a token for c, for an audience, that lives an hour from the World's time.
func (w *World) Token(c directory.Caller, audience string) string {
	w.t.Helper()
	return w.token(c, audience, issuerOf(c.Tenant), w.Now())
}

func (w *World) token(c directory.Caller, audience, iss string, now time.Time) string {
	w.t.Helper()
	claims := map[string]any{
		"aud": audience, "iss": iss, "tid": c.Tenant, "oid": c.ID, "sub": c.ID, "appid": c.App,
		"idtyp": string(c.Kind), "upn": c.Name, "groups": c.Groups, "roles": c.Roles, "ver": "1.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	token, err := jwt.Signed(w.issuer().signer).Claims(claims).Serialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// verify is what the real server hands to a face.
func (w *World) verify(audiences []string) func(context.Context, string) (directory.Caller, error) {
	w.t.Helper()
	v, err := directory.NewVerifier(directory.VerifierConfig{
		Keys:   func(context.Context) (jose.JSONWebKeySet, error) { return w.issuer().keys, nil },
		Issuer: issuerOf, Audiences: audiences, Now: w.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Verify
}

// Credential returns a credential of c as official clients take it. It gives tokens for the
// scope that it is asked for.
func (w *World) Credential(c directory.Caller) azcore.TokenCredential { return credential{w, c} }

type credential struct {
	w      *World
	caller directory.Caller
}

func (c credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.TenantID != "" && o.TenantID != c.caller.Tenant {
		c.w.t.Errorf("the challenge asked for tenant %q, the caller is of %q", o.TenantID, c.caller.Tenant)
	}
	audience := o.Scopes[0][:len(o.Scopes[0])-len("/.default")]
	return azcore.AccessToken{Token: c.w.Token(c.caller, audience), ExpiresOn: time.Now().Add(time.Hour)}, nil
}
