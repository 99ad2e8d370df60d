package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestForgedTokens is the bad input of row KV-136 with the answers of row KV-90 and the
// challenge of row KV-100.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := &stage{World: w, t: t, admin: w.Person("admin@contoso.example")}
	w.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
	starts := map[string]string{
		directory.MissingToken:    "AKV10000: Request is missing a Bearer or PoP token.",
		directory.BadSignature:    "[BadSignature] Error validating token: ",
		directory.InvalidIssuer:   "AKV10032: Invalid issuer. Expected one of https://sts.test/",
		directory.InvalidAudience: "AKV10022: Invalid audience. Expected " + w.Audience() + ", found: ",
		directory.TokenExpired:    "[TokenExpired] Error validating token: ",
	}
	challenge := `Bearer authorization="https://login.` + w.Domain() + "/" + w.Tenant + `", resource="https://vault.` + w.Domain() + `"`
	for _, f := range w.Forged(s.admin, w.Audience()) {
		x := s.send(http.MethodGet, s.host(), "/keys?"+version, f.Authorization, "")
		if f.Reason == "" {
			if x.status != http.StatusOK {
				t.Errorf("%s: %d %v", f.Name, x.status, x.body)
			}
			continue
		}
		if x.status != http.StatusUnauthorized || x.code() != "Unauthorized" || !strings.HasPrefix(x.message(), starts[f.Reason]) {
			t.Errorf("%s: %d %v, want 401 Unauthorized %q", f.Name, x.status, x.body, starts[f.Reason])
		}
		if got := x.header.Get("WWW-Authenticate"); got != challenge {
			t.Errorf("%s: the challenge is %q, want %q", f.Name, got, challenge)
		}
	}
}
