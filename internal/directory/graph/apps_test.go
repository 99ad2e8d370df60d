package graph_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
)

// TestNoAppByHalves: an app that cannot have all that is asked for is not made: its secret would
// be known to nobody.
func TestNoAppByHalves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.admin(w.contoso, "root", directory.GlobalAdministrator)
	many := `"https://portal.example/"` + strings.Repeat(`,"https://portal.example/"`, 20)
	for _, redirects := range []string{many, `"http://evil.example/"`} {
		status, body := w.send("POST", "/v1.0/applications", token, `{"displayName":"x","web":{"redirectUris":[`+redirects+`]}}`)
		if status != http.StatusBadRequest || slices.Contains(w.actions, "app.create") {
			t.Errorf("%d %v, recorded %v", status, body, w.actions)
		}
	}
}

// admin makes a person of a tenant with a role, and returns a token of theirs.
func (w *world) admin(tenant directory.Tenant, name string, role directory.Role) string {
	w.t.Helper()
	p, err := w.directory.CreatePerson(context.Background(), directory.SystemCaller("", "test", "r"),
		directory.Person{Tenant: tenant.ID, UPN: name + "@" + tenant.Domain, Roles: []directory.Role{role}}, password, false)
	w.must(err)
	return w.token(p, audience)
}

func (w *world) send(method, path, token, body string) (int, map[string]any) {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	var answer map[string]any
	if rec.Body.Len() > 0 {
		w.must(json.Unmarshal(rec.Body.Bytes(), &answer))
	}
	return rec.Code, answer
}

func (w *world) signsIn(app, secret string) bool {
	w.t.Helper()
	_, err := w.directory.ClientCredentials(context.Background(), w.contoso.ID, directory.Client{ID: app, Secret: secret}, audience+"/.default", directory.Origin{})
	return err == nil
}

func TestAppsAndTheirCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.admin(w.contoso, "root", directory.GlobalAdministrator)
	status, app := w.send("POST", "/v1.0/applications", token, `{"displayName":"portal","web":{"redirectUris":["https://portal.example/"]},"unknown":1}`)
	id, _ := app["appId"].(string)
	if status != http.StatusCreated || id == "" {
		t.Fatalf("%d %v", status, app)
	}
	first := app["passwordCredentials"].([]any)[0].(map[string]any)
	if !w.signsIn(id, first["secretText"].(string)) {
		t.Error("the first secret is not good")
	}
	path := "/v1.0/applications/" + id
	status, second := w.send("POST", path+"/addPassword", token, `{"passwordCredential":{"displayName":"nightly","endDateTime":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}}`)
	if status != http.StatusOK || second["displayName"] != "nightly" || !w.signsIn(id, second["secretText"].(string)) {
		t.Errorf("a second secret: %d %v", status, second)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	w.must(err)
	status, certificate := w.send("POST", path+"/addKey", token, `{"keyCredential":{"type":"AsymmetricX509Cert","usage":"Verify","key":"`+base64.StdEncoding.EncodeToString(der)+`"},"proof":"x"}`)
	if status != http.StatusOK || certificate["keyId"] == "" {
		t.Errorf("a certificate: %d %v", status, certificate)
	}
	if status, body := w.send("PATCH", path, token, `{"web":{"redirectUris":["http://localhost/cb"]}}`); status != http.StatusNoContent {
		t.Errorf("redirects: %d %v", status, body)
	}
	status, app = w.send("GET", path, token, "")
	if status != 200 || len(app["passwordCredentials"].([]any)) != 2 || len(app["keyCredentials"].([]any)) != 1 || app["web"].(map[string]any)["redirectUris"].([]any)[0] != "http://localhost/cb" {
		t.Errorf("the app: %d %v", status, app)
	}
	if text, err := json.Marshal(app); err != nil || strings.Contains(string(text), "secretText") {
		t.Errorf("the app shows its secrets: %s", text)
	}
	for what, id := range map[string]any{"Password": first["keyId"], "Key": certificate["keyId"]} {
		if status, body := w.send("POST", path+"/remove"+what, token, `{"keyId":"`+id.(string)+`"}`); status != http.StatusNoContent {
			t.Errorf("removing: %d %v", status, body)
		}
	}
	if w.signsIn(id, first["secretText"].(string)) || !w.signsIn(id, second["secretText"].(string)) {
		t.Error("the wrong secret was removed")
	}

	reader, stranger := w.token(w.alice, audience), w.admin(w.fabrikam, "root", directory.GlobalAdministrator)
	for _, tt := range []struct {
		method, path, token, body string
		status                    int
	}{
		{"GET", path, reader, "", 403},
		{"POST", path + "/addPassword", reader, "{}", 403},
		{"POST", "/v1.0/applications", reader, `{"displayName":"x"}`, 403},
		{"GET", path, stranger, "", 404},
		{"POST", path + "/addPassword", stranger, "{}", 404},
		{"POST", path + "/removePassword", stranger, `{"keyId":"` + second["keyId"].(string) + `"}`, 404},
		{"PATCH", path, stranger, `{"web":{"redirectUris":["https://evil.example/"]}}`, 404},
		{"POST", path + "/removePassword", token, `{"keyId":"` + w.alice.ID + `"}`, 404},
		{"GET", "/v1.0/applications/" + directory.ExchangeApp, token, "", 404},
		{"POST", "/v1.0/applications", token, "", 400},
		{"POST", "/v1.0/applications", token, "[]", 400},
		{"POST", "/v1.0/applications", token, `{"displayName":""}`, 400},
		{"POST", "/v1.0/applications", token, `{"displayName":"x","web":{"redirectUris":["http://evil.example/"]}}`, 400},
		{"POST", path + "/addPassword", token, `{"passwordCredential":{"endDateTime":"2020-01-01T00:00:00Z"}}`, 400},
		{"POST", path + "/addPassword", token, `{"passwordCredential":{"endDateTime":"9999-12-31T00:00:00Z"}}`, 400},
		{"POST", path + "/addKey", token, `{"keyCredential":{"type":"Symmetric","key":"AAAA"}}`, 400},
		{"POST", path + "/addKey", token, `{"keyCredential":{"key":"!"}}`, 400},
		{"POST", path + "/addKey", token, `{"keyCredential":{"key":"AAAA"}}`, 400},
		{"PATCH", path, token, `{"displayName":"other"}`, 400},
		{"POST", path + "/addPassword", token, `"` + strings.Repeat("x", 70<<10) + `"`, 413},
	} {
		status, body := w.send(tt.method, tt.path, tt.token, tt.body)
		if failure, _ := body["error"].(map[string]any); status != tt.status || failure["code"] == "" || failure["message"] == "" {
			t.Errorf("%s %s %.60s: %d %v, want %d", tt.method, tt.path, tt.body, status, body, tt.status)
		}
	}
}

func TestOperatorsSeeTheKeysThatSignTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.directory.SweepIssuerKeys(t.Context(), directory.SystemCaller(w.contoso.ID, "test", "r")))
	operator := w.admin(w.contoso, "operator", directory.ServiceOperator)
	status, body := w.send("GET", "/operator/issuerKeys", operator, "")
	list, _ := body["value"].([]any)
	if status != 200 || len(list) != 2 || list[0].(map[string]any)["kid"] == "" {
		t.Fatalf("%d %v", status, body)
	}
	if status, body := w.send("POST", "/operator/issuerKeys/rotate", operator, ""); status != http.StatusConflict {
		t.Errorf("too soon: %d %v", status, body)
	}
	next := ""
	for _, k := range list {
		if k := k.(map[string]any); k["state"] == string(directory.NextKey) {
			next = k["kid"].(string)
		}
	}
	if status, body := w.send("DELETE", "/operator/issuerKeys/"+next, operator, ""); status != http.StatusNoContent {
		t.Errorf("revoking the next one: %d %v", status, body)
	}
	if status, body := w.send("DELETE", "/operator/issuerKeys/"+next, operator, ""); status != http.StatusNotFound {
		t.Errorf("twice: %d %v", status, body)
	}
	for _, request := range []string{"GET /operator/issuerKeys", "POST /operator/issuerKeys/rotate", "DELETE /operator/issuerKeys/" + next} {
		method, path, _ := strings.Cut(request, " ")
		if status, body := w.send(method, path, w.admin(w.contoso, "a"+strings.ToLower(method), directory.GlobalAdministrator), ""); status != http.StatusForbidden {
			t.Errorf("an administrator's %s: %d %v", request, status, body)
		}
	}
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status, body := w.send("GET", "/oidc/userinfo", w.token(w.alice, audience), "")
	if status != 200 || body["sub"] != w.alice.ID || body["preferred_username"] != w.alice.UPN || body["name"] != "Alice" {
		t.Errorf("%d %v", status, body)
	}
}
