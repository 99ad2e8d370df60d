package service

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

// What the rows of recovery and offboarding do. Rights are checked and recorded by
// package policy.

func requestRecovery(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	return askApproval(ctx, s, call, "Ask to open content without its root keys", p, func() (request.Request, error) {
		return s.Policies.RequestRecovery(ctx, call.Caller, p.Family, p.ID, call.Args.Text("Reason"))
	})
}

// askApproval asks for something about a policy that others have to approve.
func askApproval(ctx context.Context, s Services, call *Call, what string, p policy.Policy, ask func() (request.Request, error)) error {
	call.about(p.ID)
	r, done, err := change(call, what, p.Name, ask, func(r request.Request) (foresight, error) {
		deed, err := foreseeDeed(ctx, s, r)
		return foreseeAsking(r, deed), err
	})
	if err != nil || !done {
		return err
	}
	return call.Host.Object(approvalObject(r))
}

func getRecovery(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	st, err := s.Policies.Status(ctx, call.Caller, p.Family, p.ID)
	if err != nil {
		return err
	}
	r := st.Recovery
	return call.Host.Object(cmdlet.Object{Type: recoveryType, Key: p.ID, Fields: []cmdlet.Field{
		{Name: "Policy", Value: p.Name}, {Name: "Active", Value: st.RecoveryFor > 0}, {Name: "SecondsLeft", Value: int64(st.RecoveryFor / time.Second)},
		{Name: "Started", Value: orNil(r.Started)}, {Name: "Until", Value: orNil(r.Until)}, {Name: "Ended", Value: orNil(r.Ended)}, {Name: "Why", Value: r.Why}, {Name: "Request", Value: r.Request},
	}})
}

func stopRecovery(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	call.about(p.ID)
	_, _, err = change(call, "End the recovery of the content", p.Name,
		func() (none, error) { return none{}, s.Policies.StopRecovery(ctx, call.Caller, p.Family, p.ID) },
		func(none) (foresight, error) { return foreseeClosing(ctx, s, call, p) })
	return err
}

// foreseeClosing says what is closed to people when a recovery ends: what is under a policy whose
// root keys both do not work.
func foreseeClosing(ctx context.Context, s Services, call *Call, p policy.Policy) (f foresight, err error) {
	if f.Moving, err = s.real.Policies.Concerns(ctx, p.Tenant, p.ID); err != nil {
		return f, err
	}
	h, err := healthOf(ctx, *s.real, call, p)
	if err != nil {
		return f, err
	}
	f.Lines = []string{
		"People need a root key again for what is under the policy: " + tollText(f.Moving) + ".",
		fmt.Sprintf("The policy's root keys were last seen as: %s.", h.State),
	}
	if h.State == health.Revoked || h.State == health.Unavailable {
		f.Unreadable = f.Moving.Items
		f.Lines = append(f.Lines, fmt.Sprintf("So %d items are closed to people, until a root key works again or the policy has two others; nothing is destroyed.", f.Unreadable))
	}
	return f, nil
}

func requestOffboarding(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	return askApproval(ctx, s, call, "Ask to go back to the keys of the service", p, func() (request.Request, error) {
		return s.Policies.RequestOffboarding(ctx, call.Caller, p.Family, p.ID, policy.OffboardingAsk{
			TenantDomain: call.Args.Text("TenantDomain"), Contact: call.Args.Text("Contact"), Reason: call.Args.Text("Reason"),
		})
	})
}

func getOffboarding(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Find(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	st, err := s.Policies.Status(ctx, call.Caller, p.Family, p.ID)
	if err != nil {
		return err
	}
	return call.Host.Object(cmdlet.Object{Type: offboardingType, Key: p.ID, Fields: []cmdlet.Field{
		{Name: "Policy", Value: p.Name}, {Name: "Assigned", Value: st.Assigned}, {Name: "ContainersUnderIt", Value: st.Under}, {Name: "ContainersToMove", Value: st.Containers},
		{Name: "PercentSettled", Value: int64(math.Floor(st.Percent))}, {Name: "Rewrap", Value: rewrapText(st)}, {Name: "SafeToRemovePermission", Value: st.Free},
	}})
}
