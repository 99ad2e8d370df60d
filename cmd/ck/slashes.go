package main

import (
	"net/http"
	"net/url"
	"strings"
)

// oneSlash lets h see doubled slashes of a path as one (row KV-7). A http.ServeMux would answer them with
// a redirect, by which clients lose the body of a request for a token. A slash that is escaped
// stays what it is.
func oneSlash(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		if !strings.Contains(escaped, "//") {
			h.ServeHTTP(w, r)
			return
		}
		for strings.Contains(escaped, "//") {
			escaped = strings.ReplaceAll(escaped, "//", "/")
		}
		u := *r.URL
		u.RawPath = escaped
		u.Path, _ = url.PathUnescape(escaped) // what EscapedPath returns is an escaped path
		again := r.WithContext(r.Context())
		again.URL = &u
		h.ServeHTTP(w, again)
	})
}
