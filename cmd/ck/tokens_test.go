package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/customerkey/customerkey/internal/profile"
)

// run runs ck and returns the words of its output by the first word of each line.
func (w *world) run(args ...string) map[string]string {
	w.tb.Helper()
	cmd := exec.CommandContext(w.tb.Context(), w.ck, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		w.tb.Fatalf("ck %s: %v\n%s", strings.Join(args, " "), err, &problems)
	}
	words := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			words[name] = strings.TrimSpace(rest)
		}
	}
	return words
}

func (w *world) profile() *profile.Profile {
	w.tb.Helper()
	p, err := profile.Open(profile.Config{Path: filepath.Join(w.dir, "config", "customerkey", "profile.json")})
	if err != nil {
		w.tb.Fatal(err)
	}
	return p
}

// restart starts the server again with further flags.
func (w *world) restart(flags ...string) {
	w.tb.Helper()
	if err := w.server.end(os.Interrupt); err != nil {
		w.tb.Fatal(err)
	}
	w.flags = append(w.flags, flags...)
	w.start()
}

// ask asks a vault of the sample with a credential, and returns the error of the answer.
func (w *world) ask(credential azcore.TokenCredential, transport policy.Transporter) error {
	w.tb.Helper()
	client, err := azkeys.NewClient("https://contoso-east.vault."+w.profile().Data().Domain, credential, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: transport, Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	_, err = client.GetKey(w.tb.Context(), "root1", "", nil)
	return err
}

// TestAppsOfARealServer: an app that ck makes signs in with a secret, a certificate, and as the
// machine's identity, and reaches a vault as itself.
func TestAppsOfARealServer(t *testing.T) {
	w := newWorld(t)
	p := w.profile()
	data := p.Data()
	options := azcore.ClientOptions{
		Transport: p.HTTPClient(), Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: p.Addresses().Login + "/"}, Retry: policy.RetryOptions{MaxRetries: -1},
	}
	made := w.run("app", "create", "portal")
	secret := func(text string) azcore.TokenCredential {
		c, err := azidentity.NewClientSecretCredential(data.Tenant, made["app"], text, &azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// The app has no permission on the vault: 403 says that the vault knows who it is.
	wantRefused := func(what string, err error, words string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %s", what, err, words)
		}
	}
	wantRefused("the first secret", w.ask(secret(made["secret"]), p.HTTPClient()), "Forbidden")
	added := w.run("credential", "add-secret", made["app"], "--name", "nightly", "--days", "3")
	wantRefused("a second secret", w.ask(secret(added["secret"]), p.HTTPClient()), "Forbidden")
	w.run("credential", "remove", made["app"], added["id"])
	wantRefused("a secret that was removed", w.ask(secret(added["secret"]), p.HTTPClient()), "AADSTS7000215")

	key := mustAppCertificate(t, filepath.Join(w.dir, "portal.pem"))
	w.run("credential", "add-certificate", made["app"], "portal.pem")
	wantRefused("a certificate", w.ask(w.assertion(key, made["app"], options), p.HTTPClient()), "Forbidden")
	if list := w.run("credential", "list", made["app"]); !strings.Contains(list["certificate"], "portal") || list["secret"] == "" {
		t.Errorf("the list is %v", list)
	}

	listen := "127.0.0.1:" + freePort(t)
	w.restart("--managed-identity", listen, "--managed-identity-apps", "contoso.example/"+made["app"])
	header, err := os.ReadFile(filepath.Join(w.dir, "data", "managed-identity.secret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("IDENTITY_ENDPOINT", "http://"+listen+"/msi/token")
	t.Setenv("IDENTITY_HEADER", strings.TrimSpace(string(header)))
	own, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		t.Fatal(err)
	}
	wantRefused("the machine's identity", w.ask(own, p.HTTPClient()), "Forbidden")
}

// assertion returns a credential that signs assertions of an app.
func (w *world) assertion(key *ecdsa.PrivateKey, app string, options azcore.ClientOptions) azcore.TokenCredential {
	w.tb.Helper()
	data := w.profile().Data()
	c, err := azidentity.NewClientAssertionCredential(data.Tenant, app, func(context.Context) (string, error) {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
		if err != nil {
			return "", err
		}
		return jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: app, Subject: app, Audience: jwt.Audience{w.profile().Addresses().Login + "/" + data.Tenant + "/v2.0"}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
		}).Serialize()
	}, &azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		w.tb.Fatal(err)
	}
	return c
}

// mustAppCertificate writes a certificate to a file and returns its private key.
func mustAppCertificate(tb testing.TB, file string) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	template.Subject.CommonName = "portal"
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return key
}

// TestVaultTrustsAnOutsideIssuer has another issuer, behind HTTPS, whose tenant is Contoso's (KV-137).
func TestVaultTrustsAnOutsideIssuer(t *testing.T) {
	const theirs, oid = "99999999-8888-4777-8666-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	key, signer := mustIssuer(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
	}))
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.env = append(w.env, "SSL_CERT_FILE="+authority)
	w.restart("--trust-issuer", "https://sts.windows.net/{tenantid}/", "--trust-keys", server.URL, "--trust-tenants", theirs+"=contoso.example", "--trust-login", "https://login.microsoftonline.com")

	get := func(audience string) (*http.Response, error) {
		token, err := jwt.Signed(signer).Claims(map[string]any{
			"aud": audience, "iss": "https://sts.windows.net/" + theirs + "/", "tid": theirs, "oid": oid, "appid": oid,
			"nbf": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		}).Serialize()
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://contoso-east.vault."+w.profile().Data().Domain+"/keys?api-version=7.4", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return w.profile().HTTPClient().Do(r)
	}
	for audience, want := range map[string]int{"https://vault.azure.net": http.StatusForbidden, "https://graph.microsoft.com": http.StatusUnauthorized} {
		res, err := get(audience)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want { // 403: known, without a permission
			t.Errorf("for %s: %d, want %d", audience, res.StatusCode, want)
		}
		if challenge := res.Header.Get("WWW-Authenticate"); want == 401 && !strings.Contains(challenge, `"https://login.microsoftonline.com/`+theirs+`"`) {
			t.Errorf("the challenge is %s", challenge)
		}
	}
}

func mustIssuer(tb testing.TB) (public jose.JSONWebKey, signer jose.Signer) {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	private := jose.JSONWebKey{Key: key, KeyID: "theirs", Use: "sig"}
	if signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private}, nil); err != nil {
		tb.Fatal(err)
	}
	return private.Public(), signer
}
