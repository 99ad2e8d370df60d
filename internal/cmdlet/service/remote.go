package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/google/uuid"
)

const (
	largestReply   = 64 << 20 // bytes of one page
	firstPage      = 100      // objects: the first rows are to be seen at once
	laterPages     = 1000
	throttledTries = 3
	longestPause   = 30 * time.Second // the most that a Retry-After may make us wait
)

// Remote runs rows of the service side by sending them to the Exchange admin REST face.
type Remote struct {
	BaseURL string                                // required: "https://outlook.localhost:8443"
	Tenant  string                                // required: the organization's GUID or domain
	HTTP    *http.Client                          // http.DefaultClient if nil
	Token   func(context.Context) (string, error) // required: an access token for the service
}

// Run sends the call and hands each object of the answer to the host, page by page. Errors
// are faults with the code and the hint that the service gave them; a service that cannot be
// reached is fault.Unavailable.
func (r Remote) Run(ctx context.Context, call *cmdlet.Call) error {
	if !call.Common.WhatIf && call.Cmdlet.Impact != cmdlet.None {
		if proceed, err := call.ShouldProcess(call.Cmdlet.Name, call.Target()); err != nil || !proceed {
			return err // the service has nobody to ask, so we do
		}
	}
	body, err := invocation(call)
	if err != nil {
		return err
	}
	next := strings.TrimRight(r.BaseURL, "/") + "/adminapi/beta/" + url.PathEscape(r.Tenant) + "/InvokeCommand"
	for size := firstPage; next != ""; size = laterPages {
		reply, err := r.page(ctx, call, pageRequest{next, body, size})
		if err != nil {
			return err
		}
		if err := deliver(call, reply); err != nil {
			return err
		}
		if next, err = r.following(next, reply.NextLink); err != nil {
			return err
		}
	}
	return nil
}

// invocation encodes the call as the body of row CK-327.
func invocation(call *cmdlet.Call) ([]byte, error) {
	var in cmdlet.Invocation
	in.CmdletInput.CmdletName = call.Cmdlet.Name
	params := cmdlet.Object{Fields: []cmdlet.Field{}}
	for name, v := range call.Args.All() {
		params.Fields = append(params.Fields, cmdlet.Field{Name: name, Value: v})
	}
	if call.Common.WhatIf {
		params.Fields = append(params.Fields, cmdlet.Field{Name: "WhatIf", Value: true})
	}
	if call.Cmdlet.Impact != cmdlet.None {
		params.Fields = append(params.Fields, cmdlet.Field{Name: "Confirm", Value: false})
	}
	in.CmdletInput.Parameters = params
	return json.Marshal(in)
}

// deliver hands what a reply has to the host of the call.
func deliver(call *cmdlet.Call, reply *cmdlet.Reply) error {
	for _, w := range reply.Warnings {
		call.Warn("%s", w)
	}
	if reply.Confirmation != "" && call.Host.WhatIf != nil {
		for line := range strings.Lines(reply.Confirmation) {
			call.Host.WhatIf(strings.TrimSuffix(line, "\n"))
		}
	}
	for _, w := range reply.Value {
		o := cmdlet.FromWire(w)
		if o.Type = call.Cmdlet.Output; o.Get("WhatIf") != nil {
			o.Type = cmdlet.ReportType
		} else if call.Args.Has("Sample") {
			o.Type = sampleType
		}
		if err := call.Host.Object(o); err != nil {
			return err
		}
	}
	for _, e := range reply.Errors {
		if err := call.Fail(survived(e)); err != nil {
			return err
		}
	}
	return nil
}

// following checks a nextLink: it must stay at the service, for our token goes with it, and
// must lead on.
func (r Remote) following(current, next string) (string, error) {
	if next == "" {
		return "", nil
	}
	here, err := url.Parse(current)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the service's address cannot be read")
	}
	there, err := url.Parse(next)
	if err != nil || there.Scheme != here.Scheme || there.Host != here.Host || next == current {
		return "", fault.New(fault.Internal, "the service's answer does not say where it goes on")
	}
	return next, nil
}

// A pageRequest asks for one page of an answer.
type pageRequest struct {
	address string
	body    []byte
	size    int // the most objects wanted
}

// page posts the body to one address. A throttled request has not been carried out, so it
// is sent again after the pause asked for.
func (r Remote) page(ctx context.Context, call *cmdlet.Call, p pageRequest) (*cmdlet.Reply, error) {
	for try := 1; ; try++ {
		reply, pause, err := r.post(ctx, call, p)
		if !fault.Is(err, fault.Throttled) || try == throttledTries || pause > longestPause {
			return reply, err
		}
		call.Verbose("The service asks to wait %s.", pause)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (r Remote) post(ctx context.Context, call *cmdlet.Call, p pageRequest) (*cmdlet.Reply, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address, bytes.NewReader(p.body))
	if err != nil {
		return nil, 0, fault.Wrap(fault.Internal, err, "the service's address cannot be used")
	}
	token, err := r.Token(ctx)
	if err != nil {
		return nil, 0, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, 0, fmt.Errorf("choosing a request id: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Prefer", "odata.maxpagesize="+strconv.Itoa(p.size))
	req.Header.Set("X-CmdletName", call.Cmdlet.Name)
	req.Header.Set("client-request-id", id.String())
	if strings.EqualFold(call.Common.ErrorAction, "Stop") { // silence is ours to keep: the exit code stays
		req.Header.Set("ErrorAction", "Stop")
	}
	call.Verbose("POST %s", p.address)
	return r.send(req, call)
}

func (r Remote) send(req *http.Request, call *cmdlet.Call) (*cmdlet.Reply, time.Duration, error) {
	client := r.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		if req.Context().Err() != nil {
			return nil, 0, req.Context().Err()
		}
		return nil, 0, fault.Wrap(fault.Unavailable, err, "the service at %s cannot be reached", r.BaseURL).
			WithHint("see that it runs and that this is its address; start one with: ck serve")
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, largestReply))
	if err != nil {
		return nil, 0, fault.Wrap(fault.Unavailable, err, "the service's answer broke off")
	}
	switch res.StatusCode {
	case http.StatusNoContent: // row CK-340
		return &cmdlet.Reply{}, 0, nil
	case http.StatusOK:
		var reply cmdlet.Reply
		if err := json.Unmarshal(data, &reply); err != nil {
			return nil, 0, fault.Wrap(fault.Internal, err, "the service's answer cannot be read")
		}
		return &reply, 0, nil
	}
	return nil, retryAfter(res.Header), replyFault(res, data, call)
}
