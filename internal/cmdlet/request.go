package cmdlet

import (
	"context"
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/request"
)

// What the rows of requests and officers do. Rights are checked and recorded by package request;
// under -WhatIf these functions only read.

func getRequest(ctx context.Context, s Services, call *Call) error {
	if id := call.Args.Text("Identity"); id != "" {
		r, err := s.Requests.Get(ctx, call.Caller, id)
		if err != nil {
			return err
		}
		return call.Host.Object(approvalObject(r))
	}
	return s.Requests.Each(ctx, call.Caller, call.Page.After, call.Args.On("All"), func(r request.Request) error {
		return call.Host.Object(approvalObject(r))
	})
}

func approveRequest(ctx context.Context, s Services, call *Call) error {
	return decideRequest(ctx, s, call, "Approve", func(r request.Request) (request.Request, error) {
		return s.Requests.Approve(ctx, call.Caller, r.ID, call.Args.Text("Digest"))
	})
}

func denyRequest(ctx context.Context, s Services, call *Call) error {
	return decideRequest(ctx, s, call, "Deny", func(r request.Request) (request.Request, error) {
		return s.Requests.Deny(ctx, call.Caller, r.ID, call.Args.Text("Reason"))
	})
}

func removeRequest(ctx context.Context, s Services, call *Call) error {
	return decideRequest(ctx, s, call, "Take back", func(r request.Request) (request.Request, error) {
		return s.Requests.Withdraw(ctx, call.Caller, r.ID, call.Args.Text("Reason"))
	})
}

func decideRequest(ctx context.Context, s Services, call *Call, how string, do func(request.Request) (request.Request, error)) error {
	r, err := s.Requests.Get(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	target := fmt.Sprintf("request %s: %s of %s, asked for by %s", r.ID, r.Kind, r.Subject, r.AskedBy.Name)
	if proceed, err := call.ShouldProcess(how, target); err != nil || !proceed {
		return err
	}
	if r, err = do(r); err != nil {
		return err
	}
	return call.Host.Object(approvalObject(r))
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
		err := call.Host.Object(Object{Type: officerType, Key: key, Fields: []Field{
			{"Family", o.Family}, {"Name", o.Person.Name}, {"NamedBy", o.NamedBy.Name}, {"NamedAt", o.Named}, {"ObjectId", GUID(o.Person.ID)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func addOfficer(ctx context.Context, s Services, call *Call) error {
	return changeOfficer(call, "Name officer", func(family, who string) (*request.Request, error) {
		return s.Requests.AddOfficer(ctx, call.Caller, family, who)
	})
}

func removeOfficer(ctx context.Context, s Services, call *Call) error {
	return changeOfficer(call, "Ask for the removal of officer", func(family, who string) (*request.Request, error) {
		return s.Requests.RemoveOfficer(ctx, call.Caller, family, who)
	})
}

// changeOfficer shows the request that the change waits for, if it waits for one.
func changeOfficer(call *Call, how string, do func(family, who string) (*request.Request, error)) error {
	family, who := call.Args.Text("Family"), call.Args.Text("Identity")
	if proceed, err := call.ShouldProcess(how+" of "+family, who); err != nil || !proceed {
		return err
	}
	r, err := do(family, who)
	if err != nil || r == nil {
		return err
	}
	call.Warn("it waits for the approval of an officer of the family or of an operator of the service")
	return call.Host.Object(approvalObject(*r))
}

// approvalObject shows a request.
func approvalObject(r request.Request) Object {
	waits := []string{}
	for _, side := range r.Missing() {
		waits = append(waits, string(side))
	}
	approvals := []string{}
	for _, a := range r.Approvals {
		approvals = append(approvals, fmt.Sprintf("%s: %s, %s", a.Side, a.By.Name, a.At.UTC().Format(time.RFC3339)))
	}
	detail := make([]Object, len(r.Detail))
	for i, f := range r.Detail {
		detail[i] = Object{Fields: []Field{{"Name", f.Name}, {"Value", f.Value}}}
	}
	return Object{Type: approvalType, Key: r.ID, Fields: []Field{
		{"Identity", GUID(r.ID)},
		{"Kind", string(r.Kind)},
		{"Family", r.Family},
		{"Subject", r.Subject},
		{"State", string(r.State)},
		{"WaitsFor", waits},
		{"Needs", string(r.Needs)},
		{"RequestedBy", r.AskedBy.Name},
		{"RequestedAt", r.Asked},
		{"Expires", r.Expires},
		{"TakesEffect", orNil(r.NotBefore)},
		{"Trouble", r.Trouble},
		{"Reason", r.Reason},
		{"Contact", r.Contact},
		{"Detail", detail},
		{"Digest", r.Digest()},
		{"Approvals", approvals},
		{"EndedBy", r.EndedBy.Name},
		{"Ended", orNil(r.Ended)},
		{"Outcome", r.Outcome},
		{"OperationId", r.Operation},
		{"TenantId", GUID(r.Tenant)},
	}}
}
