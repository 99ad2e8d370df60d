package mailbox

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// ReasonUnlicensed is the reason of a refusal for want of a licence.
const ReasonUnlicensed = "CK-179"

// ReasonNameTaken is the reason of fault.Conflict for a mailbox whose name another has (CK-348).
const ReasonNameTaken = "NameTaken"

func (m Mailbox) holder() policy.Holder { return policy.Holder{Container: m.Container, Name: m.Name} }

// Assign gives a mailbox a policy of the mailbox family in place of the one it had, or takes it
// away with to "" (CK-120 to CK-123): see policy.Service.AssignTo for what follows. kinds, if
// any, are those that the caller's command is for. A user mailbox or mail user without a licence
// gets none (CK-179), though it may be taken away.
func (s *Service) Assign(ctx context.Context, caller directory.Caller, identity, to string, kinds ...Kind) error {
	m, err := s.enter(ctx, caller, assign, identity)
	if err != nil {
		return err
	}
	if len(kinds) > 0 && !slices.Contains(kinds, m.Kind) {
		return fault.New(fault.Invalid, "%s is a %s", m.Name, m.Kind).WithHint("%s", commandFor(m.Kind))
	}
	if err := s.licensed(m); to != "" && err != nil {
		return err
	}
	return s.acts.AssignTo(ctx, caller, m.holder(), to)
}

// commandFor says which command is for mailboxes of a kind.
func commandFor(k Kind) string {
	switch k {
	case MailUser:
		return "use Set-MailUser"
	case Group:
		return "use Set-UnifiedGroup"
	}
	return "use Set-Mailbox"
}

// licensed returns why a mailbox must not have a policy.
func (s *Service) licensed(m Mailbox) error {
	if s.c.IgnoreLicences || !m.Kind.licensed() || directory.Licensed(m.Licences) {
		return nil
	}
	return fault.New(fault.Conflict, "%s has no licence that includes Customer Key", m.Name).WithReason(ReasonUnlicensed).
		WithHint("give one: ck person license %s --with %s; or start the server with --licences ignore", m.Name, directory.Microsoft365E5)
}

// SetDefault puts a policy in force for every mailbox of the tenant without one of its own, or
// none for to "": see policy.Service.SetDefault. It covers mailboxes of all kinds and asks for
// one licence in the tenant: one enables the feature (CK-212), and who holds which is not asked
// whenever a message is stored.
func (s *Service) SetDefault(ctx context.Context, caller directory.Caller, to string) error {
	if err := s.check(ctx, caller, assign, "the default of mailboxes"); err != nil {
		return err
	}
	if to != "" && !s.c.IgnoreLicences {
		licensed, err := s.c.Store.Licensed(ctx, caller.Tenant)
		if err != nil {
			return err
		}
		if !licensed {
			return fault.New(fault.Conflict, "nobody in the organization has a licence that includes Customer Key").WithReason(ReasonUnlicensed).
				WithHint("give one: ck person license NAME --with %s; or start the server with --licences ignore", directory.Microsoft365E5)
		}
	}
	return s.acts.SetDefault(ctx, caller, to)
}

// A Standing is where the content of a mailbox is, and where it belongs.
type Standing struct {
	Mailbox
	policy.Coverage
}

// Statistics tells how a mailbox stands (CK-125, CK-313).
func (s *Service) Statistics(ctx context.Context, caller directory.Caller, identity string) (Standing, error) {
	m, err := s.enter(ctx, caller, read, identity)
	if err != nil {
		return Standing{}, err
	}
	c, err := s.c.Policies.Coverage(ctx, caller, m.container())
	return Standing{m, c}, err
}
