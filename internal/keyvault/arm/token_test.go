package arm_test

import (
	"net/http"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
)

// TestForgedTokens is the bad input of row KV-136 at resource management.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, f := range w.Forged(w.Owner, base(w)) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base(w)+"/subscriptions"+version, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Authorization != "" {
			req.Header.Set("Authorization", f.Authorization)
		}
		res, err := w.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		want, word := http.StatusUnauthorized, "invalid_token"
		switch f.Reason {
		case "":
			want = http.StatusOK
		case directory.MissingToken:
			word = "missing_token"
		}
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", f.Name, res.StatusCode, want)
		}
		challenge := `Bearer authorization_uri="https://login.` + w.Domain() + `/common", error="` + word + `", error_description="` + f.Reason + `"`
		if want == http.StatusUnauthorized && (res.Header.Get("WWW-Authenticate") != challenge || res.Header.Get("x-ms-error-code") != "AuthenticationFailed") {
			t.Errorf("%s: %v, want the challenge %s", f.Name, res.Header, challenge)
		}
	}
}
