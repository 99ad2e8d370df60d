package face

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	routes := []Route[string]{
		{Method: "GET", Path: "keys", Do: "list"},
		{Method: "POST", Path: "keys/restore", Only: true, Do: "restore"},
		{Method: "GET", Path: "keys/{name}", Do: "get"},
		{Method: "DELETE", Path: "keys/{name}", Do: "delete"},
		{Method: "GET", Path: "keys/{name}/versions", Do: "versions"},
		{Method: "GET", Path: "keys/{name}/{version}", Do: "version"},
		{Method: "POST", Path: "keys/{name}/{version}/wrapkey", Do: "wrap"},
	}
	for _, tt := range []struct {
		method, path string
		do           string
		params       map[string]string
		reason       string
	}{
		{"GET", "/keys", "list", map[string]string{}, ""},
		{"GET", "//keys/", "list", map[string]string{}, ""},
		{"DELETE", "/Keys/Root1", "delete", map[string]string{"name": "Root1"}, ""},
		{"GET", "/keys/versions", "get", map[string]string{"name": "versions"}, ""},
		{"GET", "/keys/k/VERSIONS/", "versions", map[string]string{"name": "k"}, ""},
		{"GET", "/keys/k/1", "version", map[string]string{"name": "k", "version": "1"}, ""},
		{"GET", "/keys/a%2Fb", "get", map[string]string{"name": "a/b"}, ""},
		{"POST", "/keys/k/1/wrapKey", "wrap", map[string]string{"name": "k", "version": "1"}, ""},
		{"POST", "/keys/Restore", "restore", map[string]string{}, ""},
		{"GET", "/keys/restore", "get", map[string]string{"name": "restore"}, ""},
		{"PUT", "/keys/restore", "", nil, ReasonMethod},
		{"POST", "/keys/k", "", nil, ReasonMethod},
		{"GET", "/", "", nil, ReasonPath},
		{"GET", "/keys/k/1/2/3", "", nil, ReasonPath},
		{"GET", "/keys/./k", "", nil, ReasonPath},
		{"GET", "/keys/%2E%2E", "", nil, ReasonPath},
	} {
		r := httptest.NewRequest(tt.method, "https://vault.example"+tt.path, nil)
		do, params, allow, err := Match(routes, r)
		reason := ""
		if err != nil {
			reason = fault.As(err).Reason
		}
		if do != tt.do || reason != tt.reason || err == nil && !cmp.Equal(params, tt.params) {
			t.Errorf("%s %s: %q %v, %v", tt.method, tt.path, do, params, err)
		}
		if tt.reason == ReasonMethod && !cmp.Equal(allow, []string{"DELETE", "GET"}) {
			t.Errorf("%s %s allows %v", tt.method, tt.path, allow)
		}
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"A.vault.localhost:8443": "a.vault.localhost", "a.vault.localhost": "a.vault.localhost", "a.example.:1": "a.example", "[::1]:8443": "::1", "": "",
	} {
		if got := Host(&http.Request{Host: given}); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

// FuzzToken: each item has one token, and a token is never anything but its item.
func FuzzToken(f *testing.F) {
	for _, item := range []string{"root1", "17", strings.Repeat("x", 127)} {
		f.Add(FormatToken(item))
	}
	f.Add("MTo")
	f.Add("MTphIA==")
	f.Fuzz(func(t *testing.T, token string) {
		item, err := ParseToken(token)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("error %v", err)
			}
			return
		}
		if token != "" && FormatToken(item) != token {
			t.Errorf("%q and %q name %q", token, FormatToken(item), item)
		}
	})
}
