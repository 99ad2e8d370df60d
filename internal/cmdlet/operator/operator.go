// Package operator runs the commands of whoever operates the service: in the client, against
// the operator's paths of our own resource manager.
package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/fault"
)

// Config says where the service is and who asks.
type Config struct {
	Management string                                // required: resource manager, "https://management.localhost:8443"
	HTTP       *http.Client                          // required: reaches and trusts it
	Token      func(context.Context) (string, error) // required: an access token for it
}

// A Runner runs the operator's side of the cmdlet table. It is safe for concurrent use.
type Runner struct{ c Config }

// New returns a Runner. It connects to nothing.
func New(c Config) (*Runner, error) {
	if c.Management == "" || c.HTTP == nil || c.Token == nil {
		return nil, errors.New("operator: Management, HTTP and Token are required")
	}
	c.Management = strings.TrimRight(c.Management, "/")
	return &Runner{c}, nil
}

// Run carries out a call. Errors are faults.
func (r *Runner) Run(ctx context.Context, call *cmdlet.Call) error {
	switch call.Cmdlet.Name {
	case "Get-CKRetentionRequest":
		return r.list(ctx, call)
	case "Approve-CKRetentionRequest":
		return r.decide(ctx, call, "approve")
	case "Deny-CKRetentionRequest":
		return r.decide(ctx, call, "deny")
	}
	return fault.New(fault.Invalid, "%s is no command of operators", call.Cmdlet.Name)
}

// A request is a subscription that waits for an operator.
type request struct {
	Tenant       string    `json:"tenantId"`
	Subscription string    `json:"subscriptionId"`
	DisplayName  string    `json:"displayName"`
	State        string    `json:"state"`
	AskedBy      string    `json:"requestedBy"`
	AskedName    string    `json:"requestedByName"`
	Asked        time.Time `json:"requestedAt"`
}

func (q request) object() cmdlet.Object {
	return cmdlet.Object{Type: cmdlet.RequestType, Fields: []cmdlet.Field{
		{Name: "SubscriptionId", Value: q.Subscription},
		{Name: "DisplayName", Value: q.DisplayName},
		{Name: "State", Value: q.State},
		{Name: "RequestedBy", Value: cmp.Or(q.AskedName, q.AskedBy)},
		{Name: "RequestedById", Value: q.AskedBy},
		{Name: "RequestedAt", Value: q.Asked},
		{Name: "TenantId", Value: q.Tenant},
	}}
}

// effects says what deciding a request comes to: how is approve or deny.
func (q request) effects(how string) []string {
	switch {
	case how != "approve":
		return []string{"The subscription stays as it is; " + cmp.Or(q.AskedName, q.AskedBy) + " can ask again."}
	case q.State == "Pending":
		return []string{
			"The subscription is registered for mandatory retention; that counts once its owner has registered the provider Microsoft.KeyVault.",
			"Then nobody can purge its vaults and keys before their retention has passed, and the subscription cannot be cancelled meanwhile.",
		}
	}
	return []string{"Mandatory retention of the subscription ends: its keys and vaults can be purged where their recovery level allows it. It is refused while a policy uses a key of the subscription."}
}

func (r *Runner) list(ctx context.Context, call *cmdlet.Call) error {
	if id := call.Args.Text("SubscriptionId"); id != "" {
		q, err := r.find(ctx, id)
		if err != nil {
			return err
		}
		return call.Host.Object(q.object())
	}
	return r.each(ctx, func(q request) error { return call.Host.Object(q.object()) })
}

func (r *Runner) decide(ctx context.Context, call *cmdlet.Call, how string) error {
	q, err := r.find(ctx, call.Args.Text("SubscriptionId"))
	if err != nil {
		return err
	}
	what := map[string]string{"Pending": "that it registers for mandatory retention", "Unregistering": "that its mandatory retention ends"}[q.State]
	target := "subscription " + q.Subscription + " (" + q.DisplayName + ")"
	if call.Common.WhatIf {
		return service.Foretell(call, how+" "+what, target, q.effects(how)...)
	}
	if proceed, err := call.ShouldProcess(how+" "+what, target); err != nil || !proceed {
		return err
	}
	var decided request
	path := "/operator/retentionRequests/" + url.PathEscape(q.Tenant) + "/" + url.PathEscape(q.Subscription) + "/" + how
	if err := r.send(ctx, http.MethodPost, r.c.Management+path, &decided); err != nil {
		return err
	}
	return call.Host.Object(decided.object())
}

// find returns the request of one subscription.
func (r *Runner) find(ctx context.Context, subscription string) (found request, err error) {
	err = r.each(ctx, func(q request) error {
		if strings.EqualFold(q.Subscription, subscription) {
			found = q
		}
		return nil
	})
	if err == nil && found.Subscription == "" {
		err = fault.New(fault.NotFound, "the subscription %q waits for nothing", subscription).WithHint("see those that do with: ck Get-CKRetentionRequest")
	}
	return found, err
}

// each calls see for every request that waits.
func (r *Runner) each(ctx context.Context, see func(request) error) error {
	for next := r.c.Management + "/operator/retentionRequests"; next != ""; {
		var page struct {
			Value []request `json:"value"`
			Next  string    `json:"nextLink"`
		}
		if err := r.send(ctx, http.MethodGet, next, &page); err != nil {
			return err
		}
		for _, q := range page.Value {
			if err := see(q); err != nil {
				return err
			}
		}
		if page.Next != "" && (page.Next == next || !strings.HasPrefix(page.Next, r.c.Management+"/")) {
			return fault.New(fault.Internal, "the service's answer does not say where it goes on") // our token goes there
		}
		next = page.Next
	}
	return nil
}

// mostBytes bounds an answer.
const mostBytes = 1 << 20

func (r *Runner) send(ctx context.Context, method, address string, into any) error {
	token, err := r.c.Token(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the service's address cannot be used")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := r.c.HTTP.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault.Wrap(fault.Unavailable, err, "the service at %s cannot be reached", r.c.Management).WithHint("see that it runs and that this is its address")
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBytes))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the service's answer broke off")
	}
	if res.StatusCode != http.StatusOK {
		return refusal(res.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fault.Wrap(fault.Internal, err, "the service's answer cannot be read")
	}
	return nil
}

// refusal is what the service said of a request that it did not carry out.
func refusal(status int, body []byte) error {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is no such body has no message
	message := strings.TrimSuffix(said.Error.Message, ".")
	if message == "" {
		message = "the service answered " + http.StatusText(status)
	}
	code := map[int]fault.Code{
		http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.Forbidden, http.StatusNotFound: fault.NotFound,
		http.StatusConflict: fault.Conflict, http.StatusTooManyRequests: fault.Throttled,
	}[status]
	switch {
	case code == "" && status >= http.StatusInternalServerError:
		code = fault.Unavailable
	case code == "":
		code = fault.Invalid
	}
	e := fault.New(code, "%s", message).WithReason(said.Error.Code)
	if code == fault.Unauthenticated {
		return e.WithHint("sign in with: ck login")
	}
	return e
}
