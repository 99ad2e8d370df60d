package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/fault"
)

// An endpoint is a row of the face's table. Version beta and v1.0 serve all of them: Microsoft's
// v1.0 refuses InvokeCommand, which helps nobody (row CK-325).
type endpoint struct {
	method string
	name   string // the last segment of the path
	body   int64  // the most bytes of its body; 0: it takes none
	batch  bool   // runs others, and none of its kind
	serve  func(x *Exchange, ctx context.Context, in *invocation, body cmdlet.Object) (*response, error)
}

func endpoints() []endpoint {
	return []endpoint{
		{http.MethodPost, "InvokeCommand", 256 << 10, false, (*Exchange).invokeCommand},
		{http.MethodPost, "$batch", 1 << 20, true, (*Exchange).batch},
		{http.MethodGet, "EXOModuleFile", 0, false, (*Exchange).moduleFile},
		{http.MethodGet, "EXOBanner('AutogenSession')", 0, false, (*Exchange).banner},
	}
}

// route reads the address and returns what it is of. Fixed parts are matched in any case of
// letters (row CK-324: clients write AdminApi too).
func (in *invocation) route(method string, address *url.URL) (endpoint, error) {
	segments, err := split(address.EscapedPath())
	if err != nil {
		return endpoint{}, err
	}
	nothing := fault.New(fault.NotFound, "there is nothing at this address").
		WithHint("commands go to /adminapi/beta/{tenant}/InvokeCommand")
	if len(segments) != 4 || !strings.EqualFold(segments[0], "adminapi") {
		return endpoint{}, nothing
	}
	in.version, in.tenant, in.query = strings.ToLower(segments[1]), segments[2], address.Query()
	if in.version != "beta" && in.version != "v1.0" {
		return endpoint{}, fault.New(fault.NotFound, "there is no such version of this interface").WithHint("use beta or v1.0")
	}
	for _, end := range endpoints() {
		switch {
		case !strings.EqualFold(end.name, segments[3]):
		case end.method != method:
			in.out.Set("Allow", end.method)
			return endpoint{}, fault.New(fault.Invalid, "%s takes %s", end.name, end.method).WithReason(reasonMethod)
		default:
			return end, nil
		}
	}
	return endpoint{}, nothing
}

// ownTenant refuses any organization but the caller's own. What is recorded is the command that
// was asked for, if there is one.
func (x *Exchange) ownTenant(ctx context.Context, in *invocation, end endpoint, body cmdlet.Object) error {
	id, err := x.c.Tenant(ctx, in.tenant)
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return err
	}
	if err == nil && id == in.caller.Tenant {
		return nil
	}
	name, params, _ := cmdletInput(body) // of what is no command there is nothing to tell
	row, err := cmdlet.Find(x.table, name)
	if err != nil {
		row = &cmdlet.Cmdlet{Name: end.name}
	}
	return x.refuse(ctx, in, row, params, "the token is not for the organization in the path")
}

// find returns the row of that name, if it is the service's and the caller may run it. Any other
// is refused in one and the same way, and recorded (row CK-347).
func (x *Exchange) find(ctx context.Context, in *invocation, name string, params cmdlet.Object) (*cmdlet.Cmdlet, error) {
	row, err := cmdlet.Find(x.table, name)
	if err != nil {
		row = &cmdlet.Cmdlet{Name: "InvokeCommand"} // what the caller has made up is in no record
	} else if row.Side == cmdlet.Service && row.MayRun(in.caller, x.c.Services.Policies.Roles()) {
		return row, nil
	}
	return nil, x.refuse(ctx, in, row, params, "the caller has no role that may run this command")
}

// refuse records that the caller tried what he may not, and returns the refusal.
func (x *Exchange) refuse(ctx context.Context, in *invocation, row *cmdlet.Cmdlet, params cmdlet.Object, why string) error {
	refusal := fault.New(fault.Forbidden, "%s", why)
	if err := x.record(ctx, activity.Command{Name: row.Name, Parameters: service.Given(row, params), Caller: in.caller}, refusal); err != nil {
		return err
	}
	return refusal
}

// record writes that a command came to nothing before it began.
func (x *Exchange) record(ctx context.Context, c activity.Command, why error) error {
	if err := x.c.Services.Activity.Refuse(ctx, c, why); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the decision cannot be recorded, so nothing was done").WithHint("try again")
	}
	return nil
}
