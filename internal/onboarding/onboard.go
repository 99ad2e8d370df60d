package onboarding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// Actions in the audit log.
const (
	actionValidate = "onboarding.validate"
	actionEnable   = "onboarding.enable"
	actionRead     = "onboarding.read"
)

// New checks everything about an input and, in mode Enable and after a pass, asks for the family
// to be enabled. That conditions are not met is no error: the report says so.
func (s *Service) New(ctx context.Context, c directory.Caller, in Input) (Report, error) {
	f, err := in.Scenario.Family()
	if err != nil {
		return Report{}, err
	}
	action := actionValidate
	if in.Mode == Enable {
		action = actionEnable
	}
	if err := s.enter(ctx, c, action, f, policy.Create, in.Organization); err != nil {
		return Report{}, err
	}
	if err := readable(in); err != nil {
		return Report{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Report{}, fault.Wrap(fault.Unavailable, err, "no random number for the request's id")
	}
	detail := map[string]string{"family": string(f)}
	for i := range in.Keys {
		in.Subscriptions[i] = strings.ToLower(in.Subscriptions[i])
		detail[fmt.Sprintf("key%d", i+1)], detail[fmt.Sprintf("subscription%d", i+1)] = in.Keys[i], in.Subscriptions[i]
	}
	if err := s.record(ctx, c, action, id.String(), audit.Allow, detail); err != nil {
		return Report{}, err
	}
	r := Report{
		Tenant: c.Tenant, ID: id.String(), Input: in, Created: s.now(),
		By: request.Person{Tenant: c.Tenant, ID: c.ID, Name: c.Name},
	}
	if r.Checks, err = s.check(ctx, c.Tenant, f, in); err != nil {
		return Report{}, err
	}
	if in.Mode == Enable && r.Passed() {
		if err := s.ask(ctx, c, f, &r); err != nil {
			return Report{}, err
		}
	}
	if err := s.c.Store.Add(ctx, r); err != nil {
		return Report{}, err
	}
	return s.complete(ctx, r)
}

// readable refuses texts that could not be shown: they stand in the report.
func readable(in Input) error {
	for _, text := range append(in.Keys[:], in.Subscriptions[:]...) {
		if len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fault.New(fault.Invalid, "a key or a subscription has characters that cannot be shown, or too many").WithHint("copy them from Get-AzKeyVaultKey and Get-AzSubscription")
		}
	}
	return nil
}

// ask asks for the family, unless it is enabled.
func (s *Service) ask(ctx context.Context, c directory.Caller, f policy.Family, r *Report) (err error) {
	if r.Already, err = s.Enabled(ctx, c.Tenant, f); err != nil || r.Already {
		return err
	}
	detail := []request.Fact{
		{Name: factScenario, Value: string(r.Input.Scenario)}, {Name: "OnboardingRequest", Value: r.ID},
		{Name: "Subscription1", Value: r.Input.Subscriptions[0]}, {Name: "KeyIdentifier1", Value: r.Input.Keys[0]},
		{Name: "Subscription2", Value: r.Input.Subscriptions[1]}, {Name: "KeyIdentifier2", Value: r.Input.Keys[1]},
	}
	for _, w := range r.Of(rootcheck.Warn) {
		detail = append(detail, request.Fact{Name: "Warning", Value: w.String()})
	}
	asked, err := s.c.Requests.Ask(ctx, c, request.Ask{Kind: Kind, Family: string(f), Subject: string(f), Detail: detail})
	r.Request = asked.ID
	return err
}

const factScenario = "Scenario"

// Handlers returns the work that onboarding needs done, for the operation.Runner. through is
// request.Service.Handler.
func (s *Service) Handlers(through func(request.Deed) operation.Handler) map[string]operation.Handler {
	return map[string]operation.Handler{operationKind: through(s.enable)}
}

