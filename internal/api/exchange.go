package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	exchangeLimit   = 15 * time.Minute // the longest a command may run (row CK-344)
	exchangeBody    = 256 << 10        // bytes of a request body
	exchangeReading = 30 * time.Second // the longest a body may take to arrive
)

// ExchangeConfig is what the Exchange admin REST face needs.
type ExchangeConfig struct {
	Services cmdlet.Services // required: what the commands work on
	BaseURL  string          // required: where clients reach this face, "https://outlook.localhost:8443"

	// Verify returns the caller that a token stands for; "" is a request without one. Required.
	Verify func(ctx context.Context, bearer string) (directory.Caller, error)
	// Tenant returns the id of the organization of that id or domain; fault.NotFound. Required.
	Tenant func(ctx context.Context, idOrDomain string) (string, error)

	Log *slog.Logger // errors, one line each; slog.Default if nil
}

// An Exchange answers for outlook.{domain}: the admin REST protocol of Exchange Online
// PowerShell (section 7 of the requirements), over the service's rows of the cmdlet table.
//
//	POST /adminapi/{beta|v1.0}/{tenant}/InvokeCommand
//
// {tenant} must be the caller's own; any other, there or not, gets the same answer as a
// command that the caller may not run. Headers that route or describe a request, above all
// X-AnchorMailbox, decide nothing (row CK-332).
type Exchange struct {
	c     ExchangeConfig
	table []cmdlet.Cmdlet
}

// NewExchange returns the face. It starts nothing.
func NewExchange(c ExchangeConfig) (*Exchange, error) {
	if c.Services.Policies == nil || c.Services.Requests == nil || c.Services.Activity == nil || c.BaseURL == "" || c.Verify == nil || c.Tenant == nil {
		return nil, errors.New("api: Services, BaseURL, Verify and Tenant are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return &Exchange{c: c, table: cmdlet.Table()}, nil
}

// An invocation is one request on its way through the face.
type invocation struct {
	id      string // request id
	version string // beta or v1.0
	tenant  string // as written in the path
	caller  directory.Caller
	call    *cmdlet.Call // nil until the body has been read
}

// ServeHTTP answers one request.
func (x *Exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := &invocation{id: uuid.NewString()}
	h := w.Header()
	h.Set(headerRequest, in.id)
	h.Set("OData-Version", "4.0")
	ctx, cancel := context.WithTimeout(r.Context(), exchangeLimit)
	defer cancel()
	reply, err := x.serve(ctx, w, r, in)
	if err != nil {
		x.fail(ctx, w, r, in, err)
		return
	}
	writeExchange(w, http.StatusOK, reply)
}

func (x *Exchange) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, in *invocation) (*cmdlet.Reply, error) {
	if err := in.route(w, r); err != nil {
		return nil, err
	}
	caller, err := x.c.Verify(ctx, bearer(r))
	if err != nil {
		return nil, err
	}
	caller.Request, caller.Address = in.id, address(r)
	in.caller = caller
	body, err := readInvocation(w, r)
	if err != nil {
		return nil, err
	}
	if err := x.ownTenant(ctx, in, body); err != nil {
		return nil, err
	}
	return x.invoke(ctx, r, in, body)
}

// route reads the path. The fixed parts are matched in any case of letters.
func (in *invocation) route(w http.ResponseWriter, r *http.Request) error {
	segments, err := split(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	if len(segments) != 4 || !strings.EqualFold(segments[0], "adminapi") || !strings.EqualFold(segments[3], "InvokeCommand") {
		return fault.New(fault.NotFound, "there is nothing at this address").
			WithHint("commands go to /adminapi/beta/{tenant}/InvokeCommand")
	}
	in.version, in.tenant = strings.ToLower(segments[1]), segments[2]
	if in.version != "beta" && in.version != "v1.0" {
		return fault.New(fault.NotFound, "there is no such version of this interface").WithHint("use beta or v1.0")
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return fault.New(fault.Invalid, "commands are sent with POST").WithReason(reasonMethod)
	}
	return nil
}

// ownTenant refuses any organization but the caller's own.
func (x *Exchange) ownTenant(ctx context.Context, in *invocation, body cmdlet.Invocation) error {
	id, err := x.c.Tenant(ctx, in.tenant)
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return err
	}
	if err != nil || id != in.caller.Tenant {
		row, err := cmdlet.Find(x.table, body.CmdletInput.CmdletName)
		if err != nil {
			row = &cmdlet.Cmdlet{Name: "InvokeCommand"} // what the caller has made up is in no record
		}
		return x.refuse(ctx, in, row, body, "the token is not for the organization in the path")
	}
	return nil
}

// refuse records that the caller tried what he may not, and returns the refusal.
func (x *Exchange) refuse(ctx context.Context, in *invocation, row *cmdlet.Cmdlet, body cmdlet.Invocation, why string) error {
	refusal := fault.New(fault.Forbidden, "%s", why)
	command := activity.Command{Name: row.Name, Parameters: row.Given(body.CmdletInput.Parameters), Caller: in.caller}
	if err := x.c.Services.Activity.Refuse(ctx, command, refusal); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the decision cannot be recorded, so nothing was done").WithHint("try again")
	}
	return refusal
}

// find returns the row of that name, if it is the service's and the caller may run it. An
// attempt to run one that the caller may not is recorded.
func (x *Exchange) find(ctx context.Context, in *invocation, body cmdlet.Invocation) (*cmdlet.Cmdlet, error) {
	row, err := cmdlet.Find(x.table, body.CmdletInput.CmdletName)
	if err != nil {
		return nil, err
	}
	if row.Side != cmdlet.Service {
		return nil, fault.New(fault.NotFound, "%s does not run in the service", row.Name).WithReason(cmdlet.ReasonUnknown)
	}
	if row.MayRun(in.caller, x.c.Services.Policies.Roles()) {
		return row, nil
	}
	return nil, x.refuse(ctx, in, row, body, "the caller has no role that may run "+row.Name)
}
