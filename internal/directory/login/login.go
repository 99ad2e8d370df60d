// Package login is the token service's HTTP face: login.{domain}. Unmodified Azure
// identity clients sign in here (rows KV-130 to KV-134).
//
// It reads forms, asks package directory, and writes OAuth answers; it decides nothing. All
// routes stand in one table, every error leaves through one function, and the page on which
// people approve a device needs no script.
package login

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

// maxBody bounds a form: the longest honest one holds a refresh token and a scope.
const maxBody = 64 << 10

// Config is what the face needs.
type Config struct {
	Directory *directory.Service // required
	Domain    string             // required: host and port behind "login.", as clients write it: "localhost:8443"
	Passwords bool               // take names and passwords in forms of programs, at /adfs only (row KV-132)
	Log       *slog.Logger       // failures of the server, one line each; none if nil
	Now       func() time.Time   // time.Now if nil
}

type face struct {
	directory *directory.Service
	base      string // "https://login.localhost:8443"
	domain    string
	passwords bool
	log       *slog.Logger
	now       func() time.Time
}

// New returns the handler of login.{Domain}.
func New(c Config) (http.Handler, error) {
	if c.Directory == nil || c.Domain == "" {
		return nil, errors.New("login: Directory and Domain are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	f := &face{directory: c.Directory, base: "https://login." + c.Domain, domain: c.Domain, passwords: c.Passwords, log: c.Log, now: c.Now}
	return f.routes(), nil
}

// routes is every address of the face. {tenant} is a tenant id, a domain, "common",
// "organizations" or "adfs", the form of authority that old clients need (row KV-157).
func (f *face) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range []struct {
		pattern string
		handle  handler
	}{
		{"GET /{tenant}/v2.0/.well-known/openid-configuration", f.configuration},
		{"GET /{tenant}/.well-known/openid-configuration", f.configuration},
		{"GET /{tenant}/discovery/v2.0/keys", f.keys},
		{"GET /{tenant}/discovery/keys", f.keys},
		{"GET /common/discovery/instance", f.instance},
		{"POST /{tenant}/oauth2/v2.0/token", f.token},
		{"POST /{tenant}/oauth2/token", f.token},
		{"POST /{tenant}/oauth2/v2.0/devicecode", f.deviceCode},
		{"POST /{tenant}/oauth2/devicecode", f.deviceCode},
		{"GET /{tenant}/oauth2/v2.0/authorize", f.authorize},
		{"GET /{tenant}/oauth2/authorize", f.authorize},
		{"POST /{tenant}/oauth2/v2.0/authorize", f.signIn},
		{"POST /{tenant}/oauth2/authorize", f.signIn},
		{"GET /{tenant}/oauth2/v2.0/logout", f.logout},
		{"GET /{tenant}/oauth2/logout", f.logout},
		{"GET /device", f.page},
		{"POST /device", f.approve},
		{"GET /device.css", f.style},
	} {
		mux.Handle(r.pattern, f.serve(r.handle))
	}
	// Browsers may post here only from our own pages; programs send no Origin and pass.
	return http.NewCrossOriginProtection().Handler(mux)
}

// A handler returns its error instead of writing it, so no path can forget to stop.
type handler func(http.ResponseWriter, *http.Request, request) error

// A request is what the face knows about one request besides its content.
type request struct {
	origin    directory.Origin
	authority string // of the path; "" on the page
}

// serve runs h and turns its error into an answer.
func (f *face) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := request{origin: directory.Origin{Address: address(r), Request: uuid.NewString()}, authority: authority(r.PathValue("tenant"))}
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Pragma", "no-cache")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Ms-Request-Id", req.origin.Request)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := h(w, r, req); err != nil {
			f.writeError(w, r, req, err)
		}
	})
}

// adfs is the form of authority that old clients use.
const adfs = "adfs"

// authority maps the AD FS form of an authority to the one that means the same here.
func authority(tenant string) string {
	switch name := strings.ToLower(tenant); name {
	case adfs:
		return directory.Organizations
	case directory.Common, directory.Organizations:
		return name
	}
	return tenant
}

// address returns the client's address without its port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
