package login_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/directory/login"
)

func (s *server) options() azcore.ClientOptions {
	return azcore.ClientOptions{
		Transport: s.client,
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: base + "/"},
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

// claims verifies token as an outsider would: with the keys at the address that the
// openid-configuration names.
func (s *server) claims(token string) map[string]any {
	s.t.Helper()
	at, ok := s.get("/contoso.example/v2.0/.well-known/openid-configuration").json["jwks_uri"].(string)
	if !ok || !strings.HasPrefix(at, base) {
		s.t.Fatalf("jwks_uri is %q", at)
	}
	var keys jose.JSONWebKeySet
	s.must(json.Unmarshal([]byte(s.get(strings.TrimPrefix(at, base)).body), &keys))
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	s.must(err)
	key := keys.Key(parsed.Headers[0].KeyID)
	if len(key) != 1 || !key[0].IsPublic() || !key[0].Valid() {
		s.t.Fatalf("the keys for kid %q are %v", parsed.Headers[0].KeyID, key)
	}
	var claims map[string]any
	s.must(parsed.Claims(key[0].Key, &claims))
	return claims
}

func TestClientSecretCredential(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, secret, err := s.directory.CreateApp(t.Context(), directory.SystemCaller("", "test", "r"), s.contoso.ID, "importer",
		[]directory.Role{directory.ItemsReadWriteAll})
	s.must(err)
	sign := func(tenant, secret string) (azcore.AccessToken, error) {
		credential, err := azidentity.NewClientSecretCredential(tenant, app.AppID, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: s.options(), DisableInstanceDiscovery: true})
		s.must(err)
		return credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}})
	}
	for _, tenant := range []string{s.contoso.ID, "contoso.example"} {
		token, err := sign(tenant, secret)
		s.must(err)
		if left := time.Until(token.ExpiresOn); left < 55*time.Minute || left > 65*time.Minute {
			t.Errorf("the token is good for %v", left)
		}
		c := s.claims(token.Token)
		for name, want := range map[string]any{
			"aud": vault, "iss": "https://sts." + domain + "/" + s.contoso.ID + "/", "tid": s.contoso.ID, "oid": app.ID, "sub": app.ID,
			"appid": app.AppID, "appidacr": "1", "ver": "1.0", "idtyp": "app",
		} {
			if c[name] != want {
				t.Errorf("claim %s is %v, want %v", name, c[name], want)
			}
		}
		if roles, _ := c["roles"].([]any); len(roles) != 1 || roles[0] != "Items.ReadWrite.All" {
			t.Errorf("claim roles is %v", c["roles"])
		}
		if c["exp"].(float64)-c["iat"].(float64) != 3600 || c["nbf"] != c["iat"] || c["uti"] == "" {
			t.Errorf("the times are %v, %v, %v", c["iat"], c["nbf"], c["exp"])
		}
	}
	if _, err := sign(s.contoso.ID, secret+"x"); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret: %v, want AADSTS7000215", err)
	}
	if _, err := sign("nowhere.example", secret); err == nil {
		t.Error("an unknown tenant signs in")
	}
}

func TestDeviceCodeCredential(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	prompted := make(chan azidentity.DeviceCodeMessage, 1)
	credential, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: s.options(), DisableInstanceDiscovery: true, TenantID: "organizations",
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			prompted <- m
			return nil
		},
	})
	s.must(err)
	go func() { // the person
		m := <-prompted
		time.Sleep(200 * time.Millisecond) // so that the client polls in vain first
		a := s.post("/device", form("user_code", m.UserCode, "username", s.alice.UPN, "password", password), "Accept: application/json")
		if a.status != http.StatusOK || m.VerificationURL != base+"/device" {
			t.Errorf("approving %+v: %d %s", m, a.status, a.body)
		}
	}()
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}})
	s.must(err)
	c := s.claims(token.Token)
	for name, want := range map[string]any{
		"aud": vault, "tid": s.contoso.ID, "oid": s.alice.ID, "idtyp": "user", "upn": s.alice.UPN, "unique_name": s.alice.UPN,
		"name": s.alice.DisplayName, "scp": "user_impersonation", "appidacr": "0",
	} {
		if c[name] != want {
			t.Errorf("claim %s is %v, want %v", name, c[name], want)
		}
	}
	// The same credential gets a token for another audience silently, by its refresh token.
	other, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management." + domain + "//.default"}})
	s.must(err)
	if aud := s.claims(other.Token)["aud"]; aud != "https://management."+domain+"/" {
		t.Errorf("the second audience is %v, want the slash kept (KV-132)", aud)
	}
}

