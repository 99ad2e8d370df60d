package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	mostInBatch = 10 // requests of a batch (row CK-351)
	longestID   = 128
	reasonOrder = "FailedDependency"
)

// A batchRequest is one request of a batch, not yet looked at beyond its form.
type batchRequest struct {
	id, method, url string
	header          http.Header
	body            cmdlet.Object
}

// A batchResponse is the answer to it: the body is what it would be by itself (row CK-351).
type batchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body,omitempty"`
}

// batch runs requests in the order in which they stand, for the same caller, each with a request
// id of its own. Behind one that failed the others are not run, but answered with 424, unless
// the client prefers to go on (row CK-333). A batch that is not one is refused before anything
// of it has run.
func (x *Exchange) batch(ctx context.Context, in *invocation, body cmdlet.Object) (*response, error) {
	requests, err := readBatch(body)
	if err != nil {
		return nil, err
	}
	responses := make([]batchResponse, 0, len(requests))
	for goOn, failed := goesOn(in.header), false; len(responses) < len(requests); {
		q := requests[len(responses)]
		sub := in.part(q, len(requests))
		res, err := x.runPart(ctx, in, sub, q, failed && !goOn)
		if err != nil {
			res = x.failure(ctx, sub, err)
		}
		if res == nil { // the client has left
			return nil, ctx.Err()
		}
		failed = failed || res.status >= http.StatusBadRequest
		responses = append(responses, batchResponse{q.id, res.status, flat(sub.out, res), res.body})
	}
	return &response{http.StatusOK, map[string]any{"responses": responses}}, nil
}

// part begins a request of a batch. What the headers of the batch prefer holds for it unless it
// says otherwise; an Authorization of its own counts for nothing. The objects of one page are
// shared out among all, so that no batch makes an answer longer than one page.
func (in *invocation) part(q batchRequest, all int) *invocation {
	header := q.header.Clone()
	for _, name := range []string{"Prefer", "X-ResponseFormat", "X-SerializationLevel", "ErrorAction", "WarningAction"} {
		if name = http.CanonicalHeaderKey(name); len(header[name]) == 0 && len(in.header[name]) > 0 {
			header[name] = in.header[name]
		}
	}
	sub := newInvocation(header)
	sub.caller, sub.most = in.caller, exchangePage/all
	sub.caller.Request = sub.id
	return sub
}

func (x *Exchange) runPart(ctx context.Context, in, sub *invocation, q batchRequest, behind bool) (*response, error) {
	switch {
	case ctx.Err() != nil:
		return nil, x.late(ctx, ctx.Err())
	case behind:
		return nil, fault.New(fault.Conflict, "it was not run, for a request before it in the batch failed").
			WithReason(reasonOrder).WithHint("set Prefer: odata.continue-on-error to run all of them")
	}
	address, err := x.within(in, q.url)
	if err != nil {
		return nil, err
	}
	end, err := sub.route(strings.ToUpper(q.method), address)
	if err != nil {
		return nil, err
	}
	if end.batch {
		return nil, fault.New(fault.Invalid, "a batch cannot be in a batch").WithHint("send it by itself")
	}
	if err := x.count(ctx, sub); err != nil {
		return nil, err
	}
	if err := x.ownTenant(ctx, sub, end, q.body); err != nil {
		return nil, err
	}
	return end.serve(x, ctx, sub, q.body)
}

// within returns the address that a request of a batch names: whole, as nextLink is, or from the
// root of the host, or from where the batch was sent. Nothing is ever fetched from elsewhere.
func (x *Exchange) within(in *invocation, text string) (*url.URL, error) {
	base, err := url.Parse(x.address(in) + "/")
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "reading our own address")
	}
	address, err := base.Parse(text)
	if err != nil || address.Scheme != base.Scheme || !strings.EqualFold(address.Host, base.Host) || address.User != nil {
		return nil, fault.New(fault.Invalid, "the url of this request is not one of this service").
			WithHint("give it as nextLink does, or as InvokeCommand alone")
	}
	return address, nil
}

// readBatch reads the body of a batch.
func readBatch(body cmdlet.Object) ([]batchRequest, error) {
	list, err := member[[]any](body, "requests")
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, fault.New(fault.Invalid, "the batch has no requests").WithHint("%s", batchHint)
	case len(list) > mostInBatch:
		return nil, fault.New(fault.Invalid, "the batch has %d requests, more than %d", len(list), mostInBatch).WithHint("send several batches")
	}
	requests := make([]batchRequest, len(list))
	for i, item := range list {
		o, ok := item.(cmdlet.Object)
		if !ok {
			return nil, fault.New(fault.Invalid, "request %d of the batch is no object", i+1).WithHint("%s", batchHint)
		}
		if requests[i], err = readPart(o); err != nil {
			return nil, fault.New(fault.Invalid, "request %d of the batch: %s", i+1, fault.As(err).Message).WithHint("%s", batchHint)
		}
		if slices.ContainsFunc(requests[:i], func(q batchRequest) bool { return q.id == requests[i].id }) {
			return nil, fault.New(fault.Invalid, "two requests of the batch have one id").WithHint("give each one of its own")
		}
	}
	return requests, nil
}

const batchHint = `send {"requests":[{"id":"1","method":"POST","url":"InvokeCommand","headers":{},"body":{...}}]}`

func readPart(o cmdlet.Object) (q batchRequest, err error) {
	for name, into := range map[string]*string{"id": &q.id, "method": &q.method, "url": &q.url} {
		if *into, err = member[string](o, name); err != nil {
			return q, err
		}
	}
	if q.id == "" || len(q.id) > longestID || q.url == "" {
		return q, fault.New(fault.Invalid, "it has no id, no url, or an id of more than %d bytes", longestID)
	}
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.body, err = member[cmdlet.Object](o, "body"); err != nil {
		return q, err
	}
	headers, err := member[cmdlet.Object](o, "headers")
	q.header = http.Header{}
	for _, f := range headers.Fields {
		if text, ok := f.Value.(string); ok { // a header that is no text says nothing
			q.header.Add(f.Name, text)
		}
	}
	return q, err
}

// spelled are names of headers that net/http spells in its own way. To HTTP that is one; to a
// reader of JSON it may not be.
var spelled = map[string]string{"Odata-Version": "OData-Version", "X-Exceptiontype": "X-ExceptionType", "Www-Authenticate": "WWW-Authenticate"}

// flat returns the headers of an answer as a batch has them.
func flat(out http.Header, res *response) map[string]string {
	headers := map[string]string{}
	for name, values := range out {
		headers[cmp.Or(spelled[name], name)] = strings.Join(values, ", ")
	}
	if _, text := res.body.(string); !text && res.body != nil {
		headers["Content-Type"] = exchangeType
	}
	return headers
}
