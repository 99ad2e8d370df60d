package cmdlet

import (
	"context"

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

	// Foreseen returns the same services over a view of everything that they keep, of which nothing
	// stays: for one call under -WhatIf. Such calls are refused if nil.
	Foreseen func() (Services, error)

	real *Services // of services over a view: those that they are a view of
}

// Local runs rows of the service side in this process, for the caller that the call names.
type Local struct {
	Services Services
}

// Run carries out the call. The domain packages check the caller's rights and record. Under -WhatIf
// the command works on a view, so that it cannot change anything.
func (l Local) Run(ctx context.Context, call *Call) error {
	if call.Cmdlet.serve == nil {
		return fault.New(fault.Invalid, "%s runs in the client, not in the service", call.Cmdlet.Name)
	}
	s := l.Services
	if call.Common.WhatIf {
		var err error
		if s, err = l.Services.foreseen(); err != nil {
			return err
		}
	}
	return call.Cmdlet.serve(ctx, s, call)
}

func (s Services) foreseen() (Services, error) {
	if s.Foreseen == nil {
		return s, fault.New(fault.Invalid, "this server cannot tell what a command would do")
	}
	view, err := s.Foreseen()
	view.real = &s
	return view, err
}
