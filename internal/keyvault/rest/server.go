package rest

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// Config is what a Server needs.
type Config struct {
	Vaults *keyvault.Service // required
	Verify face.Verify       // required: who a bearer token stands for; audiences as in Audiences
	Domain string            // required: host and port the deployment is reached by, "localhost:8443"
	Log    *slog.Logger      // for what went wrong on our side; slog.Default if nil
	Events face.Events       // takes a record of each request to a vault that is there; nobody if nil
	Now    func() time.Time  // time.Now if nil

	// Authority says where clients of a tenant's vaults get tokens, by tenant id, if that is not
	// the deployment's own token service (row KV-137): "https://login.microsoftonline.com/{id there}".
	Authority map[string]string
}

// Audiences returns the audiences of tokens that the vaults of a domain accept (KV-135).
func Audiences(domain string) []string {
	own := "https://vault." + domain
	return []string{own, own + "/", "https://vault.azure.net", "https://vault.azure.net/"}
}

// A Server answers for every vault of a domain.
type Server struct {
	vaults *keyvault.Service
	verify face.Verify
	domain string // with the port
	suffix string // ".vault.localhost"
	log    *slog.Logger
	events face.Events
	now    func() time.Time

	authority map[string]string
}

// New returns a Server ready for use. TLS is the listener's.
func New(c Config) (*Server, error) {
	if c.Vaults == nil || c.Verify == nil || c.Domain == "" {
		return nil, errors.New("rest: Vaults, Verify and Domain are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	host := (&url.URL{Host: c.Domain}).Hostname()
	return &Server{
		vaults: c.Vaults, verify: c.Verify, domain: c.Domain, suffix: ".vault." + strings.ToLower(host),
		log: c.Log, events: c.Events, now: c.Now, authority: c.Authority,
	}, nil
}

// A request is one on its way through.
type request struct {
	*Server
	w      *face.Answer
	r      *http.Request
	id     string
	caller directory.Caller
	vault  string         // from the host name
	place  keyvault.Place // the vault's; zero if there is no such vault
	query  url.Values
	params map[string]string
	action keyvault.Action // the route's; "" if there is none
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &request{Server: s, w: face.NewAnswer(w), r: r, id: uuid.NewString()}
	face.Common(w.Header(), r, x.id)
	w.Header().Set("X-Ms-Keyvault-Service-Version", "customerkey-1")
	begun := s.now()
	if err := face.Guard(x.serve); err != nil {
		x.fail(err)
	}
	x.tell(begun)
}

// serve checks in the order of KV-102 what is not the domain's to check: that the vault
// exists, the token, api-version, the path. Before the token is verified nothing else of the
// request is looked at (KV-11).
func (x *request) serve() error {
	ctx := x.r.Context()
	vault, ok := strings.CutSuffix(face.Host(x.r), x.suffix)
	if !ok {
		return errNoVault()
	}
	place, err := x.vaults.Locate(ctx, vault)
	if err != nil {
		return err
	}
	x.vault, x.place = vault, place
	x.w.Header().Set("X-Ms-Keyvault-Region", place.Location)
	if x.caller, err = face.Caller(x.r, x.verify, x.id); err != nil {
		return err
	}
	if x.caller.Tenant != place.Tenant {
		if err := x.vaults.CheckTenant(ctx, x.caller, vault); err != nil {
			return err
		}
	}
	if err := x.readQuery(); err != nil {
		return err
	}
	do, params, allow, err := face.Match(routes, x.r)
	if len(allow) > 0 {
		x.w.Header().Set("Allow", strings.Join(allow, ", "))
	}
	if err != nil {
		return err
	}
	x.params, x.action = params, do.action
	err = do.handle(x)
	if m, ok := errors.AsType[face.Malformed](err); ok {
		return x.vaults.Refuse(ctx, x.caller, do.action, x.target(), m.Cause)
	}
	return err
}

func (x *request) target() keyvault.Target {
	return keyvault.Target{Vault: x.vault, Name: x.params["name"], Version: x.params["version"]}
}

func (x *request) reply(v any) error { return face.Reply(x.w, http.StatusOK, v) }

func errNoVault() error {
	return fault.New(fault.NotFound, "There is no such key vault").WithReason(keyvault.ReasonVaultNotFound)
}