// enable is the deed of a request: it checks once more, for an approval may come after weeks, and
// enables the family.
func (s *Service) enable(ctx context.Context, _ *operation.Run, r request.Request) (string, error) {
	in := Input{
		Scenario: Scenario(r.Fact(factScenario)), Mode: Enable,
		Subscriptions: [2]string{r.Fact("Subscription1"), r.Fact("Subscription2")},
		Keys:          [2]string{r.Fact("KeyIdentifier1"), r.Fact("KeyIdentifier2")},
	}
	f, err := in.Scenario.Family()
	if err != nil || string(f) != r.Subject {
		return "", fault.New(fault.Corrupt, "the request does not say which family it is for")
	}
	checks, err := s.check(ctx, r.Tenant, f, in)
	if err != nil {
		return "", err
	}
	if err := unmet(Report{Checks: checks}.Of(rootcheck.Fail)); err != nil {
		return "", err
	}
	return "the family " + string(f) + " is enabled", s.c.Store.Enable(ctx, r.Tenant, f, r.ID, s.now())
}

// unmet is the fault for conditions that are not met: what could not be looked at is tried again
// later, unless something else is wrong anyway.
func unmet(failed []Check) error {
	if i := slices.IndexFunc(failed, func(c Check) bool { return !c.outage }); i >= 0 {
		return fault.New(fault.Invalid, "a condition is not met any more: %s", failed[i]).WithHint("%s", failed[i].Next)
	}
	if len(failed) > 0 {
		return fault.New(fault.Unavailable, "%s", failed[0])
	}
	return nil
}

// Get returns one report of the caller's organization; fault.NotFound.
func (s *Service) Get(ctx context.Context, c directory.Caller, organization, id string) (Report, error) {
	if err := s.mayRead(ctx, c, organization); err != nil {
		return Report{}, err
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return Report{}, errNoReport(id)
	}
	r, err := s.c.Store.Report(ctx, c.Tenant, parsed.String())
	if fault.Is(err, fault.NotFound) {
		return Report{}, errNoReport(id)
	}
	if err != nil {
		return Report{}, err
	}
	return s.complete(ctx, r)
}

func errNoReport(id string) error {
	return fault.New(fault.NotFound, "there is no onboarding request %.64q", id).WithHint("Get-CustomerKeyOnboardingRequest lists them")
}

// List returns the reports of the caller's organization, newest first.
func (s *Service) List(ctx context.Context, c directory.Caller, organization string) ([]Report, error) {
	if err := s.mayRead(ctx, c, organization); err != nil {
		return nil, err
	}
	all, err := s.c.Store.Reports(ctx, c.Tenant)
	for i := range all {
		if err == nil {
			all[i], err = s.complete(ctx, all[i])
		}
	}
	return all, err
}

// complete says how far the family is from being enabled.
func (s *Service) complete(ctx context.Context, r Report) (Report, error) {
	switch {
	case r.Input.Mode == Validate:
		r.Enablement = NotRequested
	case !r.Passed():
		r.Enablement = NotStarted
	case r.Already:
		r.Enablement = Success
	default:
		asked, err := s.c.Requests.Look(ctx, r.Tenant, r.Request)
		if err != nil {
			return r, err
		}
		r.Enablement, r.Outcome = enablementOf(asked.State), asked.Outcome
	}
	return r, nil
}

// enter decides and records a refusal: a role over the family's policies is needed, and the
// organization must be the caller's own. Of any other, there or not, the answer is the same.
func (s *Service) enter(ctx context.Context, c directory.Caller, action string, f policy.Family, do policy.Action, organization string) error {
	if c.Tenant == "" {
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	}
	why := fault.New(fault.Forbidden, "the caller has no role that may do this").WithHint("it takes a role over the policies of the family")
	if c.Kind != directory.System && s.c.Roles.Allow(c.Roles, f, do) {
		id, err := s.c.Tenant(ctx, organization)
		if err == nil && id == c.Tenant {
			return nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			return err
		}
		why = fault.New(fault.Invalid, "%q is not the organization that you are signed in to", clip(organization)).
			WithHint("give the id or the domain of your own organization")
	}
	if err := s.record(ctx, c, action, string(f), audit.Deny, map[string]string{"organization": clip(organization)}); err != nil {
		return err
	}
	return why
}

func (s *Service) mayRead(ctx context.Context, c directory.Caller, organization string) error {
	for _, sc := range Scenarios {
		if f, err := sc.Family(); err == nil && s.c.Roles.Allow(c.Roles, f, policy.Read) {
			return s.enter(ctx, c, actionRead, f, policy.Read, organization)
		}
	}
	return s.enter(ctx, c, actionRead, policy.MultiWorkload, policy.Read, organization)
}

const maxText = 512 // bytes

// clip bounds what a caller's text may take up.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "?")
}
