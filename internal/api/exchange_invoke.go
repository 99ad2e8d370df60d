package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// errPageFull stops a command when the page has all it can hold.
var errPageFull = errors.New("the page is full")

// A page collects what a command yields.
type page struct {
	reply   *cmdlet.Reply
	only    []string // properties wanted
	size    int      // most objects in the page
	left    int      // most objects in all that is left, 0 for no limit
	lastKey string   // of the last object in the page
	more    bool     // there is at least one object behind the page
}

// invoke binds and runs the command, and returns the answer of rows CK-337 and CK-338.
func (x *Exchange) invoke(ctx context.Context, r *http.Request, in *invocation, body cmdlet.Invocation) (*cmdlet.Reply, error) {
	row, err := x.find(ctx, in, body)
	if err != nil {
		return nil, err
	}
	seen := row.For(in.caller, x.c.Services.Policies.Roles())
	if hidden := row.Hides(seen, body.CmdletInput.Parameters); hidden != "" { // row CK-83: refused below as if there were none
		if err := x.refuse(ctx, in, row, body, "the caller has no role that may use -"+hidden); !fault.Is(err, fault.Forbidden) {
			return nil, err
		}
	}
	call, wanted, err := cmdlet.BindJSON(seen, body.CmdletInput.Parameters)
	if err != nil {
		return nil, err
	}
	in.call = call
	query := r.URL.Query()
	from, err := placeOf(query)
	if err != nil {
		return nil, err
	}
	if from.Left > 0 {
		wanted = from.Left
	}
	p := &page{reply: x.newReply(in), only: selected(query), size: pageWanted(r.Header), left: wanted}
	call.Caller, call.Page.After, call.Host = in.caller, from.After, p.host(call)
	for _, note := range call.Notes {
		call.Warn("%s", note)
	}
	if err := (cmdlet.Local{Services: x.c.Services}).Run(ctx, call); err != nil && !errors.Is(err, errPageFull) {
		return nil, late(ctx, err)
	}
	return p.reply, x.link(in, query, p)
}

// late tells a command that ran out of time from one that failed.
func late(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.Unavailable, err, "the command took longer than %s", exchangeLimit).
			WithHint("see how far it came before running it again")
	}
	return err
}

func (x *Exchange) newReply(in *invocation) *cmdlet.Reply {
	return &cmdlet.Reply{
		Context:      x.address(in) + "/$metadata#Collection(Exchange.GenericHashTable)",
		WarningsType: cmdlet.CollectionOfText,
		Warnings:     []string{},
		Value:        []cmdlet.Object{},
	}
}

// address is where the organization's commands are, without a final slash.
func (x *Exchange) address(in *invocation) string {
	return x.c.BaseURL + "/adminapi/" + in.version + "/" + url.PathEscape(in.tenant)
}

// host takes what the command says. Nobody can be asked over this wire: a command that has
// to ask changes nothing and gives its question back, and the client repeats it with
// -Confirm:$false once its user has agreed.
func (p *page) host(call *cmdlet.Call) cmdlet.Host {
	h := cmdlet.Host{
		Object: p.add,
		Warn:   func(text string) { p.reply.Warnings = append(p.reply.Warnings, text) },
		WhatIf: p.confirmation,
		Confirm: func(question string) (bool, error) {
			p.confirmation(question)
			return false, nil
		},
	}
	if cmdlet.Silent(call.Common.WarningAction) {
		h.Warn = nil
	}
	return h
}

func (p *page) confirmation(text string) {
	p.reply.Confirmation = strings.TrimPrefix(p.reply.Confirmation+"\n"+text, "\n")
}

func (p *page) add(o cmdlet.Object) error {
	n := len(p.reply.Value)
	if n == p.size && p.lastKey != "" || p.left > 0 && n == p.left { // without a key there is no next page: it would be this one for ever
		p.more = true
		return errPageFull
	}
	p.reply.Value = append(p.reply.Value, o.ToWire(p.only))
	p.lastKey = o.Key
	return nil
}

// link says where the answer goes on, or that there is more than was asked for (row CK-342).
func (x *Exchange) link(in *invocation, query url.Values, p *page) error {
	n := len(p.reply.Value)
	switch {
	case !p.more:
		return nil
	case p.left > 0 && n == p.left:
		p.reply.Warnings = append(p.reply.Warnings, "There are more results than were asked for; -ResultSize Unlimited returns all of them.")
		return nil
	}
	next := place{After: p.lastKey}
	if p.left > 0 {
		next.Left = p.left - n
	}
	token, err := next.token()
	if err != nil {
		return err
	}
	q := url.Values{"$skiptoken": {token}}
	if only := query.Get("$select"); only != "" {
		q.Set("$select", only)
	}
	p.reply.NextLink = x.address(in) + "/InvokeCommand?" + q.Encode()
	return nil
}
