package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/clixml"
	"github.com/customerkey/customerkey/internal/fault"
)

// errPageFull stops a command when the page has all it can hold.
var errPageFull = errors.New("the page is full")

// A page collects what a command yields.
type page struct {
	x       *Exchange
	in      *invocation
	reply   *exchangeReply
	wishes  wishes
	only    []string // properties wanted
	left    int      // most objects in all that is left, 0 for no limit
	lastKey string   // of the last object in the page
	more    bool     // there is at least one object behind the page
}

// An exchangeReply is the body of a success, with the objects in the format asked for.
type exchangeReply struct {
	cmdlet.Reply
	Value []json.RawMessage `json:"value"`
}

func (x *Exchange) newReply(in *invocation) *exchangeReply {
	return &exchangeReply{
		Reply: cmdlet.Reply{
			Context:      x.address(in) + "/$metadata#Collection(Exchange.GenericHashTable)",
			WarningsType: cmdlet.CollectionOfText,
			Warnings:     []string{},
		},
		Value: []json.RawMessage{},
	}
}

// invokeCommand binds and runs a command, and returns the answer of rows CK-337 and CK-338.
func (x *Exchange) invokeCommand(ctx context.Context, in *invocation, body cmdlet.Object) (*response, error) {
	p, err := x.newPage(in)
	if err != nil {
		return nil, err
	}
	if err := x.bind(ctx, in, p, body); err != nil {
		return nil, err
	}
	for _, note := range in.call.Notes {
		in.call.Warn("%s", note)
	}
	if err := x.local.Run(ctx, in.call); err != nil && !errors.Is(err, errPageFull) {
		return nil, x.late(ctx, err)
	}
	if err := p.link(); err != nil {
		return nil, err
	}
	p.reply.Warnings = in.warnings()
	return &response{http.StatusOK, p.reply}, nil
}

func (x *Exchange) newPage(in *invocation) (*page, error) {
	w, err := wishesOf(in.header)
	if in.most > 0 {
		w.page = min(w.page, in.most)
	}
	return &page{x: x, in: in, reply: x.newReply(in), wishes: w, only: selected(in.query)}, err
}

// bind finds the command and brings its parameters together.
func (x *Exchange) bind(ctx context.Context, in *invocation, p *page, body cmdlet.Object) error {
	name, params, err := cmdletInput(body)
	if err != nil {
		return err
	}
	row, err := x.find(ctx, in, name, params)
	if err != nil {
		return err
	}
	seen := row.For(in.caller, x.c.Services.Policies.Roles())
	if hidden := row.Hides(seen, params); hidden != "" { // row CK-83: refused below as if there were none
		if err := x.refuse(ctx, in, row, params, "the caller has no role that may use -"+hidden); !fault.Is(err, fault.Forbidden) {
			return err
		}
	}
	call, wanted, err := cmdlet.BindJSON(seen, params)
	if err != nil {
		return err
	}
	in.call = call
	from, err := placeOf(in.query)
	if err != nil {
		return err
	}
	if p.left = wanted; from.Left > 0 {
		p.left = from.Left
	}
	if call.Common.ErrorAction == "" {
		call.Common.ErrorAction = p.wishes.onError
	}
	if call.Common.WarningAction == "" {
		call.Common.WarningAction = p.wishes.onWarn
	}
	call.Caller, call.Host = in.caller, p.host(call)
	call.Page = cmdlet.Page{After: from.After, Most: p.room()}
	return nil
}

// late tells a command that ran out of time from one that failed.
func (x *Exchange) late(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.Unavailable, err, "the command took longer than %s", x.c.Within).
			WithHint("see how far it came before running it again")
	}
	return err
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
		Warn:   func(text string) { p.in.warned = append(p.in.warned, text) },
		WhatIf: p.confirmation,
		Error:  p.survived,
		Confirm: func(question string) (bool, error) {
			p.confirmation(question)
			return false, nil
		},
	}
	if cmdlet.Silent(call.Common.WarningAction) {
		h.Warn = nil
	}
	if cmdlet.Silent(call.Common.ErrorAction) {
		h.Error = func(error) {}
	}
	return h
}

func (p *page) confirmation(text string) {
	p.reply.Confirmation = strings.TrimPrefix(p.reply.Confirmation+"\n"+text, "\n")
}

// survived notes an error that does not end the command (row CK-338).
func (p *page) survived(err error) {
	if p.isFull() { // it is on the next page too
		p.more = true
		return
	}
	if len(p.reply.Errors) == exchangePage {
		return // as many as there can be objects
	}
	f := fault.As(err)
	d := p.x.errorDetail(p.in, exchangeErrorOf(f), f)
	d.Fault = wireFault(f)
	p.reply.Errors = append(p.reply.Errors, d)
}

func (p *page) add(o cmdlet.Object) error {
	if p.isFull() {
		p.more = true
		return errPageFull
	}
	text, err := p.show(o)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "writing a result")
	}
	p.reply.Value = append(p.reply.Value, text)
	p.lastKey = o.Key
	return nil
}

// isFull reports whether no object more may come. Without a key there is no next page: it would
// be this one for ever.
func (p *page) isFull() bool {
	n := len(p.reply.Value)
	return n >= p.wishes.page && p.lastKey != "" || p.left > 0 && n == p.left
}

// room is how many objects the page can take from its start.
func (p *page) room() int {
	if p.left > 0 {
		return min(p.left, p.wishes.page)
	}
	return p.wishes.page
}

// show writes an object in the format asked for.
func (p *page) show(o cmdlet.Object) (json.RawMessage, error) {
	if p.wishes.xml {
		return json.Marshal(clixml.Marshal(o.Only(p.only), p.wishes.level))
	}
	return json.Marshal(o.ToWire(p.only))
}

// link says where the answer goes on, or that there is more than was asked for (row CK-342).
func (p *page) link() error {
	n := len(p.reply.Value)
	switch {
	case !p.more:
		return nil
	case p.left > 0 && n == p.left:
		p.in.call.Warn("There are more results than were asked for; -ResultSize Unlimited returns all of them.")
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
	if only := p.in.query.Get("$select"); only != "" {
		q.Set("$select", only)
	}
	p.reply.NextLink = p.x.address(p.in) + "/InvokeCommand?" + q.Encode()
	return nil
}