// signIn signs alice in by plain requests and returns the answer of the token endpoint.
func (s *server) signIn() map[string]any {
	s.t.Helper()
	d := s.post("/common/oauth2/v2.0/devicecode", form("client_id", directory.CommandLineApp, "scope", vault+"/.default openid offline_access")).json
	a := s.post("/device", form("user_code", d["user_code"].(string), "username", s.alice.UPN, "password", password), "Accept: application/json")
	if a.status != http.StatusOK {
		s.t.Fatalf("approving: %d %s", a.status, a.body)
	}
	a = s.post("/common/oauth2/v2.0/token", form("grant_type", "urn:ietf:params:oauth:grant-type:device_code",
		"client_id", directory.CommandLineApp, "device_code", d["device_code"].(string)))
	if a.status != http.StatusOK {
		s.t.Fatalf("redeeming: %d %s", a.status, a.body)
	}
	return a.json
}

// TestTokenAnswerOfAPerson holds KV-133's members.
func TestTokenAnswerOfAPerson(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	got := s.signIn()
	info, err := base64.RawURLEncoding.DecodeString(got["client_info"].(string))
	s.must(err)
	if want := `{"uid":"` + s.alice.ID + `","utid":"` + s.contoso.ID + `"}`; string(info) != want {
		t.Errorf("client_info is %s, want %s", info, want)
	}
	if got["token_type"] != "Bearer" || got["expires_in"].(float64) < 3500 || got["ext_expires_in"] != got["expires_in"] || got["scope"] == "" {
		t.Errorf("the answer is %v", got)
	}
	id := s.claims(got["id_token"].(string))
	if id["aud"] != directory.CommandLineApp || id["iss"] != base+"/"+s.contoso.ID+"/v2.0" || id["preferred_username"] != s.alice.UPN {
		t.Errorf("the id token says %v", id)
	}
	if iss := s.get("/contoso.example/v2.0/.well-known/openid-configuration").json["issuer"]; iss != id["iss"] {
		t.Errorf("the configuration names the issuer %v, the id token %v", iss, id["iss"])
	}

	refreshed := s.post("/"+s.contoso.ID+"/oauth2/token", form("grant_type", "refresh_token", "client_id", directory.CommandLineApp,
		"refresh_token", got["refresh_token"].(string), "resource", "https://management."+domain+"/"))
	if refreshed.status != http.StatusOK || s.claims(refreshed.json["access_token"].(string))["aud"] != "https://management."+domain+"/" {
		t.Errorf("refreshing for a resource: %d %s", refreshed.status, refreshed.body)
	}
	v1 := refreshed.json // numbers as strings, and what the token is for
	if v1["resource"] != "https://management."+domain+"/" || v1["expires_on"] == "" || v1["expires_in"] != v1["ext_expires_in"] || v1["not_before"] == "" {
		t.Errorf("the answer of version 1 is %v", v1)
	}
	if on, err := strconv.ParseInt(v1["expires_on"].(string), 10, 64); err != nil || float64(on) != s.claims(v1["access_token"].(string))["exp"] {
		t.Errorf("expires_on is %v", v1["expires_on"])
	}
}

