package service

import (
	"context"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/workload"
)

// Services are what the rows of the service side work on.
type Services struct {
	// Tenant finds an organization by its id or domain; fault.NotFound.
	Tenant func(ctx context.Context, idOrDomain string) (id, domain string, err error)

	Policies   *policy.Service
	Mailboxes  *mailbox.Service
	Items      *workload.Service
	Health     *health.Service
	Requests   *request.Service
	Onboarding *onboarding.Service
	Activity   *activity.Service // what commands do is recorded here

	// Foreseen returns the same services over a view of everything that they keep, of which nothing
	// stays: for one call under -WhatIf. Such calls are refused if nil.
	Foreseen func() (Services, error)

	real *Services // of services over a view: those that they are a view of
}

// A Call is a command that the service carries out: the bound call, and what the log is told of it.
type Call struct {
	*cmdlet.Call
	act *activity.Act // nil where nothing is recorded of the command as a whole
}

// Local runs rows of the service side in this process, for the caller that the call names.
type Local struct {
	services Services
	does     map[string]serveFunc // what each command does, by its name
}

// NewLocal returns a Local over the services.
func NewLocal(s Services) Local {
	does := map[string]serveFunc{}
	for _, r := range table() {
		does[r.Name] = r.serve
	}
	return Local{services: s, does: does}
}

// Run carries out the call. The domain packages check the caller's rights and record what they
// decide. Under -WhatIf the command works on a view, so that it cannot change anything. Of any other
// command that changes something the log is told as a whole too: before it acts, and what came of it
// (row CK-362).
func (l Local) Run(ctx context.Context, bound *cmdlet.Call) error {
	serve, ok := l.does[bound.Cmdlet.Name]
	if !ok {
		return fault.New(fault.Invalid, "%s runs in the client, not in the service", bound.Cmdlet.Name)
	}
	call := &Call{Call: bound}
	if call.Common.WhatIf {
		view, err := l.services.foreseen()
		if err != nil {
			return err
		}
		return serve(ctx, view, call)
	}
	if call.Cmdlet.Impact == cmdlet.None {
		return serve(ctx, l.services, call)
	}
	call.act = l.services.Activity.Act(activity.Command{Name: call.Cmdlet.Name, Parameters: parameters(bound), Caller: call.Caller})
	call.Host.Begin = func(target string) error { return call.act.Begin(ctx, target) }
	err := serve(ctx, l.services, call)
	if call.act.End(ctx, err) != nil && err == nil {
		call.Warn("%s has come to its end, which could not be recorded", call.Cmdlet.Name)
	}
	return err
}

func (s Services) foreseen() (Services, error) {
	if s.Foreseen == nil {
		return s, fault.New(fault.Invalid, "this server cannot tell what a command would do")
	}
	view, err := s.Foreseen()
	view.real = &s
	return view, err
}
