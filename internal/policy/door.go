package policy

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// recordFailWithin bounds how long writing down a failure may take once the caller has left.
const recordFailWithin = 5 * time.Second

// authorize is the one door: it decides whether caller may do what with policies of a family, and records the decision
// before anything happens. Reading is recorded only when it is refused.
//
// object is the id of a policy, or what the caller named where there is none. A caller acts
// in its own tenant only; there is no way to name another.
func (s *Service) authorize(ctx context.Context, caller directory.Caller, f Family, do Action, object string, detail map[string]string) error {
	if err := s.check(ctx, caller, f, do, object); err != nil {
		return err
	}
	return s.permit(ctx, caller, do, object, detail)
}

// open refuses what a policy takes no more once its purge was asked for (CK-174).
func (p Policy) open(do Action) error {
	switch {
	case do == Read || p.State != PendingDeletion && p.State != Purged:
		return nil
	case p.State == Purged:
		return fault.New(fault.Conflict, "the policy %q was purged", p.Name).WithReason(ReasonPurging).
			WithHint("nothing changes it any more; make another policy")
	case do == Update || do == Purge:
		return nil
	}
	return fault.New(fault.Conflict, "the purge of the policy %q was asked for", p.Name).WithReason(ReasonPurging).
		WithHint("see it with Get-CKRequest; Remove-CKRequest takes it back")
}

// permit is the second half of authorize: it records what check has found allowed.
func (s *Service) permit(ctx context.Context, caller directory.Caller, do Action, object string, detail map[string]string) error {
	if do == Read {
		return nil
	}
	return s.record(ctx, caller, do, object, audit.Allow, detail)
}

// check refuses, and records that, unless a role of the caller allows it.
func (s *Service) check(ctx context.Context, caller directory.Caller, f Family, do Action, object string) error {
	if caller.Tenant == "" {
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	}
	if caller.Kind != directory.System && s.c.Roles.Allow(caller.Roles, f, do) {
		return s.enabled(ctx, caller, f, do, object)
	}
	if err := s.record(ctx, caller, do, object, audit.Deny, nil); err != nil {
		return err
	}
	var names []string
	for _, r := range s.c.Roles.For(f, do) {
		names = append(names, string(r))
	}
	return fault.New(fault.Forbidden, "the caller has no role that may do this").
		WithHint("it takes one of the roles %s", strings.Join(names, ", "))
}

// enabled refuses, and records that, where the tenant may not use the family (CK-157). What is in
// use already stays usable, whatever the service has decided since.
func (s *Service) enabled(ctx context.Context, caller directory.Caller, f Family, do Action, object string) error {
	if s.c.Enabled == nil {
		return nil
	}
	ok, err := s.c.Enabled(ctx, caller.Tenant, f)
	if err != nil || ok {
		return err
	}
	some, err := s.c.Store.Policies(ctx, caller.Tenant, f, 1)
	if err != nil || len(some) > 0 {
		return err
	}
	if err := s.record(ctx, caller, do, object, audit.Deny, map[string]string{"reason": ReasonNotEnabled}); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "Data Encryption Policies are not enabled for your organization.").WithReason(ReasonNotEnabled).
		WithHint("check your keys and ask for it with New-CustomerKeyOnboardingRequest -OnboardingMode Enable")
}

// enter passes the door for an existing policy: nothing about the tenant's policies is told
// to a caller without the role.
func (s *Service) enter(ctx context.Context, caller directory.Caller, f Family, do Action, identity string, detail map[string]string) (Policy, error) {
	if err := s.check(ctx, caller, f, do, clip(identity)); err != nil {
		return Policy{}, err
	}
	if f == SharePoint && (do == Update || do == Refresh || do == Replace) {
		return Policy{}, fault.New(fault.Invalid, "a policy for files has its geo's name and pinned root keys").
			WithHint("change its root keys with Update-%s", f.Noun())
	}
	p, err := s.resolve(ctx, caller.Tenant, f, identity)
	if err != nil {
		return Policy{}, err
	}
	if p, err = s.settlePurge(ctx, p); err != nil {
		return Policy{}, err
	}
	if err := p.open(do); err != nil {
		if recorded := s.record(ctx, caller, do, p.ID, audit.Deny, map[string]string{"state": string(p.State)}); recorded != nil {
			return Policy{}, recorded
		}
		return Policy{}, err
	}
	return p, s.permit(ctx, caller, do, p.ID, detail)
}

func (s *Service) record(ctx context.Context, caller directory.Caller, do Action, object string, d audit.Decision, detail map[string]string) error {
	err := s.c.Audit.Record(ctx, audit.Entry{
		Tenant: caller.Tenant, Caller: caller, Action: string(do), Object: object, Decision: d, Detail: detail,
	})
	if err != nil && fault.CodeOf(err) == fault.Internal {
		return fault.Wrap(fault.Unavailable, err, "the decision cannot be recorded, so nothing was done").WithHint("try again")
	}
	return err
}

// failed records that what was allowed did not take effect, and returns why. A record that
// cannot be written changes nothing: nothing took effect.
func (s *Service) failed(ctx context.Context, caller directory.Caller, do Action, object string, err error) error {
	reason := fault.As(err).Message
	if ctx.Err() != nil {
		reason = "the caller left"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordFailWithin)
	defer cancel()
	_ = s.record(ctx, caller, do, object, audit.Fail, map[string]string{"reason": clip(reason)})
	return err
}

// clip bounds what a caller's text may take up in a record.
func clip(text string) string {
	const most = 300
	if len(text) <= most {
		return strings.ToValidUTF8(text, "?")
	}
	for most := most; ; most-- {
		if utf8.RuneStart(text[most]) {
			return strings.ToValidUTF8(text[:most], "?") + "..."
		}
	}
}
