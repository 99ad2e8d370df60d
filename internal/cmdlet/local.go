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
}

// Local runs rows of the service side in this process, for the caller that the call names.
type Local struct {
	Services Services
}

// Run carries out the call. The domain packages check the caller's rights and record.
func (l Local) Run(ctx context.Context, call *Call) error {
	if call.Cmdlet.serve == nil {
		return fault.New(fault.Invalid, "%s runs in the client, not in the service", call.Cmdlet.Name)
	}
	return call.Cmdlet.serve(ctx, l.Services, call)
}
