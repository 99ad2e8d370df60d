package service

import (
	"context"
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/request"
)

// What the rows of requests and officers do. Rights are checked and recorded by package request.

func getRequest(ctx context.Context, s Services, call *Call) error {
	if id := call.Args.Text("Identity"); id != "" {
		r, err := s.Requests.Get(ctx, call.Caller, id)
		if err != nil {
			return err
		}
		return call.Host.Object(approvalObject(r))
	}
	return s.Requests.Each(ctx, call.Caller, call.Page.After, call.Args.On("All"), func(r request.Request) error {
		if r.Unreadable != nil {
			return call.Fail(r.Unreadable)
		}
		return call.Host.Object(approvalObject(r))
	})
}

func approveRequest(ctx context.Context, s Services, call *Call) error {
	approve := func(r request.Request) (request.Request, error) {
		return s.Requests.Approve(ctx, call.Caller, r.ID, call.Args.Text("Digest"))
	}
	return decideRequest(ctx, s, call, "Approve", approve, func(_, now request.Request) (foresight, error) { return foreseeApproval(ctx, s, call, now) })
}

func denyRequest(ctx context.Context, s Services, call *Call) error {
	end := func(r request.Request) (request.Request, error) {
		return s.Requests.Deny(ctx, call.Caller, r.ID, call.Args.Text("Reason"))
	}
	return decideRequest(ctx, s, call, "Deny", end, func(was, now request.Request) (foresight, error) { return foreseeEnd(was, now), nil })
}

func removeRequest(ctx context.Context, s Services, call *Call) error {
	end := func(r request.Request) (request.Request, error) {
		return s.Requests.Withdraw(ctx, call.Caller, r.ID, call.Args.Text("Reason"))
	}
	return decideRequest(ctx, s, call, "Take back", end, func(was, now request.Request) (foresight, error) { return foreseeEnd(was, now), nil })
}

func decideRequest(ctx context.Context, s Services, call *Call, how string, do func(request.Request) (request.Request, error), tell func(was, now request.Request) (foresight, error)) error {
	r, err := s.Requests.Get(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	call.concerns(r.Tenant)
	target := fmt.Sprintf("request %s: %s of %s, asked for by %s", r.ID, r.Kind, r.Subject, r.AskedBy.Name)
	now, done, err := change(call, how, target,
		func() (request.Request, error) { return do(r) },
		func(now request.Request) (foresight, error) { return tell(r, now) })
	if err != nil || !done {
		return err
	}
	call.changed(r.ID, []cmdlet.Field{{Name: "State", Value: string(r.State)}}, []cmdlet.Field{{Name: "State", Value: string(now.State)}})
	return call.Host.Object(approvalObject(now))
}

func getOfficers(ctx context.Context, s Services, call *Call) error {
	all, err := s.Requests.Officers(ctx, call.Caller)
	if err != nil {
		return err
	}
	for _, o := range all {
		key := o.Family + " " + o.Person.Name + " " + o.Person.ID
		if f := call.Args.Text("Family"); f != "" && f != o.Family || call.Shown(key) {
			continue
		}
		err := call.Host.Object(cmdlet.Object{Type: officerType, Key: key, Fields: []cmdlet.Field{
			{Name: "Family", Value: o.Family}, {Name: "Name", Value: o.Person.Name}, {Name: "NamedBy", Value: o.NamedBy.Name}, {Name: "NamedAt", Value: o.Named}, {Name: "ObjectId", Value: cmdlet.GUID(o.Person.ID)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func addOfficer(ctx context.Context, s Services, call *Call) error {
	return changeOfficer(ctx, s, call, "Name officer", s.Requests.AddOfficer)
}

func removeOfficer(ctx context.Context, s Services, call *Call) error {
	return changeOfficer(ctx, s, call, "Ask for the removal of officer", s.Requests.RemoveOfficer)
}

// changeOfficer shows the request that the change waits for, if it waits for one.
func changeOfficer(ctx context.Context, s Services, call *Call, how string, do func(ctx context.Context, c directory.Caller, family, who string) (*request.Request, error)) error {
	family, who := call.Args.Text("Family"), call.Args.Text("Identity")
	r, done, err := change(call, how+" of "+family, who,
		func() (*request.Request, error) { return do(ctx, call.Caller, family, who) },
		func(r *request.Request) (foresight, error) { return foreseeOfficer(ctx, s, r, family, who) })
	if err != nil || !done || r == nil {
		return err
	}
	call.Warn("it waits for the approval of an officer of the family or of an operator of the service")
	return call.Host.Object(approvalObject(*r))
}

// foreseeOfficer says what a change of officers comes to: r is the request for it, nil if it takes
// effect at once.
func foreseeOfficer(ctx context.Context, s Services, r *request.Request, family, who string) (foresight, error) {
	if r == nil {
		return foresight{Lines: []string{
			fmt.Sprintf("%s is the first officer of the family %s, at once; every later change of its officers takes an approval.", who, family),
		}}, nil
	}
	deed, err := foreseeDeed(ctx, s, *r)
	return foreseeAsking(*r, deed), err
}

// approvalObject shows a request.
func approvalObject(r request.Request) cmdlet.Object {
	waits := []string{}
	for _, side := range r.Missing() {
		waits = append(waits, string(side))
	}
	approvals := []string{}
	for _, a := range r.Approvals {
		approvals = append(approvals, fmt.Sprintf("%s: %s, %s", a.Side, a.By.Name, a.At.UTC().Format(time.RFC3339)))
	}
	detail := make([]cmdlet.Object, len(r.Detail))
	for i, f := range r.Detail {
		detail[i] = cmdlet.Object{Fields: []cmdlet.Field{{Name: "Name", Value: f.Name}, {Name: "Value", Value: f.Value}}}
	}
	return cmdlet.Object{Type: approvalType, Key: r.ID, Fields: []cmdlet.Field{
		{Name: "Identity", Value: cmdlet.GUID(r.ID)},
		{Name: "Kind", Value: string(r.Kind)},
		{Name: "Family", Value: r.Family},
		{Name: "Subject", Value: r.Subject},
		{Name: "State", Value: string(r.State)},
		{Name: "WaitsFor", Value: waits},
		{Name: "Needs", Value: string(r.Needs)},
		{Name: "RequestedBy", Value: r.AskedBy.Name},
		{Name: "RequestedAt", Value: r.Asked},
		{Name: "Expires", Value: r.Expires},
		{Name: "TakesEffect", Value: orNil(r.NotBefore)},
		{Name: "Trouble", Value: r.Trouble},
		{Name: "Reason", Value: r.Reason},
		{Name: "Contact", Value: r.Contact},
		{Name: "Detail", Value: detail},
		{Name: "Digest", Value: r.Digest()},
		{Name: "Approvals", Value: approvals},
		{Name: "EndedBy", Value: r.EndedBy.Name},
		{Name: "Ended", Value: orNil(r.Ended)},
		{Name: "Outcome", Value: r.Outcome},
		{Name: "OperationId", Value: r.Operation},
		{Name: "TenantId", Value: cmdlet.GUID(r.Tenant)},
	}}
}
