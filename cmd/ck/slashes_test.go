package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOneSlash holds KV-7 where a ServeMux reads the paths: no redirect, and the body arrives.
func TestOneSlash(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.PathValue("tenant")+" "+string(body)+" "+r.URL.RawQuery)
	})
	for path, want := range map[string]string{
		"/t/oauth2/token?q=//":     "t body q=//",
		"//t/oauth2/token":         "t body ",
		"///t//oauth2////token":    "t body ",
		"//a%20b/oauth2/token":     "a b body ",
		"//a%2F%2Fb/oauth2/token":  "a//b body ",
		"/t/oauth2//token?q=//&x=": "t body q=//&x=",
	} {
		r := httptest.NewRequest("POST", "https://login.localhost"+path, strings.NewReader("body"))
		w := httptest.NewRecorder()
		oneSlash(mux).ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, w.Body, want)
		}
	}
}
