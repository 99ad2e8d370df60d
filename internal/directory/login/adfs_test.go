package login_test

import (
	"net/http"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
)

// TestADFSApps: old clients name no tenant for an app; it is signed in where it is registered
// (rows KV-130, KV-157). Elsewhere an authority that names nobody gives an app nothing.
func TestADFSApps(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	app, secret, err := s.directory.CreateApp(t.Context(), directory.SystemCaller("", "test", "r"), s.contoso.ID, "Backup", nil)
	s.must(err)
	f := form("grant_type", "client_credentials", "client_id", app.AppID, "client_secret", secret, "resource", vault)
	a := s.post("/adfs/oauth2/token", f)
	if _, number := a.json["expires_in"].(float64); a.status != http.StatusOK || !number {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for what, change := range map[string][2]string{
		"a wrong secret": {"client_secret", "guessed"}, "another app": {"client_id", s.alice.ID}, "no app id": {"client_id", "backup"},
	} {
		f := form("grant_type", "client_credentials", "client_id", app.AppID, "client_secret", secret, "resource", vault)
		f.Set(change[0], change[1])
		if a := s.post("/adfs/oauth2/token", f); a.status == http.StatusOK || a.json["error"] == "server_error" {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	f = form("grant_type", "client_credentials", "client_id", app.AppID, "client_secret", secret, "scope", vault+"/.default")
	for _, tenant := range []string{"common", "organizations"} {
		if a := s.post("/"+tenant+"/oauth2/v2.0/token", f); a.status == http.StatusOK {
			t.Errorf("%s gives an app a token", tenant)
		}
	}
}