func TestPasswordGrantIsForADFSAndSwitchedOn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	f := form("grant_type", "password", "client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "username", s.alice.UPN, "password", password,
		"resource", "https://management."+domain+"/", "claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`, "x-client-SKU", "MSAL.Python", "made_up", "x")
	if a := s.post("/adfs/oauth2/token", f); a.json["error"] != "unsupported_grant_type" {
		t.Errorf("switched off: %d %s", a.status, a.body)
	}
	var err error
	s.handler, err = login.New(login.Config{Directory: s.directory, Domain: domain, Passwords: true, Now: s.now})
	s.must(err)
	s.listen()
	a := s.post("/adfs/oauth2/token", f)
	if _, number := a.json["expires_in"].(float64); a.status != http.StatusOK || !number || a.json["refresh_token"] == nil {
		t.Fatalf("switched on: %d %s", a.status, a.body)
	}
	if c := s.claims(a.json["access_token"].(string)); c["oid"] != s.alice.ID || c["aud"] != "https://management."+domain+"/" {
		t.Errorf("the token says %v", c)
	}
	if a := s.post("/common/oauth2/v2.0/token", f); a.json["error"] != "unsupported_grant_type" {
		t.Errorf("not at /adfs: %d %s", a.status, a.body)
	}
	f.Set("password", "wrong")
	if a := s.post("/adfs/oauth2/token", f); a.json["error"] != "invalid_grant" {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	f.Set("client_id", directory.ExchangeApp)
	if a := s.post("/adfs/oauth2/token", f); a.json["error"] != "unauthorized_client" {
		t.Errorf("another client: %d %s", a.status, a.body)
	}
	grants := fmt.Sprint(s.get("/adfs/.well-known/openid-configuration").json["grant_types_supported"])
	others := fmt.Sprint(s.get("/common/.well-known/openid-configuration").json["grant_types_supported"])
	if !strings.Contains(grants, "password") || strings.Contains(others, "password") {
		t.Errorf("announced: %s and %s", grants, others)
	}
}

// TestErrorsOfTheTokenEndpoint holds KV-133's errors.
func TestErrorsOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, secret, err := s.directory.CreateApp(t.Context(), directory.SystemCaller("", "test", "r"), s.contoso.ID, "importer", nil)
	s.must(err)
	ck := directory.CommandLineApp
	credentials := func(client, secret string) url.Values {
		return form("grant_type", "client_credentials", "client_id", client, "client_secret", secret, "scope", vault+"/.default")
	}
	start := func() map[string]any {
		return s.post("/organizations/oauth2/v2.0/devicecode", form("client_id", ck, "scope", vault+"/.default")).json
	}
	pending, expired := start()["device_code"].(string), start()["device_code"].(string)
	poll := func(code string) url.Values {
		return form("grant_type", "device_code", "client_id", ck, "device_code", code)
	}
	token, device := "/oauth2/v2.0/token", "/oauth2/v2.0/devicecode"
	for _, tt := range []struct {
		name, path string
		form       url.Values
		status     int
		word       string
		number     float64
	}{
		{"wrong secret", "/contoso.example" + token, credentials(app.AppID, secret+"x"), 401, "invalid_client", 7000215},
		{"no secret", "/contoso.example" + token, credentials(app.AppID, ""), 400, "invalid_request", 900144},
		{"unknown app", "/contoso.example" + token, credentials(ck, secret), 400, "unauthorized_client", 700016},
		{"unknown tenant", "/nowhere.example" + token, credentials(app.AppID, secret), 400, "invalid_request", 90002},
		{"odd tenant", "/..%2Fadmin" + token, credentials(app.AppID, secret), 400, "invalid_request", 90002},
		{"app at common", "/common" + token, credentials(app.AppID, secret), 400, "invalid_request", 90002},
		{"no client", "/common" + token, form("grant_type", "client_credentials"), 400, "invalid_request", 900144},
		{"no grant", "/common" + token, form("client_id", ck), 400, "invalid_request", 900144},
		{"odd grant", "/common" + token, form("client_id", ck, "grant_type", "password"), 400, "unsupported_grant_type", 70003},
		{"pending", "/organizations" + token, poll(pending), 400, "authorization_pending", 70016},
		{"too soon", "/organizations" + token, poll(pending), 400, "slow_down", 70016},
		{"odd device code", "/organizations" + token, poll("x"), 400, "bad_verification_code", 70018},
		{"odd refresh token", "/common" + token, form("grant_type", "refresh_token", "client_id", ck, "refresh_token", "x"), 400, "invalid_grant", 70000},
		{"foreign resource", "/common" + device, form("client_id", ck, "scope", "https://evil.example/.default"), 400, "invalid_resource", 500011},
		{"no resource", "/common" + device, form("client_id", ck, "scope", "openid"), 400, "invalid_scope", 70011},
		{"unknown client", "/common" + device, form("client_id", app.AppID, "scope", vault+"/.default"), 400, "unauthorized_client", 700016},
		{"wrong password", "/device", form("user_code", start()["user_code"].(string), "username", s.alice.UPN, "password", "wrong"), 400, "invalid_grant", 50126},
	} {
		a := s.post(tt.path, tt.form, "Accept: application/json", "Client-Request-Id: "+s.alice.ID)
		codes, _ := a.json["error_codes"].([]any)
		text, _ := a.json["error_description"].(string)
		if a.status != tt.status || a.json["error"] != tt.word || len(codes) != 1 || codes[0] != tt.number || !strings.HasPrefix(text, "AADSTS") {
			t.Errorf("%s: %d %s, want %d %s %v", tt.name, a.status, a.body, tt.status, tt.word, tt.number)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.json["trace_id"] == "" || a.json["correlation_id"] != s.alice.ID || a.json["timestamp"] == "" {
			t.Errorf("%s: %v %s", tt.name, a.header, a.body)
		}
	}
	s.pass(16 * time.Minute)
	if a := s.post("/organizations"+token, poll(expired)); a.status != 400 || a.json["error"] != "expired_token" {
		t.Errorf("a code after its time: %d %s", a.status, a.body)
	}
	if a := s.post("/common"+token, form("x", strings.Repeat("y", 70<<10))); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long form: %d %s", a.status, a.body)
	}
	if a := s.post("/common"+token, form(), "Content-Type: application/json"); a.status != http.StatusBadRequest {
		t.Errorf("no form: %d %s", a.status, a.body)
	}
}

