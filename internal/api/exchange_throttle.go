package api

import (
	"context"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/api/throttle"
	"github.com/customerkey/customerkey/internal/fault"
)

// reasonAtOnce marks a refusal for what is under way at the same time, which has a plain text
// (row CK-349).
const reasonAtOnce = "TooManyAtOnce"

// enter counts a request that begins, fault.Throttled if it is one too many. Requests without a
// valid token are not counted: limiting strangers is the work of what stands in front.
func (x *Exchange) enter(ctx context.Context, in *invocation) (leave func(), err error) {
	if x.c.Throttle == nil {
		return func() {}, nil
	}
	v, leave := x.c.Throttle.Enter(in.who(), x.c.Now())
	return leave, x.verdict(ctx, in, v)
}

// count counts a request in a batch, which is under way already.
func (x *Exchange) count(ctx context.Context, in *invocation) error {
	if x.c.Throttle == nil {
		return nil
	}
	return x.verdict(ctx, in, x.c.Throttle.Take(in.who(), x.c.Now()))
}

func (in *invocation) who() throttle.Who {
	return throttle.Who{Tenant: in.caller.Tenant, Caller: in.caller.ID}
}

// verdict says how the caller stands (row CK-343), and returns the refusal of one who asks too
// much. The first of an organization in a window is recorded by itself, the others as a number.
func (x *Exchange) verdict(ctx context.Context, in *invocation, v throttle.Verdict) error {
	if v.Limit > 0 {
		in.out.Set("Rate-Limit-Limit", strconv.Itoa(v.Limit))
		in.out.Set("Rate-Limit-Remaining", strconv.Itoa(v.Left))
		in.out.Set("Rate-Limit-Reset", v.Reset.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if v.Cause == throttle.Passed {
		return nil
	}
	whose := "user"
	if v.Whole {
		whose = "tenant"
	}
	refusal := fault.New(fault.Throttled, "the %s has sent too many requests", whose).
		WithHint("try again in %s", v.Wait.Round(time.Second)).WithRetry(v.Wait)
	if v.Cause == throttle.TooBusy {
		refusal = fault.New(fault.Throttled, "You have reached the maximum number of concurrent requests per %s. Please wait and try again.", whose).
			WithReason(reasonAtOnce).WithRetry(v.Wait)
	}
	if !v.First {
		return refusal
	}
	told := fault.New(fault.Throttled, "%s; %d more were turned away since the last record of this", refusal.Message, v.Missed).WithReason(refusal.Reason)
	if err := x.record(ctx, activity.Command{Name: "InvokeCommand", Caller: in.caller}, told); err != nil {
		return err
	}
	return refusal
}

// seconds is a pause as Retry-After has it: whole seconds, at least one, never too few.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
