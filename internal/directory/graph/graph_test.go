package graph_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/graph"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const (
	domain   = "localhost:8443"
	audience = "https://graph." + domain
	password = "correct horse battery"
)

// A world is the face over a real directory with two tenants.
type world struct {
	t                 *testing.T
	directory         *directory.Service
	handler           http.Handler
	contoso, fabrikam directory.Tenant
	alice, bob        directory.Person // of contoso, of fabrikam
	actions           []string         // that were recorded
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	db, err := store.OpenSQLite(t.Context(), storetest.Seed(t, filepath.Join(t.TempDir(), "service.db"), store.ServiceAreas()...), store.ServiceAreas()...)
	w.must(err)
	t.Cleanup(func() { db.Close() })
	w.directory, err = directory.New(directory.Config{
		Store: store.NewDirectory(db), Seal: seal.Of(envelope.NewKey()), Codes: envelope.NewKey(), Issuer: "https://sts." + domain + "/", Login: "https://login." + domain,
		Record: func(_ context.Context, _ string, _ directory.Caller, action, _, _ string, _ map[string]string) error {
			w.actions = append(w.actions, action)
			return nil
		},
		Audiences: []string{audience, "https://vault." + domain},
	})
	w.must(err)
	system := directory.SystemCaller("", "test", "r")
	w.contoso, err = w.directory.CreateTenant(t.Context(), system, "Contoso", "contoso.example")
	w.must(err)
	w.fabrikam, err = w.directory.CreateTenant(t.Context(), system, "Fabrikam", "fabrikam.example")
	w.must(err)
	w.alice, err = w.directory.CreatePerson(t.Context(), system, directory.Person{Tenant: w.contoso.ID, UPN: "al'ice@contoso.example", DisplayName: "Alice"}, password, false)
	w.must(err)
	w.bob, err = w.directory.CreatePerson(t.Context(), system, directory.Person{Tenant: w.fabrikam.ID, UPN: "bob@fabrikam.example"}, password, false)
	w.must(err)
	verifier, err := directory.NewVerifier(directory.VerifierConfig{Keys: w.directory.Keys, Issuer: w.directory.Issuer, Audiences: []string{audience}})
	w.must(err)
	w.handler, err = graph.New(graph.Config{Directory: w.directory, Verifier: verifier, Domain: domain})
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// token signs p in and returns an access token for audience.
func (w *world) token(p directory.Person, audience string) string {
	w.t.Helper()
	from := directory.Origin{Address: "192.0.2.1", Request: "r"}
	d, err := w.directory.StartDevice(w.t.Context(), p.Tenant, directory.CommandLineApp, audience+"/.default", from)
	w.must(err)
	_, err = w.directory.ApproveDevice(w.t.Context(), directory.Approval{UserCode: d.UserCode, UPN: p.UPN, Password: password, From: from})
	w.must(err)
	tokens, err := w.directory.RedeemDevice(w.t.Context(), p.Tenant, directory.CommandLineApp, d.Code, "", from)
	w.must(err)
	return tokens.Access
}

func (w *world) get(path, token string) (int, http.Header, map[string]any) {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	var body map[string]any
	w.must(json.Unmarshal(rec.Body.Bytes(), &body))
	return rec.Code, rec.Header(), body
}

func filter(path, expr string) string { return path + "?$filter=" + url.QueryEscape(expr) }

// TestLookUps holds KV-138: what the CLI looks up, by id and by name, in the caller's tenant alone.
func TestLookUps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(w.alice, audience)
	exchange, err := w.directory.ServicePrincipal(t.Context(), w.contoso.ID, directory.ExchangeApp)
	w.must(err)
	foreign, err := w.directory.ServicePrincipal(t.Context(), w.fabrikam.ID, directory.ExchangeApp)
	w.must(err)

	const none = "-" // an empty collection
	for _, tt := range []struct {
		path   string
		status int
		id     string
	}{
		{"/v1.0/me", 200, w.alice.ID},
		{"/v1.0/users/" + w.alice.ID, 200, w.alice.ID},
		{"/v1.0/users/" + url.PathEscape("AL'ICE@contoso.example"), 200, w.alice.ID},
		{"/v1.0/users/" + w.bob.ID, 404, ""},
		{"/v1.0/users/bob@fabrikam.example", 404, ""},
		{"/v1.0/users/nobody", 404, ""},
		{filter("/v1.0/users", "userPrincipalName eq 'al''ice@contoso.example'"), 200, w.alice.ID},
		{filter("/v1.0/users", "userPrincipalName eq 'bob@fabrikam.example'"), 200, none},
		{filter("/v1.0/users", "userPrincipalName eq '"+w.alice.ID+"'"), 200, none},
		{filter("/v1.0/users", "userPrincipalName eq 'x' or true"), 400, ""},
		{"/v1.0/users", 403, ""},
		{filter("/v1.0/servicePrincipals", "servicePrincipalNames/any(c:c eq '"+directory.ExchangeApp+"')"), 200, exchange.ID},
		{filter("/v1.0/servicePrincipals", "servicePrincipalNames/any(x:x eq '"+strings.ToUpper(directory.ExchangeApp)+"')"), 200, exchange.ID},
		{filter("/v1.0/servicePrincipals", "appId eq '"+directory.ExchangeApp+"'"), 200, exchange.ID},
		{filter("/v1.0/servicePrincipals", "servicePrincipalNames/any(c:c eq '"+directory.CommandLineApp+"')"), 200, none},
		{filter("/v1.0/servicePrincipals", "servicePrincipalNames/any(c:d eq 'x')"), 400, ""},
		{"/v1.0/servicePrincipals/" + exchange.ID, 200, exchange.ID},
		{"/v1.0/servicePrincipals/" + foreign.ID, 404, ""},
		{"/v1.0/servicePrincipals/" + directory.ExchangeApp, 404, ""},
		{"/v1.0/devices", 404, ""},
	} {
		status, _, body := w.get(tt.path, token)
		got := body
		if values, ok := body["value"].([]any); ok {
			got = map[string]any{"id": none}
			if len(values) == 1 {
				got = values[0].(map[string]any)
			}
		}
		id, _ := got["id"].(string)
		if status != tt.status || id != tt.id {
			t.Errorf("%s: %d %v, want %d %s", tt.path, status, body, tt.status, tt.id)
		}
		if failure, _ := body["error"].(map[string]any); status != 200 && (failure["code"] == "" || failure["message"] == "") {
			t.Errorf("%s: %v", tt.path, body)
		}
	}
	_, _, body := w.get("/v1.0/servicePrincipals/"+exchange.ID, token)
	if names, _ := body["servicePrincipalNames"].([]any); len(names) != 1 || names[0] != directory.ExchangeApp || body["appId"] != directory.ExchangeApp || body["displayName"] == "" {
		t.Errorf("the principal is %v", body)
	}
}

func TestTokensOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, token := range map[string]string{"none": "", "noise": "noise", "for the vault": w.token(w.alice, "https://vault."+domain)} {
		status, header, body := w.get("/v1.0/me", token)
		if status != http.StatusUnauthorized || !strings.Contains(header.Get("WWW-Authenticate"), "https://login."+domain) {
			t.Errorf("%s: %d %v %v", name, status, header, body)
		}
	}
	app, secret, err := w.directory.CreateApp(t.Context(), directory.SystemCaller("", "test", "r"), w.contoso.ID, "app", nil)
	w.must(err)
	tokens, err := w.directory.ClientCredentials(t.Context(), w.contoso.ID, directory.Client{ID: app.AppID, Secret: secret}, audience+"/.default", directory.Origin{})
	w.must(err)
	if status, _, body := w.get("/v1.0/me", tokens.Access); status != http.StatusBadRequest {
		t.Errorf("/me for an app: %d %v", status, body)
	}
}
