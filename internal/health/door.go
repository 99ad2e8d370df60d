package health

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// An Action is something a caller may want to do here; it is also its name in the audit log.
type Action string

// Actions.
const (
	Read        Action = "health.read"         // states, verdicts, history
	Test        Action = "health.test"         // have root keys looked at now
	Subscribe   Action = "health.subscribe"    // make and remove webhooks
	ReadWebhook Action = "health.read_webhook" // and list them
	drop        Action = "health.drop"         // by the service itself: changes that could not be delivered
)

// families are all there are.
var families = []policy.Family{policy.MultiWorkload, policy.Mailbox, policy.SharePoint, policy.ServiceOwned}

// mayRead reports whether the caller may know how the policies of a family are: whoever may read
// them. The policy that the service owns is the business of its operators.
func (s *Service) mayRead(c directory.Caller, f policy.Family) bool {
	if f == policy.ServiceOwned {
		return c.Has(directory.ServiceOperator)
	}
	return s.c.Roles.Allow(c.Roles, f, Needs(Read))
}

// mayTell reports whether the caller may say where changes are sent: whoever may change policies
// of some family.
func (s *Service) mayTell(c directory.Caller) bool {
	return c.Has(directory.ServiceOperator) ||
		slices.ContainsFunc(families, func(f policy.Family) bool { return s.c.Roles.Allow(c.Roles, f, Needs(Subscribe)) })
}

// Needs returns what one must be allowed to do with the policies of some family to do it here.
func Needs(do Action) policy.Action {
	if do == Subscribe || do == ReadWebhook {
		return policy.Update
	}
	return policy.Read
}

// allow reports whether the caller may do what, for some family at least.
func (s *Service) allow(c directory.Caller, do Action) bool {
	if Needs(do) == policy.Update {
		return s.mayTell(c)
	}
	return slices.ContainsFunc(families, func(f policy.Family) bool { return s.mayRead(c, f) })
}

// authorize is the one door: it decides whether the caller may do what, and records the decision
// before anything happens. Reading is recorded only when it is refused. A caller acts in its own
// tenant only; there is no way to name another.
func (s *Service) authorize(ctx context.Context, c directory.Caller, do Action, object string, detail map[string]string) error {
	if c.Tenant == "" {
		return fault.New(fault.Unauthenticated, "nobody is signed in").WithHint("sign in first")
	}
	if c.Kind == directory.System || !s.allow(c, do) {
		if err := s.note(ctx, c, do, object, audit.Deny, nil); err != nil {
			return err
		}
		return fault.New(fault.Forbidden, "the caller has no role that may do this").
			WithHint("it takes a role that may read policies, or change them, such as %s", directory.ComplianceAdministrator)
	}
	if do == Read || do == ReadWebhook {
		return nil
	}
	return s.note(ctx, c, do, object, audit.Allow, detail)
}

func (s *Service) note(ctx context.Context, c directory.Caller, do Action, object string, d audit.Decision, detail map[string]string) error {
	if c.Request == "" {
		c.Request = uuid.NewString()
	}
	return s.c.Audit.Record(ctx, audit.Entry{Tenant: c.Tenant, Caller: c, Action: string(do), Object: clip(object), Decision: d, Detail: detail})
}

// clip bounds what a caller's text may take up in a record.
func clip(text string) string {
	const most = 300
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}
