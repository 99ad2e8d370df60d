// Package graph is the directory's HTTP face: graph.{domain}. It has the look-ups that the
// Azure CLI makes when it creates a vault or fills in an access policy (row KV-138), apps with
// their credentials, groups, and the keys that sign tokens, for operators.
//
// A caller sees the tenant of its token and nothing else; what is in another tenant does not
// exist here. Every member of a tenant may look people, apps and groups up by id or name; lists
// of them are for its administrators and readers.
package graph

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Config is what the face needs.
type Config struct {
	Directory *directory.Service  // required
	Verifier  *directory.Verifier // required: for tokens whose audience is this face
	Domain    string              // required: host and port behind "graph.", as clients write it
	Log       *slog.Logger        // failures of the server, one line each; none if nil
	Now       func() time.Time    // time.Now if nil
}

type face struct {
	Config
	base string // "https://graph.localhost:8443/v1.0"
}

// New returns the handler of graph.{Domain}.
func New(c Config) (http.Handler, error) {
	if c.Directory == nil || c.Verifier == nil || c.Domain == "" {
		return nil, errors.New("graph: Directory, Verifier and Domain are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	f := &face{c, "https://graph." + c.Domain + "/v1.0"}
	return f.routes(), nil
}

// routes is every address of the face.
func (f *face) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]handler{
		"GET /v1.0/me":                        f.me,
		"GET /v1.0/users":                     f.users,
		"GET /v1.0/users/{id}":                f.user,
		"POST /v1.0/users":                    f.createPerson,
		"PATCH /v1.0/users/{id}":              f.changePerson,
		"POST /v1.0/users/{id}/assignLicense": f.assignLicence,
		"GET /v1.0/servicePrincipals":         f.principals,
		"GET /v1.0/servicePrincipals/{id}":    f.principal,

		"GET /v1.0/groups":                               f.groups,
		"POST /v1.0/groups":                              f.createGroup,
		"GET /v1.0/groups/{id}":                          f.group,
		"DELETE /v1.0/groups/{id}":                       f.deleteGroup,
		"GET /v1.0/groups/{id}/members":                  f.members,
		"POST /v1.0/groups/{id}/members/$ref":            f.addMember,
		"DELETE /v1.0/groups/{id}/members/{member}/$ref": f.removeMember,

		"POST /v1.0/applications":                     f.createApp,
		"GET /v1.0/applications/{id}":                 f.app,
		"PATCH /v1.0/applications/{id}":               f.changeApp,
		"POST /v1.0/applications/{id}/addPassword":    f.addPassword,
		"POST /v1.0/applications/{id}/removePassword": f.removeCredential,
		"POST /v1.0/applications/{id}/addKey":         f.addKey,
		"POST /v1.0/applications/{id}/removeKey":      f.removeCredential,

		"GET /oidc/userinfo":                f.userInfo,
		"GET /operator/issuerKeys":          f.issuerKeys,
		"POST /operator/issuerKeys/rotate":  f.rotateIssuerKeys,
		"DELETE /operator/issuerKeys/{kid}": f.revokeIssuerKey,

		"/": f.nothing,
	} {
		mux.Handle(pattern, f.serve(handle))
	}
	return mux
}

// A reply is what to answer where that is not 200.
type reply struct {
	status int
	body   any // nil for none
}

// done is the answer to a change that has nothing to show.
var done = reply{status: http.StatusNoContent}

// A handler returns what to answer, or its error, so no path can forget to stop.
type handler func(r *http.Request, c directory.Caller) (any, error)

// serve verifies the caller, runs h and writes what came of it.
func (f *face) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := uuid.NewString()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Request-Id", request)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		answer, err := f.run(r, request, h)
		if err != nil {
			f.writeError(w, r, request, err)
			return
		}
		if other, ok := answer.(reply); ok {
			write(w, other.status, other.body)
			return
		}
		write(w, http.StatusOK, answer)
	})
}

func (f *face) run(r *http.Request, request string, h handler) (any, error) {
	c, err := f.Verifier.Verify(r.Context(), directory.BearerToken(r.Header.Get("Authorization")))
	if err != nil {
		return nil, err
	}
	if c.Address, _, err = net.SplitHostPort(r.RemoteAddr); err != nil {
		c.Address = r.RemoteAddr
	}
	c.Request = request
	return h(r, c)
}

func (f *face) nothing(r *http.Request, _ directory.Caller) (any, error) {
	return nil, fault.New(fault.NotFound, "there is nothing at %.128q", r.URL.Path).
		WithHint("this service has /me, /users, /groups, /servicePrincipals and /applications below /v1.0")
}

// byCode is how failures look to Graph clients.
var byCode = map[fault.Code]struct {
	status int
	code   string
}{
	fault.Invalid:         {400, "Request_BadRequest"},
	fault.Unauthenticated: {401, "InvalidAuthenticationToken"},
	fault.Forbidden:       {403, "Authorization_RequestDenied"},
	fault.NotFound:        {404, "Request_ResourceNotFound"},
	fault.Conflict:        {409, "Request_Conflict"},
	fault.TooLarge:        {413, "Request_EntityTooLarge"},
	fault.Throttled:       {429, "TooManyRequests"},
	fault.Unavailable:     {503, "serviceNotAvailable"},
}

// writeError is the one place that knows Graph's error bodies.
func (f *face) writeError(w http.ResponseWriter, r *http.Request, request string, err error) {
	e := fault.As(err)
	look, ok := byCode[e.Code]
	if !ok {
		look.status, look.code = http.StatusInternalServerError, "generalException"
	}
	if look.status >= 500 && r.Context().Err() == nil {
		f.Log.ErrorContext(r.Context(), "looking up failed", "path", r.URL.Path, "request", request, "error", err)
	}
	if look.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="https://login.`+f.Domain+`/common/oauth2/authorize"`)
	}
	message := e.Message
	if e.Hint != "" {
		message += " (" + e.Hint + ")"
	}
	write(w, look.status, map[string]any{"error": map[string]any{
		"code": look.code, "message": message,
		"innerError": map[string]string{"date": f.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": request},
	}})
}

func write(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`) // strings and booleans encode
	}
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has left needs no answer
}

// local returns the side of a name before the @.
func local(upn string) string {
	name, _, _ := strings.Cut(upn, "@")
	return name
}
