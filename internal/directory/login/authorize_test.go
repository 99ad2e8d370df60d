package login_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/customerkey/customerkey/internal/directory"
)

const (
	pkceVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B
	loopback     = "http://localhost:49152"
)

// authorizeQuery is a good request, with changes: a value of "-" leaves a parameter out.
func authorizeQuery(pairs ...string) url.Values {
	sum := sha256.Sum256([]byte(pkceVerifier))
	q := form("client_id", directory.CommandLineApp, "response_type", "code", "redirect_uri", loopback, "scope", vault+"/.default openid offline_access",
		"state", "s t&te", "nonce", "n-0S6", "code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256")
	for i := 0; i < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "-" {
			q.Del(pairs[i])
		}
	}
	return q
}

var (
	formAction  = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// fill returns where the form of a page goes, and its hidden members.
func (s *server) fill(page answer) (action string, fields url.Values) {
	s.t.Helper()
	m := formAction.FindStringSubmatch(page.body)
	if m == nil {
		s.t.Fatalf("no form: %d %s", page.status, page.body)
	}
	fields = url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(page.body, -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	return html.UnescapeString(m[1]), fields
}

// browse plays a browser that signs alice in, and returns what comes back.
func (s *server) browse(path string, query url.Values) answer {
	s.t.Helper()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := s.get(path + "?" + query.Encode())
	if page.status != http.StatusOK {
		s.t.Fatalf("the page: %d %s", page.status, page.body)
	}
	action, fields := s.fill(page)
	fields.Set("username", s.alice.UPN)
	fields.Set("password", password)
	return s.post(action, fields)
}

// comeBack returns the values at the redirect address.
func (s *server) comeBack(a answer, to, separator string) url.Values {
	s.t.Helper()
	rest, ok := strings.CutPrefix(a.header.Get("Location"), to+separator)
	if a.status != http.StatusSeeOther || !ok {
		s.t.Fatalf("%d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	values, err := url.ParseQuery(rest)
	s.must(err)
	return values
}

const authorizePath, tokenPath = "/organizations/oauth2/v2.0/authorize", "/organizations/oauth2/v2.0/token"

func redemption(code string, pairs ...string) url.Values {
	f := form("grant_type", "authorization_code", "client_id", directory.CommandLineApp, "code", code, "redirect_uri", loopback, "code_verifier", pkceVerifier)
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

// changed returns a text with another last letter.
func changed(text string) string {
	cut := text[:len(text)-1]
	if cut+"A" == text {
		return cut + "B"
	}
	return cut + "A"
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	back := s.comeBack(s.browse(authorizePath, authorizeQuery()), loopback, "?")
	if back.Get("state") != "s t&te" || back.Get("code") == "" {
		t.Fatalf("came back with %v", back)
	}
	code := back.Get("code")
	for name, wrong := range map[string]url.Values{
		"verifier":         redemption(code, "code_verifier", strings.Repeat("x", 43)),
		"no verifier":      redemption(code, "code_verifier", ""),
		"challenge itself": redemption(code, "code_verifier", authorizeQuery().Get("code_challenge")),
		"redirect":         redemption(code, "redirect_uri", loopback+"/"),
		"client":           redemption(code, "client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
		"code":             redemption(changed(code)),
		"noise":            redemption("x"),
	} {
		if a := s.post(tokenPath, wrong); a.status != 400 || a.json["error"] != "invalid_grant" {
			t.Errorf("wrong %s: %d %s", name, a.status, a.body)
		}
	}
	if a := s.post("/"+s.alice.ID+"/oauth2/v2.0/token", redemption(code)); a.status != 400 {
		t.Errorf("at another tenant: %d %s", a.status, a.body)
	}

	a := s.post(tokenPath, redemption(code))
	if a.status != http.StatusOK {
		t.Fatalf("redeeming: %d %s", a.status, a.body)
	}
	if c := s.claims(a.json["access_token"].(string)); c["oid"] != s.alice.ID || c["aud"] != vault || c["appidacr"] != "0" {
		t.Errorf("the access token says %v", c)
	}
	if c := s.claims(a.json["id_token"].(string)); c["nonce"] != "n-0S6" || c["aud"] != directory.CommandLineApp {
		t.Errorf("the id token says %v", c)
	}
	refresh := form("grant_type", "refresh_token", "client_id", directory.CommandLineApp, "refresh_token", a.json["refresh_token"].(string))
	if a := s.post(tokenPath, refresh); a.status != http.StatusOK {
		t.Errorf("refreshing: %d %s", a.status, a.body)
	}

	s.pass(time.Hour) // long after its life it is still known
	if a := s.post(tokenPath, redemption(code)); a.status != 400 || a.json["error"] != "invalid_grant" {
		t.Errorf("a second time: %d %s", a.status, a.body)
	}
	if a := s.post(tokenPath, refresh); a.status != 400 {
		t.Errorf("what a stolen code gave still refreshes: %d %s", a.status, a.body)
	}
}

func TestCodeExpires(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	code := s.comeBack(s.browse(authorizePath, authorizeQuery()), loopback, "?").Get("code")
	s.pass(5*time.Minute + time.Second)
	if a := s.post(tokenPath, redemption(code)); a.status != 400 || a.json["error"] != "invalid_grant" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestCodeEndsWithThePassword(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	code := s.comeBack(s.browse(authorizePath, authorizeQuery()), loopback, "?").Get("code")
	s.must(s.directory.SetPassword(t.Context(), system, s.contoso.ID, s.alice.UPN, "another good password", false))
	if a := s.post(tokenPath, redemption(code)); a.status != 400 || a.json["error"] != "invalid_grant" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestResponseModes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	values := s.comeBack(s.browse(authorizePath, authorizeQuery("response_mode", "fragment")), loopback, "#")
	if values.Get("code") == "" || values.Get("state") != "s t&te" {
		t.Errorf("in the fragment: %v", values)
	}
	page := s.browse("/contoso.example/oauth2/v2.0/authorize", authorizeQuery("response_mode", "form_post", "redirect_uri", "http://[::1]:8400/"))
	action, fields := s.fill(page)
	if action != "http://[::1]:8400/" || fields.Get("code") == "" || fields.Get("state") != "s t&te" || fields.Has("error") {
		t.Errorf("posts to %q: %v", action, fields)
	}
	for _, page := range []answer{page, s.get(authorizePath + "?" + authorizeQuery("redirect_uri", "http://[::1]:8400/").Encode())} {
		if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http:;") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("the policy is %q", csp)
		}
	}
	page = s.get(authorizePath + "?" + authorizeQuery("login_hint", "bob@contoso.example", "prompt", "select_account").Encode())
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://localhost:49152;") {
		t.Errorf("the policy is %q", csp)
	}
	if !strings.Contains(page.body, `value="bob@contoso.example"`) || !strings.Contains(page.body, "ck, the customerkey command line") || strings.Contains(page.body, "<script") {
		t.Errorf("the page is %s", page.body)
	}
}

func TestWhereABrowserIsNotSentBack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, _, err := s.directory.CreateApp(t.Context(), system, s.contoso.ID, "portal", nil)
	s.must(err)
	s.must(s.directory.SetRedirects(t.Context(), system, s.contoso.ID, app.AppID, []string{"https://portal.example/back", "http://127.0.0.1/cb"}))
	path := "/contoso.example/oauth2/v2.0/authorize"
	for _, tt := range []struct{ path, client, redirect string }{
		{path, directory.CommandLineApp, "https://evil.example/"},
		{path, directory.CommandLineApp, "http://evil.example/"},
		{path, directory.CommandLineApp, "http://localhost.evil.example:1/"},
		{path, directory.CommandLineApp, "http://localhost@evil.example/"},
		{path, directory.CommandLineApp, "http://localhost:1/admin"},
		{path, directory.CommandLineApp, "http://localhost:1/#x"},
		{path, directory.CommandLineApp, "javascript:alert(1)"},
		{path, directory.CommandLineApp, `http://localhost\@evil.example/`},
		{path, directory.CommandLineApp, "http://localhost:1/?next=https://evil.example"},
		{path, directory.CommandLineApp, "//evil.example"},
		{path, directory.CommandLineApp, ""},
		{path, app.AppID, "https://portal.example/back/"},
		{path, app.AppID, "https://portal.example:444/back"},
		{path, app.AppID, "https://portal.example/back?x=1"},
		{path, app.AppID, "http://localhost/cb"},
		{path, app.AppID, "http://127.0.0.1/cb2"},
		{"/common/oauth2/v2.0/authorize", app.AppID, "https://portal.example/back"},
		{path, directory.ExchangeApp, loopback},
		{path, app.ID, loopback},
		{"/nowhere.example/oauth2/v2.0/authorize", directory.CommandLineApp, loopback},
	} {
		query := authorizeQuery("client_id", tt.client, "redirect_uri", tt.redirect)
		for _, a := range []answer{s.get(tt.path + "?" + query.Encode()), s.post(tt.path, query)} {
			if a.status != http.StatusBadRequest || a.header.Get("Location") != "" || !strings.Contains(a.body, `role="alert"`) || strings.Contains(a.body, "<form") {
				t.Errorf("%s %s: %d %q %s", tt.client, tt.redirect, a.status, a.header.Get("Location"), a.body)
			}
		}
	}
	for _, redirect := range []string{"https://portal.example/back", "http://127.0.0.1:5000/cb"} {
		if a := s.get(path + "?" + authorizeQuery("client_id", app.AppID, "redirect_uri", redirect).Encode()); a.status != http.StatusOK || !strings.Contains(a.body, "<strong>portal</strong>") {
			t.Errorf("%s: %d %s", redirect, a.status, a.body)
		}
	}
}

func TestRefusalsGoBack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, tt := range []struct{ parameter, value, word string }{
		{"code_challenge", "-", "invalid_request"},
		{"code_challenge", "short", "invalid_request"},
		{"code_challenge_method", "plain", "invalid_request"},
		{"code_challenge_method", "-", "invalid_request"},
		{"response_type", "token", "unsupported_response_type"},
		{"response_mode", "web_message", "invalid_request"},
		{"scope", "https://evil.example/.default", "invalid_resource"},
		{"scope", "openid", "invalid_scope"},
		{"nonce", "a\x00b", "invalid_request"},
		{"prompt", "none", "login_required"},
	} {
		query := authorizeQuery(tt.parameter, tt.value)
		for _, a := range []answer{s.get(authorizePath + "?" + query.Encode()), s.post(authorizePath, query)} {
			back := s.comeBack(a, loopback, "?")
			if back.Get("error") != tt.word || back.Get("state") != "s t&te" || !strings.HasPrefix(back.Get("error_description"), "AADSTS") || back.Has("code") {
				t.Errorf("%s=%s: %v", tt.parameter, tt.value, back)
			}
		}
	}
}

func TestSignInPageAsksAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	action, fields := s.fill(s.get(authorizePath + "?" + authorizeQuery().Encode()))
	fields.Set("username", s.alice.UPN)
	fields.Set("password", "wrong")
	a := s.post(action, fields)
	if again, _ := s.fill(a); a.status != 400 || again != action || !strings.Contains(a.body, `role="alert"`) || strings.Contains(a.body, "wrong") {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	s.must(s.directory.SetPassword(t.Context(), system, s.contoso.ID, s.alice.UPN, "for one time only", true))
	fields.Set("password", "for one time only")
	if a = s.post(action, fields); !strings.Contains(a.body, `<label for="new_password">`) {
		t.Errorf("a one-time password: %d %s", a.status, a.body)
	}
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"} {
		if a := s.post(action, fields, header); a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", header, a.status, a.body)
		}
	}
	fields.Set("new_password", password)
	if back := s.comeBack(s.post(action, fields, "Sec-Fetch-Site: same-origin"), loopback, "?"); back.Get("code") == "" {
		t.Errorf("with a new password: %v", back)
	}
}

func TestAppMustProveItself(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const redirect = "https://portal.example/back?x=1"
	app, secret, err := s.directory.CreateApp(t.Context(), system, s.contoso.ID, "portal", nil)
	s.must(err)
	s.must(s.directory.SetRedirects(t.Context(), system, s.contoso.ID, app.AppID, []string{redirect}))
	code := s.comeBack(s.browse("/contoso.example/oauth2/v2.0/authorize", authorizeQuery("client_id", app.AppID, "redirect_uri", redirect)), redirect, "&").Get("code")
	f := redemption(code, "client_id", app.AppID, "redirect_uri", redirect)
	if a := s.post(tokenPath, f); a.status != 401 || a.json["error"] != "invalid_client" {
		t.Errorf("without a secret: %d %s", a.status, a.body)
	}
	f.Set("client_secret", "wrong")
	if a := s.post(tokenPath, f); a.status != 401 || a.json["error"] != "invalid_client" {
		t.Errorf("with a wrong secret: %d %s", a.status, a.body)
	}
	f.Set("client_secret", secret)
	a := s.post(tokenPath, f)
	if a.status != 200 || s.claims(a.json["access_token"].(string))["appidacr"] != "1" {
		t.Fatalf("with its secret: %d %s", a.status, a.body)
	}
	f = form("grant_type", "refresh_token", "client_id", app.AppID, "refresh_token", a.json["refresh_token"].(string))
	if a := s.post(tokenPath, f); a.status != 401 {
		t.Errorf("refreshing without a secret: %d %s", a.status, a.body)
	}
	f.Set("client_secret", secret)
	if a := s.post(tokenPath, f); a.status != 200 {
		t.Errorf("refreshing with its secret: %d %s", a.status, a.body)
	}
}

func TestLogoutPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	a := s.get("/common/oauth2/v2.0/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example")
	if a.status != http.StatusOK || !strings.Contains(a.body, "You are signed out") || strings.Contains(a.body, "evil") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestInteractiveBrowserCredential plays the browser that the official client opens.
func TestInteractiveBrowserCredential(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a browser can be put into the client's way on Linux only")
	}
	s := newServer(t)
	bin, opened := t.TempDir(), filepath.Join(t.TempDir(), "opened")
	script := "#!/bin/sh\nprintf %s \"$1\" > '" + opened + ".tmp' && mv '" + opened + ".tmp' '" + opened + "'\n"
	s.must(os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o700))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	credential, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: s.options(), DisableInstanceDiscovery: true, TenantID: "organizations", LoginHint: s.alice.UPN,
	})
	s.must(err)
	browsed := make(chan error, 1)
	go func() { browsed <- s.playBrowser(opened) }()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{vault + "/.default"}})
	s.must(err)
	s.must(<-browsed)
	if c := s.claims(token.Token); c["oid"] != s.alice.ID || c["aud"] != vault {
		t.Errorf("the claims are %v", c)
	}
}

// playBrowser waits for the address that was opened, signs in, and posts back to the program.
func (s *server) playBrowser(opened string) error {
	var address []byte
	for err := os.ErrNotExist; err != nil; time.Sleep(10 * time.Millisecond) {
		address, err = os.ReadFile(opened)
	}
	u, err := url.Parse(string(address))
	if err != nil {
		return err
	}
	action, fields := s.fill(s.browse(u.Path, u.Query()))
	res, err := http.PostForm(action, fields)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
