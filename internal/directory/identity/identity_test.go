package identity_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/identity"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const (
	vault    = "https://vault.localhost:8443"
	secret   = "0123456789abcdef0123456789abcdef"
	resource = "/subscriptions/1/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Nightly"
)

// A machine is the endpoint over a real listener, with two apps behind it.
type machine struct {
	t             *testing.T
	directory     *directory.Service
	verifier      *directory.Verifier
	base          string
	own, assigned directory.ServicePrincipal
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t}
	db, err := store.OpenSQLite(context.Background(), storetest.Seed(t, filepath.Join(t.TempDir(), "service.db"), store.ServiceAreas()...), store.ServiceAreas()...)
	m.must(err)
	t.Cleanup(func() { db.Close() })
	m.directory, err = directory.New(directory.Config{
		Store: store.NewDirectory(db), Seal: seal.Of(envelope.NewKey()), Codes: envelope.NewKey(), Issuer: "https://sts.localhost/", Login: "https://login.localhost",
		Record: func(context.Context, string, directory.Caller, string, string, string, map[string]string) error {
			return nil
		},
		Audiences: []string{vault},
	})
	m.must(err)
	system := directory.SystemCaller("", "test", "r")
	contoso, err := m.directory.CreateTenant(context.Background(), system, "Contoso", "contoso.example")
	m.must(err)
	m.own, _, err = m.directory.CreateApp(context.Background(), system, contoso.ID, "machine", nil)
	m.must(err)
	m.assigned, _, err = m.directory.CreateApp(context.Background(), system, contoso.ID, "nightly", nil)
	m.must(err)
	m.verifier, err = directory.NewVerifier(directory.VerifierConfig{Keys: m.directory.Keys, Issuer: m.directory.Issuer, Audiences: []string{vault}})
	m.must(err)
	handler, err := identity.New(identity.Config{Token: m.directory.ManagedToken, Secret: secret, IMDS: true, Identities: []identity.Identity{
		{Tenant: "contoso.example", App: m.own.AppID},
		{Tenant: contoso.ID, App: m.assigned.AppID, Object: m.assigned.ID, Resource: resource},
		{Tenant: contoso.ID, App: directory.ExchangeApp},
	}})
	m.must(err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	m.base = server.URL
	return m
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// wantCaller checks whose a token is.
func (m *machine) wantCaller(token string, want directory.ServicePrincipal) {
	m.t.Helper()
	c, err := m.verifier.Verify(m.t.Context(), token)
	if err != nil || c.ID != want.ID || c.App != want.AppID || c.Kind != directory.App {
		m.t.Errorf("the token is %+v's, want %s's; %v", c, want.DisplayName, err)
	}
}

// toMachine sends what goes to Azure's fixed address to the endpoint, as a rule of the machine's
// firewall would.
type toMachine struct{ base string }

func (to toMachine) Do(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(to.base)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, u.Host)
	}}
	defer transport.CloseIdleConnections()
	return transport.RoundTrip(r)
}

func TestManagedIdentityCredential(t *testing.T) {
	m := newMachine(t)
	for _, env := range []map[string]string{
		{"IDENTITY_ENDPOINT": m.base + "/msi/token", "IDENTITY_HEADER": secret, "MSI_ENDPOINT": "", "IDENTITY_SERVER_THUMBPRINT": ""},
		{"IDENTITY_ENDPOINT": "", "IDENTITY_HEADER": "", "MSI_ENDPOINT": "", "IDENTITY_SERVER_THUMBPRINT": ""}, // IMDS
	} {
		for name, value := range env {
			t.Setenv(name, value)
		}
		for _, tt := range []struct {
			id   azidentity.ManagedIDKind
			want directory.ServicePrincipal
		}{
			{nil, m.own},
			{azidentity.ClientID(m.own.AppID), m.own},
			{azidentity.ClientID(strings.ToUpper(m.assigned.AppID)), m.assigned},
			{azidentity.ObjectID(m.assigned.ID), m.assigned},
			{azidentity.ResourceID(strings.ToLower(resource)), m.assigned},
		} {
			credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
				ClientOptions: azcore.ClientOptions{Transport: toMachine{m.base}, Retry: policy.RetryOptions{MaxRetries: -1}}, ID: tt.id,
			})
			m.must(err)
			token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}})
			m.must(err)
			m.wantCaller(token.Token, tt.want)
			if left := time.Until(token.ExpiresOn); left < 55*time.Minute || left > 65*time.Minute {
				t.Errorf("good for %v", left)
			}
		}
	}
}

// ask sends a request; headers are "Name: value", Host among them.
func (m *machine) ask(method, path, body string, headers ...string) (int, map[string]any) {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.base+path, strings.NewReader(body))
	m.must(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	res, err := http.DefaultClient.Do(r)
	m.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	m.must(err)
	var answer map[string]any
	_ = json.Unmarshal(text, &answer) // the mux's own answers are no JSON
	return res.StatusCode, answer
}

