package arm

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Config is what a Server needs.
type Config struct {
	Vaults *keyvault.Service // required
	Verify face.Verify       // required: who a bearer token stands for; audiences as in Audiences
	Domain string            // required: host and port the deployment is reached by, "localhost:8443"
	Log    *slog.Logger      // for what went wrong on our side; slog.Default if nil
	Events face.Events       // takes a record of each request about a vault; nobody if nil
	Now    func() time.Time  // time.Now if nil
}

// Audiences returns the audiences of tokens that resource management accepts (KV-135).
func Audiences(domain string) []string {
	own := "https://management." + domain
	return []string{
		own, own + "/", "https://management.azure.com", "https://management.azure.com/",
		"https://management.core.windows.net", "https://management.core.windows.net/",
	}
}

// A Server is the face.
type Server struct {
	vaults *keyvault.Service
	verify face.Verify
	domain string // with the port
	log    *slog.Logger
	events face.Events
	now    func() time.Time
}

// New returns a Server ready for use. TLS is the listener's.
func New(c Config) (*Server, error) {
	if c.Vaults == nil || c.Verify == nil || c.Domain == "" {
		return nil, errors.New("arm: Vaults, Verify and Domain are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Server{vaults: c.Vaults, verify: c.Verify, domain: c.Domain, log: c.Log, events: c.Events, now: c.Now}, nil
}

// A request is one on its way through.
type request struct {
	*Server
	w       *face.Answer
	r       *http.Request
	id      string
	caller  directory.Caller
	query   url.Values
	version string // api-version
	params  map[string]string

	recovers bool // a PUT takes a deleted vault back; for the records of requests
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &request{Server: s, w: face.NewAnswer(w), r: r, id: uuid.NewString()}
	face.Common(w.Header(), r, x.id)
	tell := x.event(s.now())
	if err := face.Guard(x.serve); err != nil {
		x.fail(err)
	}
	tell()
}

// serve finds the route. All but one need a token, whether the rest of the request is right
// or not.
func (x *request) serve() error {
	do, params, allow, err := face.Match(routes, x.r)
	if err != nil || !do.open {
		var unknown error
		if x.caller, unknown = face.Caller(x.r, x.verify, x.id); unknown != nil {
			return unknown
		}
	}
	if len(allow) > 0 {
		x.w.Header().Set("Allow", strings.Join(allow, ", "))
	}
	if err != nil {
		return err
	}
	x.params = params
	if err := x.readQuery(do.open || do.own); err != nil {
		return err
	}
	err = do.handle(x)
	if m, ok := errors.AsType[face.Malformed](err); ok && do.action != "" {
		return x.vaults.RefuseManagement(x.r.Context(), x.caller, do.action, x.scope(), m.Cause)
	}
	return err
}

// scope is the scope that the path names.
func (x *request) scope() rights.Scope {
	return rights.Scope{Subscription: x.params["subscription"], Group: x.params["group"], Vault: x.params["vault"], Key: x.params["key"]}
}

var versionForm = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)

// readQuery decodes the query and checks the form of api-version; all versions are served
// alike but for one default (KV-125).
func (x *request) readQuery(open bool) error {
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid, "The query of the request URI cannot be read")
	}
	x.query, x.version = query, query.Get("api-version")
	switch {
	case x.version == "" && !open:
		return fault.New(fault.Invalid, "The api-version query parameter (?api-version=) is required for all requests").WithReason(reasonNoVersion)
	case x.version != "" && !versionForm.MatchString(x.version):
		return fault.New(fault.Invalid, "The api-version '%.32s' is invalid", x.version).WithReason(reasonBadVersion)
	}
	return nil
}

func (x *request) reply(v any) error { return face.Reply(x.w, http.StatusOK, v) }

// replyPut answers a PUT: 201 for what is new.
func (x *request) replyPut(created bool, v any) error {
	if created {
		return face.Reply(x.w, http.StatusCreated, v)
	}
	return x.reply(v)
}

// replyHead answers a HEAD: 204 for what is there, 404 for what is missing, which is told by
// its reason.
func (x *request) replyHead(err error, missing string) error {
	switch {
	case fault.As(err).Reason == missing:
		x.w.WriteHeader(http.StatusNotFound)
		return nil
	case err != nil:
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

// A listOut is a page of anything. An empty list is "[]", not null.
type listOut[T any] struct {
	Value    []T    `json:"value"`
	NextLink string `json:"nextLink,omitempty"`
}

func listOf[T any](items []T) listOut[T] { return listOut[T]{Value: append([]T{}, items...)} }
