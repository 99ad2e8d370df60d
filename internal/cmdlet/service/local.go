package cmdlet

import (
	"context"

	"github.com/customerkey/customerkey/internal/activity"
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

// Local runs rows of the service side in this process, for the caller that the call names.
type Local struct {
	Services Services
}

// Run carries out the call. The domain packages check the caller's rights and record what they
// decide. Under -WhatIf the command works on a view, so that it cannot change anything. Of any other
// command that changes something the log is told as a whole too: before it acts, and what came of it
// (row CK-362).
func (l Local) Run(ctx context.Context, call *Call) error {
	if call.Cmdlet.serve == nil {
		return fault.New(fault.Invalid, "%s runs in the client, not in the service", call.Cmdlet.Name)
	}
	if call.Common.WhatIf {
		view, err := l.Services.foreseen()
		if err != nil {
			return err
		}
		return call.Cmdlet.serve(ctx, view, call)
	}
	if call.Cmdlet.Impact == None {
		return call.Cmdlet.serve(ctx, l.Services, call)
	}
	call.act = l.Services.Activity.Act(activity.Command{Name: call.Cmdlet.Name, Parameters: call.parameters(), Caller: call.Caller})
	call.begin = func(target string) error { return call.act.Begin(ctx, target) }
	err := call.Cmdlet.serve(ctx, l.Services, call)
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
