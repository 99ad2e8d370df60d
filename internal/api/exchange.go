package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/api/throttle"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
)

const (
	exchangeLimit   = 15 * time.Minute // the longest a command may run (row CK-344)
	exchangeReading = 30 * time.Second // the longest a body may take to arrive
	exchangeWriting = time.Minute      // the longest an answer may take to be read
)

// ExchangeConfig is what the Exchange admin REST face needs.
type ExchangeConfig struct {
	Services service.Services // required: what the commands work on
	BaseURL  string           // required: where clients reach this face, "https://outlook.localhost:8443"

	// Verify returns the caller that a token stands for; "" is a request without one. Required.
	Verify func(ctx context.Context, bearer string) (directory.Caller, error)
	// Tenant returns the id of the organization of that id or domain; fault.NotFound. Required.
	Tenant func(ctx context.Context, idOrDomain string) (string, error)

	Throttle *throttle.Throttle // what callers may ask; everything if nil
	Within   time.Duration      // how long a request may work; 15 min if 0 (row CK-344)
	Reading  time.Duration      // how long its body may take to arrive; 30 s if 0
	Now      func() time.Time   // time.Now if nil
	Log      *slog.Logger       // errors, one line each; slog.Default if nil
}

// An Exchange answers for outlook.{domain}: the admin REST protocol of Exchange Online
// PowerShell (section 7 of the requirements), over the service's rows of the cmdlet table.
//
//	POST /adminapi/{beta|v1.0}/{tenant}/InvokeCommand               runs a command
//	POST /adminapi/{beta|v1.0}/{tenant}/$batch                      runs up to ten
//	GET  /adminapi/{beta|v1.0}/{tenant}/EXOModuleFile               what the caller may run
//	GET  /adminapi/{beta|v1.0}/{tenant}/EXOBanner('AutogenSession') nothing to say
//
// {tenant} must be the caller's own; any other, there or not, gets the same answer as a
// command that the caller may not run. Headers that route or describe a request, above all
// X-AnchorMailbox, decide nothing (row CK-332).
type Exchange struct {
	c     ExchangeConfig
	table []cmdlet.Cmdlet
	local service.Local
}

// NewExchange returns the face. It starts nothing.
func NewExchange(c ExchangeConfig) (*Exchange, error) {
	if c.Services.Policies == nil || c.Services.Requests == nil || c.Services.Activity == nil || c.BaseURL == "" || c.Verify == nil || c.Tenant == nil {
		return nil, errors.New("api: Services, BaseURL, Verify and Tenant are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Within, c.Reading = cmp.Or(c.Within, exchangeLimit), cmp.Or(c.Reading, exchangeReading)
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return &Exchange{c: c, table: rows.Table(), local: service.NewLocal(c.Services)}, nil
}

// An invocation is one request on its way through the face, come by itself or in a batch.
type invocation struct {
	id      string      // request id
	header  http.Header // of the request
	query   url.Values
	version string // beta or v1.0
	tenant  string // as written in the path
	caller  directory.Caller
	most    int          // objects of its answer; 0: those of a page
	call    *cmdlet.Call // nil until parameters are bound
	warned  []string     // what the command has warned of
	out     http.Header  // of the answer
}

// A response is what answers an invocation, in a body of its own or in that of a batch.
type response struct {
	status int
	body   any // a string is plain text, nil nothing at all, everything else JSON
}

// newInvocation begins a request. What the client calls it is told back, so that both sides
// have one name for it in their logs (row CK-336).
func newInvocation(header http.Header) *invocation {
	in := &invocation{id: uuid.NewString(), header: header, out: http.Header{}}
	in.out.Set(headerRequest, in.id)
	in.out.Set("OData-Version", "4.0")
	if id, err := uuid.Parse(header.Get(headerClient)); err == nil {
		in.out.Set(headerClient, id.String())
	}
	return in
}

const headerClient = "Client-Request-Id"

// ServeHTTP answers one request.
func (x *Exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(x.c.Within + exchangeWriting)) // where the connection has deadlines
	in := newInvocation(r.Header)
	ctx, cancel := context.WithTimeout(r.Context(), x.c.Within)
	defer cancel()
	res, err := x.serve(ctx, w, r, in)
	if err != nil {
		res = x.failure(ctx, in, err)
	}
	if res != nil {
		x.send(w, r, in, res)
	}
}

func (x *Exchange) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, in *invocation) (*response, error) {
	end, err := in.route(r.Method, r.URL)
	if err != nil {
		return nil, err
	}
	caller, err := x.c.Verify(ctx, bearer(r.Header))
	if err != nil {
		return nil, err
	}
	caller.Request, caller.Address = in.id, address(r)
	in.caller = caller
	leave, err := x.enter(ctx, in)
	if err != nil {
		return nil, err
	}
	defer leave()
	body, err := x.readBody(w, r, end.body)
	if err != nil {
		return nil, err
	}
	if err := x.ownTenant(ctx, in, end, body); err != nil {
		return nil, err
	}
	return end.serve(x, ctx, in, body)
}
