package service

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

func newOnboarding(ctx context.Context, s Services, call *Call) error {
	in := onboarding.Input{
		Organization: call.Args.Text("OrganizationId"), Scenario: onboarding.Scenario(call.Args.Text("Scenario")), Mode: onboarding.Mode(call.Args.Text("OnboardingMode")),
		Subscriptions: [2]string{call.Args.Text("Subscription1"), call.Args.Text("Subscription2")},
		Keys:          [2]string{call.Args.Text("KeyIdentifier1"), call.Args.Text("KeyIdentifier2")},
	}
	action := "Check the conditions of " + string(in.Scenario)
	if in.Mode == onboarding.Enable {
		action = "Check and enable " + string(in.Scenario)
	}
	r, done, err := change(call, action, in.Organization,
		func() (onboarding.Report, error) { return s.Onboarding.New(ctx, call.Caller, in) },
		func(r onboarding.Report) (foresight, error) { return foreseeOnboarding(r), nil })
	if err != nil || !done {
		return err
	}
	call.about(r.ID)
	if n := len(r.Of(rootcheck.Fail)); n > 0 {
		call.Warn("%d conditions are not met; NextSteps says what to type for each", n)
	}
	return call.Host.Object(onboardingObject("", r))
}

// foreseeOnboarding says what the checks have found, which were made, and what would follow.
func foreseeOnboarding(r onboarding.Report) foresight {
	f := foresight{Then: onboardingObject("", r)}
	for _, o := range []rootcheck.Outcome{rootcheck.Pass, rootcheck.Warn, rootcheck.Fail} {
		f.Lines = append(f.Lines, fmt.Sprintf("Conditions looked at just now, %s: %d.", o, len(r.Of(o))))
	}
	for _, c := range r.Of(rootcheck.Fail) {
		f.Lines = append(f.Lines, "Not met: "+c.String()+".")
	}
	switch {
	case r.Input.Mode != onboarding.Enable:
		f.Lines = append(f.Lines, "A report of this is stored, and nothing is enabled.")
	case !r.Passed():
		f.Lines = append(f.Lines, "Nothing is asked for as long as a condition is not met.")
	case r.Already:
		f.Lines = append(f.Lines, "It is enabled already.")
	default:
		f.Lines = append(f.Lines, "It is asked for; Get-CKRequest shows who approves. Content stays under the keys it has.")
	}
	return f
}

func getOnboarding(ctx context.Context, s Services, call *Call) error {
	organization := call.Args.Text("OrganizationId")
	if id := call.Args.Text("RequestId"); id != "" {
		r, err := s.Onboarding.Get(ctx, call.Caller, organization, id)
		if err != nil {
			return err
		}
		return call.Host.Object(onboardingObject("", r))
	}
	all, err := s.Onboarding.List(ctx, call.Caller, organization)
	if err != nil {
		return err
	}
	for i := range all {
		r := all[len(all)-1-i] // their ids are in the order of time
		if call.Shown(r.ID) {
			continue
		}
		if err := call.Host.Object(onboardingObject(r.ID, r)); err != nil {
			return err
		}
	}
	return nil
}

// onboardingObject shows a report: the properties of row CK-154, then ours.
func onboardingObject(key string, r onboarding.Report) cmdlet.Object {
	result := "Success"
	if !r.Passed() {
		result = "Failed"
	}
	checks := make([]cmdlet.Object, len(r.Checks))
	for i, c := range r.Checks {
		checks[i] = cmdlet.Object{Fields: []cmdlet.Field{{Name: "Outcome", Value: string(c.Outcome)}, {Name: "Row", Value: c.Row}, {Name: "Name", Value: c.Name}, {Name: "Target", Value: c.Target}}}
		if c.Message != "" {
			checks[i].Fields = append(checks[i].Fields, cmdlet.Field{Name: "Message", Value: c.Message}, cmdlet.Field{Name: "Next", Value: c.Next})
		}
	}
	next := []string{}
	for _, c := range r.Of(rootcheck.Fail) {
		next = append(next, c.Target+": "+c.Next)
	}
	return cmdlet.Object{Type: onboardingType, Key: key, Fields: []cmdlet.Field{
		{Name: "ID", Value: cmdlet.GUID(r.ID)},
		{Name: "CreatedDate", Value: r.Created},
		{Name: "Scenario", Value: string(r.Input.Scenario)},
		{Name: "OnboardingMode", Value: string(r.Input.Mode)},
		{Name: "ValidationResult", Value: result},
		{Name: "EnablementResult", Value: string(r.Enablement)},
		{Name: "PassedValidations", Value: checkLines(r, rootcheck.Pass)},
		{Name: "FailedValidations", Value: checkLines(r, rootcheck.Fail)},
		{Name: "Warnings", Value: checkLines(r, rootcheck.Warn)},
		{Name: "NextSteps", Value: next},
		{Name: "ApprovalRequestId", Value: r.Request},
		{Name: "Outcome", Value: r.Outcome},
		{Name: "CreatedBy", Value: r.By.Name},
		{Name: "Subscription1", Value: r.Input.Subscriptions[0]},
		{Name: "KeyIdentifier1", Value: r.Input.Keys[0]},
		{Name: "Subscription2", Value: r.Input.Subscriptions[1]},
		{Name: "KeyIdentifier2", Value: r.Input.Keys[1]},
		{Name: "Checks", Value: checks},
	}}
}

func checkLines(r onboarding.Report, o rootcheck.Outcome) []string {
	lines := []string{}
	for _, c := range r.Of(o) {
		lines = append(lines, c.String())
	}
	return lines
}
