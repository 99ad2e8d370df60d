package service

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// What the rows of long work do. Rights are checked and recorded by the packages policy and
// workload.

// operationPage is how many operations are read at a time.
const operationPage = 100

func getOperation(ctx context.Context, s Services, call *Call) error {
	if id := call.Args.Text("Identity"); id != "" {
		op, err := s.Policies.Operation(ctx, call.Caller, id)
		if err != nil {
			return err
		}
		return call.Host.Object(operationObject(op, time.Now()))
	}
	for before := newestFirst(call.Page.After); ; {
		page, err := s.Policies.Operations(ctx, call.Caller, before, operationPage)
		if err != nil {
			return err
		}
		for _, op := range page {
			if err := call.Host.Object(operationObject(op, time.Now())); err != nil {
				return err
			}
			before = op.ID
		}
		if len(page) < operationPage {
			return nil
		}
	}
}

func suspendOperation(ctx context.Context, s Services, call *Call) error {
	return controlOperation(ctx, s, call, "Hold", s.Policies.Suspend)
}

func resumeOperation(ctx context.Context, s Services, call *Call) error {
	return controlOperation(ctx, s, call, "Resume", s.Policies.Resume)
}

func stopOperation(ctx context.Context, s Services, call *Call) error {
	return controlOperation(ctx, s, call, "Stop", s.Policies.Stop)
}

func setOperation(ctx context.Context, s Services, call *Call) error {
	return controlOperation(ctx, s, call, "Limit the rate of", func(ctx context.Context, caller directory.Caller, id string) (operation.Operation, error) {
		return s.Policies.SetMaximumRate(ctx, caller, id, call.Args.Int("MaximumRate"))
	})
}

func controlOperation(ctx context.Context, s Services, call *Call, how string, do func(context.Context, directory.Caller, string) (operation.Operation, error)) error {
	op, err := s.Policies.Operation(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	then, done, err := change(call, how, "operation "+op.ID+" ("+op.Kind+")",
		func() (operation.Operation, error) { return do(ctx, call.Caller, op.ID) },
		func(then operation.Operation) (foresight, error) { return foreseeControl(ctx, s, call, op, then) })
	if err != nil || !done {
		return err
	}
	call.changed(op.ID, controlProperties(op), controlProperties(then))
	return call.Host.Object(operationObject(then, time.Now()))
}

// controlProperties are those of long work that commands change.
func controlProperties(op operation.Operation) []cmdlet.Field {
	return []cmdlet.Field{{Name: "State", Value: stateText(op)}, {Name: "MaximumRate", Value: op.MaxRate}}
}

func startReencryption(ctx context.Context, s Services, call *Call) error {
	scope, target, err := reencryptionScope(ctx, s, call)
	if err != nil {
		return err
	}
	op, done, err := change(call, "Encrypt stored content anew", target,
		func() (operation.Operation, error) { return s.Items.Reencrypt(ctx, call.Caller, scope) },
		func(op operation.Operation) (foresight, error) { return foreseeReencryption(ctx, s, call, scope, op) })
	if err != nil || !done {
		return err
	}
	call.about(op.ID)
	return call.Host.Object(operationObject(op, time.Now()))
}

func reencryptionScope(ctx context.Context, s Services, call *Call) (workload.Scope, string, error) {
	if name := call.Args.Text("Container"); name != "" {
		kind, container, found := strings.Cut(name, "/")
		if !found || container == "" {
			return workload.Scope{}, "", cmdlet.BindError("-Container is not a workload, a slash and a name").
				WithHint("write it like exchange/alice@contoso.example")
		}
		return workload.Scope{Container: workload.Ref{Workload: kind, Container: container}}, "container " + name, nil
	}
	p, err := anyPolicy(ctx, s, call, call.Args.Text("Identity"))
	return workload.Scope{Policy: &p}, "all content that the policy " + p.Name + " covers", err
}

// anyPolicy returns the policy of that identity in the family that was given, or in the first
// one that the caller may see and that has it.
func anyPolicy(ctx context.Context, s Services, call *Call, identity string) (p policy.Policy, err error) {
	if f := policy.Family(call.Args.Text("Family")); f != "" {
		return s.Policies.Get(ctx, call.Caller, f, policyIdentity(call, f, identity))
	}
	err = fault.New(fault.Forbidden, "the caller has no role that may do this")
	for _, name := range families {
		f := policy.Family(name)
		if !s.Policies.Roles().Allow(call.Caller.Roles, f, policy.Reencrypt) {
			continue
		}
		p, err = s.Policies.Get(ctx, call.Caller, f, policyIdentity(call, f, identity))
		if !fault.Is(err, fault.NotFound) {
			return p, err
		}
	}
	return p, err
}

// operationObject shows long work.
func operationObject(op operation.Operation, now time.Time) cmdlet.Object {
	rate, left, moving := op.Pace()
	fields := []cmdlet.Field{
		{Name: "Identity", Value: cmdlet.GUID(op.ID)},
		{Name: "Kind", Value: op.Kind},
		{Name: "Subject", Value: op.Subject},
		{Name: "State", Value: stateText(op)},
		{Name: "PercentComplete", Value: int64(math.Floor(op.Percent()))},
		{Name: "Done", Value: op.Done},
		{Name: "Total", Value: op.Total},
		{Name: "Unit", Value: unitOf(op.Kind)},
		{Name: "Rate", Value: int64(math.Round(rate))},
		{Name: "MaximumRate", Value: op.MaxRate},
		{Name: "TimeLeft", Value: durationText(left, moving)},
	}
	if r, ok := workload.RenewalOf(op); ok {
		fields = append(fields, cmdlet.Field{Name: "Items", Value: r.Items}, cmdlet.Field{Name: "TotalItems", Value: r.TotalItems}, cmdlet.Field{Name: "Bytes", Value: r.Bytes}, cmdlet.Field{Name: "TotalBytes", Value: r.TotalBytes},
			cmdlet.Field{Name: "DestroyedKeys", Value: r.Destroyed}, cmdlet.Field{Name: "DamagedItems", Value: r.Damaged})
	}
	fields = append(fields, []cmdlet.Field{
		{Name: "Error", Value: op.Error},
		{Name: "Hint", Value: op.Hint},
		{Name: "NextAttempt", Value: nextAttempt(op, now)},
		{Name: "Created", Value: op.Created},
		{Name: "Started", Value: orNil(op.Started)},
		{Name: "WhenChanged", Value: op.Updated},
		{Name: "Finished", Value: orNil(op.Finished)},
	}...)
	return cmdlet.Object{Type: operationType, Key: newestFirst(op.ID), Fields: fields}
}

// stateText is the state, and what is about to become of it.
func stateText(op operation.Operation) string {
	switch {
	case op.Cancelling && !op.State.Final():
		return "stopping"
	case op.Pausing && op.State == operation.Running:
		return "pausing"
	}
	return string(op.State)
}

// unitOf says what Done, Total and rates count.
func unitOf(kind string) string {
	switch kind {
	case workload.Reencryption:
		return "bytes"
	case "converge":
		return "keys"
	}
	return "steps"
}

// durationText is a time that is left, to the second; "" while it is not known.
func durationText(left time.Duration, known bool) string {
	if !known {
		return ""
	}
	return left.Round(time.Second).String()
}

// nextAttempt is when work that has failed is tried again, nil if it is not waiting for that.
func nextAttempt(op operation.Operation, now time.Time) any {
	if op.State != operation.Waiting || op.Error == "" || !op.LeaseUntil.After(now) {
		return nil
	}
	return op.LeaseUntil
}