func TestSecretInBasicAuthorization(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, secret, err := s.directory.CreateApp(t.Context(), directory.SystemCaller("", "test", "r"), s.contoso.ID, "importer", nil)
	s.must(err)
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(app.AppID+":"+url.QueryEscape(secret)))
	if a := s.post("/contoso.example/oauth2/v2.0/token", form("grant_type", "client_credentials", "scope", vault+"/.default"), basic); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for path, want := range map[string][2]string{
		"/contoso.example/v2.0/.well-known/openid-configuration":                       {base + "/" + s.contoso.ID + "/v2.0", base + "/" + s.contoso.ID + "/oauth2/v2.0/token"},
		"/" + strings.ToUpper(s.contoso.ID) + "/v2.0/.well-known/openid-configuration": {base + "/" + s.contoso.ID + "/v2.0", base + "/" + s.contoso.ID + "/oauth2/v2.0/token"},
		"/organizations/v2.0/.well-known/openid-configuration":                         {base + "/{tenantid}/v2.0", base + "/organizations/oauth2/v2.0/token"},
		"/common/v2.0/.well-known/openid-configuration":                                {base + "/{tenantid}/v2.0", base + "/common/oauth2/v2.0/token"},
		"/adfs/.well-known/openid-configuration":                                       {base + "/adfs", base + "/adfs/oauth2/token"},
	} {
		a := s.get(path)
		if a.status != http.StatusOK || a.json["issuer"] != want[0] || a.json["token_endpoint"] != want[1] {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		for _, name := range []string{"authorization_endpoint", "device_authorization_endpoint", "jwks_uri", "end_session_endpoint"} {
			u, _ := a.json[name].(string)
			if !strings.HasPrefix(u, base+"/") {
				t.Errorf("%s: %s is %q", path, name, u)
			}
			if served := s.get(strings.TrimPrefix(u, base)); served.status == http.StatusNotFound {
				t.Errorf("%s: %s is announced and not served", path, name)
			}
		}
	}
	if a := s.get("/nowhere.example/v2.0/.well-known/openid-configuration"); a.status != http.StatusBadRequest || !strings.Contains(a.body, "AADSTS90002") {
		t.Errorf("an unknown tenant: %d %s", a.status, a.body)
	}
	if a := s.get("/common/discovery/instance?api-version=1.1"); a.json["tenant_discovery_endpoint"] != base+"/common/v2.0/.well-known/openid-configuration" {
		t.Errorf("instance discovery: %s", a.body)
	}
	if a := s.get("/common/discovery/v2.0/keys"); strings.Contains(a.body, `"d":`) || !strings.Contains(a.body, `"kty":"RSA"`) {
		t.Errorf("the keys are %s", a.body)
	}
}

func FuzzTokenEndpoint(f *testing.F) {
	s := newServer(f)
	for _, seed := range []string{
		"grant_type=client_credentials&client_id=" + directory.ExchangeApp + "&client_secret=x&scope=" + url.QueryEscape(vault+"/.default"),
		"grant_type=device_code&device_code=x&client_id=y", "grant_type=refresh_token&refresh_token=AAAA&client_id=z", "a=%zz", "&&&;", "\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/contoso.example/oauth2/v2.0/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		var answer struct {
			Error string `json:"error"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error == "" || w.Code < 400 || w.Code >= 500 {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
