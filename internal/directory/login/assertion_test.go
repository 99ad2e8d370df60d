package login_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

var system = directory.SystemCaller("", "test", "r")

// certifiedApp returns an app with a certificate, and the private key.
func (s *server) certifiedApp() (directory.ServicePrincipal, *x509.Certificate, *rsa.PrivateKey) {
	s.t.Helper()
	app, _, err := s.directory.CreateApp(context.Background(), system, s.contoso.ID, "importer", nil)
	s.must(err)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	s.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "importer"}, NotBefore: s.now().Add(-time.Hour), NotAfter: s.now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	s.must(err)
	certificate, err := x509.ParseCertificate(der)
	s.must(err)
	_, err = s.directory.AddCertificate(context.Background(), system, s.contoso.ID, app.AppID, "", der)
	s.must(err)
	return app, certificate, key
}

func TestClientCertificateCredential(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, certificate, key := s.certifiedApp()
	for _, chain := range []bool{false, true} {
		credential, err := azidentity.NewClientCertificateCredential(s.contoso.ID, app.AppID, []*x509.Certificate{certificate}, crypto.PrivateKey(key),
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: s.options(), DisableInstanceDiscovery: true, SendCertificateChain: chain})
		s.must(err)
		token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}})
		s.must(err)
		if c := s.claims(token.Token); c["oid"] != app.ID || c["appidacr"] != "2" || c["idtyp"] != "app" {
			t.Errorf("the claims are %v", c)
		}
	}
}

func TestClientAssertionCredential(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, _, key := s.certifiedApp()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	s.must(err)
	credential := func(audience string) *azidentity.ClientAssertionCredential {
		c, err := azidentity.NewClientAssertionCredential("contoso.example", app.AppID, func(context.Context) (string, error) {
			return jwt.Signed(signer).Claims(jwt.Claims{
				Issuer: app.AppID, Subject: app.AppID, Audience: jwt.Audience{audience}, ID: uuid.NewString(), Expiry: jwt.NewNumericDate(s.now().Add(time.Minute)),
			}).Serialize()
		}, &azidentity.ClientAssertionCredentialOptions{ClientOptions: s.options(), DisableInstanceDiscovery: true})
		s.must(err)
		return c
	}
	request := policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}}
	token, err := credential(base+"/contoso.example/oauth2/v2.0/token").GetToken(t.Context(), request)
	s.must(err)
	if c := s.claims(token.Token); c["oid"] != app.ID {
		t.Errorf("the claims are %v", c)
	}
	if _, err := credential("https://login.microsoftonline.com/common").GetToken(t.Context(), request); err == nil || !strings.Contains(err.Error(), "AADSTS700023") {
		t.Errorf("for another service: %v, want AADSTS700023", err)
	}
}