func TestShapes(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	q := "resource=" + url.QueryEscape(vault)
	for _, tt := range []struct{ name, method, path, body, header string }{
		{"App Service", "GET", "/msi/token?api-version=2019-08-01&" + q, "", "X-IDENTITY-HEADER: " + secret},
		{"App Service 2017", "GET", "/msi/token?api-version=2017-09-01&" + q, "", "Secret: " + secret},
		{"App Service 2017, slash", "GET", "/msi/token/?api-version=2017-09-01&" + q, "", "Secret: " + secret},
		{"Azure CLI 2.45", "POST", "/msi/token", q, "secret: " + secret},
		{"Azure CLI 2.45 on a machine", "POST", "/msi/token", q, "Metadata: true"},
		{"IMDS", "GET", "/metadata/identity/oauth2/token?api-version=2018-02-01&" + q, "", "Metadata: true"},
	} {
		status, a := m.ask(tt.method, tt.path, tt.body, tt.header)
		token, _ := a["access_token"].(string)
		if status != http.StatusOK || token == "" {
			t.Errorf("%s: %d %v", tt.name, status, a)
			continue
		}
		m.wantCaller(token, m.own)
		on, _ := a["expires_on"].(string)
		if n, err := strconv.ParseInt(on, 10, 64); err != nil || n <= time.Now().Unix() || a["resource"] != vault || a["token_type"] != "Bearer" || a["client_id"] != m.own.AppID {
			t.Errorf("%s: %v", tt.name, a)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	q := "&resource=" + url.QueryEscape(vault)
	app, old, machine := "/msi/token?api-version=2019-08-01", "/msi/token?api-version=2017-09-01", "/metadata/identity/oauth2/token?api-version=2018-02-01"
	right, metadata := "X-IDENTITY-HEADER: "+secret, "Metadata: true"
	for _, tt := range []struct {
		name, path string
		headers    []string
		status     int
	}{
		{"no secret", app + q, nil, 401},
		{"wrong secret", app + q, []string{right + "x"}, 401},
		{"the other protocol's header", app + q, []string{"Secret: " + secret}, 401},
		{"the other protocol's header", old + q, []string{right}, 401},
		{"no api-version", "/msi/token?" + q, []string{right}, 400},
		{"odd api-version", "/msi/token?api-version=2030-01-01" + q, []string{right}, 400},
		{"no resource", app, []string{right}, 400},
		{"foreign resource", app + "&resource=https://evil.example", []string{right}, 400},
		{"unknown identity", app + q + "&client_id=" + directory.CommandLineApp, []string{right}, 400},
		{"no object id is known", app + q + "&object_id=" + m.own.ID, []string{right}, 400},
		{"the service's own app", app + q + "&client_id=" + directory.ExchangeApp, []string{right}, 403},
		{"no metadata header", machine + q, nil, 400},
		{"IMDS without version", "/metadata/identity/oauth2/token?" + q, []string{metadata}, 400},
		{"passed on", machine + q, []string{metadata, "X-Forwarded-For: 127.0.0.1"}, 403},
		{"passed on, RFC 7239", app + q, []string{right, "Forwarded: for=127.0.0.1"}, 403},
		{"passed on, empty", app + q, []string{right, "X-Forwarded-For: "}, 403},
		{"a web page", machine + q, []string{metadata, "Origin: https://evil.example"}, 403},
		{"another name", machine + q, []string{metadata, "Host: evil.example"}, 403},
		{"another name that begins right", machine + q, []string{metadata, "Host: 127.0.0.1.evil.example:80"}, 403},
		{"localhost", machine + q, []string{metadata, "Host: localhost:1"}, 200},
		{"IPv6", machine + q, []string{metadata, "Host: [::1]:1"}, 200},
		{"another path", "/", []string{right, metadata}, 404},
	} {
		status, a := m.ask("GET", tt.path, "", tt.headers...)
		if status != tt.status || (a["access_token"] != nil) != (tt.status == 200) {
			t.Errorf("%s: %d %v, want %d", tt.name, status, a, tt.status)
		}
	}
	if status, a := m.ask("POST", "/msi/token", strings.Repeat("x", 20<<10), "Secret: "+secret); status != 400 {
		t.Errorf("a long form: %d %v", status, a)
	}
}

// TestMachinesShapesHaveASwitch: without it nobody gets a token without the secret.
func TestMachinesShapesHaveASwitch(t *testing.T) {
	t.Parallel()
	handler, err := identity.New(identity.Config{
		Token: func(context.Context, string, string, string, directory.Origin) (directory.Tokens, error) {
			t.Error("asked for a token")
			return directory.Tokens{}, nil
		},
		Identities: []identity.Identity{{}}, Secret: secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]int{
		"GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=x": http.StatusNotFound,
		"POST /msi/token": http.StatusUnauthorized,
		"GET /msi/token?api-version=2019-08-01&resource=x": http.StatusUnauthorized,
	} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader("resource=x"))
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Metadata", "true")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", request, w.Code, want)
		}
	}
}

func TestPeersElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	handler, err := identity.New(identity.Config{
		Token: func(context.Context, string, string, string, directory.Origin) (directory.Tokens, error) {
			t.Error("asked for a token")
			return directory.Tokens{}, nil
		},
		Identities: []identity.Identity{{}}, Secret: secret, IMDS: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, peer := range []string{"192.0.2.1:1", "[2001:db8::1]:1", "", "@"} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x", nil)
		r.RemoteAddr = peer
		r.Header.Set("Metadata", "true")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%q: %d", peer, w.Code)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "127.9.9.9:1": true, "0.0.0.0:1": false, ":1": false, "localhost:1": false, "192.0.2.1:1": false, "127.0.0.1": false, "[::ffff:127.0.0.1]:1": true,
	} {
		if err := identity.Loopback(address); (err == nil) != good || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
