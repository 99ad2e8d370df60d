package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// foreseeControl says what comes of holding, slowing down, resuming or stopping long work, which
// would then stand as then. Nothing of what it has done is put back, by any of them.
func foreseeControl(ctx context.Context, s Services, call *Call, was, then operation.Operation) (foresight, error) {
	report, err := onItsWay(ctx, *s.real, call)
	if err != nil {
		return foresight{}, err
	}
	f := foresight{Report: report, Then: operationObject(then, time.Now())}
	if r, ok := workload.RenewalOf(was); ok {
		if f.Moving, err = leftOf(ctx, *s.real, call, r); err != nil {
			return f, err
		}
		f.Moves = nil
		f.Lines = append(f.Lines, renewalLines(r, f.Moving)...)
	} else {
		f.Lines = append(f.Lines,
			fmt.Sprintf("%d of %d %s are done, and stay so.", was.Done, max(was.Total, was.Done), unitOf(was.Kind)),
			"On its way to other keys, and where it was until it moves: "+tollText(report.Moving)+".")
	}
	f.Lines = append(f.Lines, fmt.Sprintf("The work is %s then.", stateText(then)))
	if then.Cancelling || then.Pausing || then.State == operation.Paused || then.State == operation.Cancelled {
		f.Kept = slices.Sorted(slices.Values(slices.Concat(report.Kept, report.Freed)))
		f.Freed = nil
		f.Lines = append(f.Lines, "Until it goes on, all of what it has not reached stays where it is, readable, and no version of a root key becomes free.")
	} else {
		f.Lines = append(f.Lines, paceLines(was, then)...)
	}
	f.Lines = append(f.Lines, rootLines(f.Report)...)
	return f, nil
}

// leftOf counts what a re-encryption has not reached.
func leftOf(ctx context.Context, s Services, call *Call, r workload.Renewal) (policy.Toll, error) {
	if !r.Counted {
		return weigh(ctx, s, call.Caller.Tenant, r.Policy, r.Container)
	}
	return policy.Toll{Containers: max(0, r.TotalContainers-r.Containers), Items: max(0, r.TotalItems-r.Items), Bytes: max(0, r.TotalBytes-r.Bytes)}, nil
}

func renewalLines(r workload.Renewal, left policy.Toll) []string {
	return []string{
		fmt.Sprintf("Encrypted anew, and so it stays: %d containers and %d items, %d bytes.", r.Containers, r.Items, r.Bytes),
		fmt.Sprintf("Not yet, and under the keys they have: %d containers and %d items, %d bytes.", left.Containers, left.Items, left.Bytes),
		fmt.Sprintf("Old versions of container keys destroyed so far: %d; those of the other containers stay needed.", r.Destroyed),
	}
}

// paceLines says how long what is left takes at least.
func paceLines(was, then operation.Operation) []string {
	left := max(0, was.Total-was.Done)
	if then.MaxRate <= 0 || left == 0 {
		return []string{"It goes as fast as it can."}
	}
	least := time.Duration(float64(left) / float64(then.MaxRate) * float64(time.Second)).Round(time.Second)
	return []string{fmt.Sprintf("The %d %s that are left take at least %s, at %d in a second.", left, unitOf(was.Kind), least, then.MaxRate)}
}

// foreseeReencryption says what encrypting content anew concerns.
func foreseeReencryption(ctx context.Context, s Services, call *Call, scope workload.Scope, op operation.Operation) (f foresight, err error) {
	f.Then = operationObject(op, time.Now())
	if scope.Policy != nil {
		if f.Report, err = s.real.Policies.WhatIfRenewed(ctx, call.Caller.Tenant, scope.Policy.ID); err != nil {
			return f, err
		}
	} else if f.Moving, err = weigh(ctx, *s.real, call.Caller.Tenant, "", op.Subject); err != nil {
		return f, err
	}
	f.Lines = append(f.Lines, "Content encrypted anew: "+tollText(f.Moving)+".")
	for _, m := range f.Moves {
		f.Lines = append(f.Lines, shiftText(m)+".")
	}
	f.Lines = append(f.Lines, "It stays readable throughout; the keys that it is under now are destroyed, container by container, once nothing is under them.")
	f.Lines = append(f.Lines, rootLines(f.Report)...)
	return f, nil
}

// weigh counts what a policy covers, or what is in one container.
func weigh(ctx context.Context, s Services, tenant, policyID, container string) (policy.Toll, error) {
	if policyID != "" {
		return s.Policies.Concerns(ctx, tenant, policyID)
	}
	t, err := s.Items.Weigh(ctx, tenant, container)
	return policy.Toll{Containers: 1, Items: t.Items, Bytes: t.Bytes}, err
}

// foreseeRoll says what rolling the availability keys of an organization would come to: numbers
// only, for an operator asks. tenant is "" for all organizations.
func foreseeRoll(ctx context.Context, s Services, call *Call, tenant string) (f foresight, err error) {
	if tenant == "" {
		const most = 1000
		n, err := s.real.Policies.AvailabilityDue(ctx, most)
		more := ""
		if n == most {
			more = " or more"
		}
		f.Lines = []string{
			fmt.Sprintf("Availability keys that are replaced, of all organizations, from the next minute on: %d%s.", n, more),
			"Give -Identity to see what would move in one organization.",
		}
		return f, err
	}
	r, err := s.real.Policies.WhatIfRolled(ctx, call.Caller, tenant)
	if err != nil {
		return f, err
	}
	f.Moving = r.Moving
	f.Lines = []string{
		fmt.Sprintf("Policies that get another availability key now: %d of %d.", r.Rolled, r.Policies),
		"Stored content on its way to other keys: " + tollText(r.Moving) + ".",
		fmt.Sprintf("Versions of root keys: %d needed from now on, %d as before, %d until all has moved.", len(r.Taken), len(r.Kept), len(r.Freed)),
		"The old availability keys are destroyed once nothing is under them.",
	}
	if r.Skipped > 0 {
		f.Lines = append(f.Lines, fmt.Sprintf("Policies that keep theirs for now, because a root key does not work: %d.", r.Skipped))
	}
	return f, nil
}

// foreseeLimit says what a limit on the uses of an availability key means today.
func foreseeLimit(k policy.AvailabilityKey, perDay *int) foresight {
	today := k.Usage.DenialsToday
	was := "any number of uses"
	if k.Usage.PerDay != nil {
		was = fmt.Sprintf("%d uses", *k.Usage.PerDay)
	}
	f := foresight{Lines: []string{
		fmt.Sprintf("So far %s a day are allowed to the service's own work after a denial; today there were %d.", was, today),
	}}
	switch {
	case perDay == nil:
		f.Lines = append(f.Lines, "Then any number is.")
	case int64(*perDay) <= today:
		f.Lines = append(f.Lines, "Then none is allowed any more today: while both root keys are denied, the service's own work with the content stops, and content on its way to other keys stays where it is.")
	default:
		f.Lines = append(f.Lines, fmt.Sprintf("Then %d more are allowed today; after them, while both root keys are denied, the service's own work with the content stops.", int64(*perDay)-today))
	}
	f.Lines = append(f.Lines, "What people read does not depend on it.")
	return f
}
