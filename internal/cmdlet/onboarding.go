package cmdlet

import (
	"context"

	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

func newOnboarding(ctx context.Context, s Services, call *Call) error {
	in := onboarding.Input{
		Organization: call.Args.Text("OrganizationId"), Scenario: onboarding.Scenario(call.Args.Text("Scenario")), Mode: onboarding.Mode(call.Args.Text("OnboardingMode")),
		Subscriptions: [2]string{call.Args.Text("Subscription1"), call.Args.Text("Subscription2")},
		Keys:          [2]string{call.Args.Text("KeyIdentifier1"), call.Args.Text("KeyIdentifier2")},
	}
	if in.Mode == onboarding.Enable {
		if proceed, err := call.ShouldProcess("Check and enable "+string(in.Scenario), in.Organization); err != nil || !proceed {
			return err
		}
	}
	r, err := s.Onboarding.New(ctx, call.Caller, in)
	if err != nil {
		return err
	}
	if n := len(r.Of(rootcheck.Fail)); n > 0 {
		call.Warn("%d conditions are not met; NextSteps says what to type for each", n)
	}
	return call.Host.Object(onboardingObject("", r))
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
func onboardingObject(key string, r onboarding.Report) Object {
	result := "Success"
	if !r.Passed() {
		result = "Failed"
	}
	checks := make([]Object, len(r.Checks))
	for i, c := range r.Checks {
		checks[i] = Object{Fields: []Field{{"Outcome", string(c.Outcome)}, {"Row", c.Row}, {"Name", c.Name}, {"Target", c.Target}}}
		if c.Message != "" {
			checks[i].Fields = append(checks[i].Fields, Field{"Message", c.Message}, Field{"Next", c.Next})
		}
	}
	next := []string{}
	for _, c := range r.Of(rootcheck.Fail) {
		next = append(next, c.Target+": "+c.Next)
	}
	return Object{Type: onboardingType, Key: key, Fields: []Field{
		{"ID", GUID(r.ID)},
		{"CreatedDate", r.Created},
		{"Scenario", string(r.Input.Scenario)},
		{"OnboardingMode", string(r.Input.Mode)},
		{"ValidationResult", result},
		{"EnablementResult", string(r.Enablement)},
		{"PassedValidations", checkLines(r, rootcheck.Pass)},
		{"FailedValidations", checkLines(r, rootcheck.Fail)},
		{"Warnings", checkLines(r, rootcheck.Warn)},
		{"NextSteps", next},
		{"ApprovalRequestId", r.Request},
		{"Outcome", r.Outcome},
		{"CreatedBy", r.By.Name},
		{"Subscription1", r.Input.Subscriptions[0]},
		{"KeyIdentifier1", r.Input.Keys[0]},
		{"Subscription2", r.Input.Subscriptions[1]},
		{"KeyIdentifier2", r.Input.Keys[1]},
		{"Checks", checks},
	}}
}

func checkLines(r onboarding.Report, o rootcheck.Outcome) []string {
	lines := []string{}
	for _, c := range r.Of(o) {
		lines = append(lines, c.String())
	}
	return lines
}
