package mailbox

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// An action is something that a caller wants to do, as the audit log calls it.
type action string

const (
	read   action = "mailbox.read"
	create action = "mailbox.create"
	change action = "mailbox.change" // whether it is here or elsewhere
	assign action = "mailbox.assign" // recorded when refused: package policy records what it does
)

// needs is what the caller must be allowed to do with mailbox policies (CK-278, CK-281).
func (do action) needs() policy.Action {
	if do == read {
		return policy.Read
	}
	return policy.Assign
}

// check is the one door: it refuses, and records that, unless a role of the caller allows it.
// Nothing about the tenant's mailboxes is told before it is passed. A caller acts in its own
// tenant only; there is no way to name another.
func (s *Service) check(ctx context.Context, caller directory.Caller, do action, object string) error {
	if caller.Tenant == "" {
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	}
	if caller.Kind != directory.System && s.c.Policies.Roles().Allow(caller.Roles, policy.Mailbox, do.needs()) {
		return nil
	}
	if err := s.record(ctx, caller, do, object, audit.Deny, nil); err != nil {
		return err
	}
	return fault.New(fault.Forbidden, "the caller has no role that may do this").
		WithHint("it takes one of the roles %s", strings.Join(roleNames(s.c.Policies.Roles().For(policy.Mailbox, do.needs())), ", "))
}

func roleNames(roles []directory.Role) (names []string) {
	for _, r := range roles {
		names = append(names, string(r))
	}
	return names
}

// perform records a change that check has let pass, makes it, and records if it did not take
// effect.
func (s *Service) perform(ctx context.Context, caller directory.Caller, do action, object string, detail map[string]string, act func() error) error {
	if err := s.record(ctx, caller, do, object, audit.Allow, detail); err != nil {
		return err
	}
	err := act()
	if err != nil {
		_ = s.record(context.WithoutCancel(ctx), caller, do, object, audit.Fail, map[string]string{"reason": clip(fault.As(err).Message)})
	}
	return err
}

func (s *Service) record(ctx context.Context, caller directory.Caller, do action, object string, d audit.Decision, detail map[string]string) error {
	err := s.c.Audit.Record(ctx, audit.Entry{
		Tenant: caller.Tenant, Caller: caller, Action: string(do), Object: clip(object), Decision: d, Detail: detail,
	})
	if err != nil && fault.CodeOf(err) == fault.Internal {
		return fault.Wrap(fault.Unavailable, err, "the decision cannot be recorded, so nothing was done").WithHint("try again")
	}
	return err
}

// clip bounds what a caller's text may take up in a record or a message.
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
