package login_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
)

func (s *server) userCode() string {
	s.t.Helper()
	d := s.post("/common/oauth2/v2.0/devicecode", form("client_id", directory.CommandLineApp, "scope", vault+"/.default"))
	code, ok := d.json["user_code"].(string)
	if !ok {
		s.t.Fatalf("device code: %d %s", d.status, d.body)
	}
	return code
}

func TestPageWithoutScript(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	a := s.get("/device")
	if a.status != http.StatusOK || !strings.Contains(a.body, `<label for="user_code">`) {
		t.Errorf("the first page: %d %s", a.status, a.body)
	}
	code := s.userCode()
	a = s.get("/device?user_code=" + strings.ToLower(code))
	for _, want := range []string{"ck, the customerkey command line", code, `<label for="username">`, `<label for="password">`} {
		if a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("the second page lacks %q: %d %s", want, a.status, a.body)
		}
	}
	if strings.Contains(a.body, "<script") || strings.Contains(a.body, "style=") {
		t.Error("the page breaks its own policy")
	}
	csp := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy is %q", csp)
		}
	}
	if css := s.get("/device.css"); css.status != http.StatusOK || !strings.Contains(css.body, "prefers-color-scheme: dark") {
		t.Errorf("the stylesheet: %d", css.status)
	}

	a = s.post("/device", form("user_code", code, "username", `"><script>x`, "password", "wrong"))
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, `role="alert"`) || strings.Contains(a.body, "<script") || !strings.Contains(a.body, "ck, the") {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	a = s.post("/device", form("user_code", code, "username", s.alice.UPN, "password", password))
	if a.status != http.StatusOK || !strings.Contains(a.body, "Alice &lt;b&gt;") {
		t.Errorf("the last page: %d %s", a.status, a.body)
	}
	a = s.post("/device", form("user_code", code, "username", s.alice.UPN, "password", password))
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, `<label for="user_code">`) {
		t.Errorf("the same code again: %d %s", a.status, a.body)
	}
}

func TestPageAsksForANewPassword(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.must(s.directory.SetPassword(t.Context(), directory.SystemCaller("", "test", "r"), s.contoso.ID, s.alice.UPN, "for one time only", true))
	code := s.userCode()
	a := s.post("/device", form("user_code", code, "username", s.alice.UPN, "password", "for one time only"), "Accept: application/json")
	if a.json["error"] != "password_must_change" {
		t.Errorf("for a program: %d %s", a.status, a.body)
	}
	a = s.post("/device", form("user_code", code, "username", s.alice.UPN, "password", "for one time only"))
	if !strings.Contains(a.body, `<label for="new_password">`) || strings.Contains(a.body, "for one time only") {
		t.Errorf("for a person: %d %s", a.status, a.body)
	}
	a = s.post("/device", form("user_code", code, "username", s.alice.UPN, "password", "for one time only", "new_password", "short"))
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, `<label for="new_password">`) {
		t.Errorf("a weak one: %d %s", a.status, a.body)
	}
	a = s.post("/device", form("user_code", code, "username", s.alice.UPN, "password", "for one time only", "new_password", password))
	if a.status != http.StatusOK {
		t.Errorf("a good one: %d %s", a.status, a.body)
	}
}

func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	f := form("user_code", s.userCode(), "username", s.alice.UPN, "password", password)
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example"} {
		if a := s.post("/device", f, header); a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", header, a.status, a.body)
		}
	}
	if a := s.post("/device", f, "Sec-Fetch-Site: same-origin", "Origin: "+base); a.status != http.StatusOK {
		t.Errorf("from our own page: %d %s", a.status, a.body)
	}
}
