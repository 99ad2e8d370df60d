package hierarchy

import (
	"context"
	"maps"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// ReasonNotRecorded is that of fault.Unavailable when the audit log cannot be written.
const ReasonNotRecorded = "NotRecorded"

// record writes an entry to the tenant's log. When it fails, whatever was about to happen
// must not.
func (k *Keyring) record(ctx context.Context, caller directory.Caller, tenant, action, object string, d audit.Decision, detail map[string]string) error {
	err := k.c.Audit.Record(ctx, audit.Entry{
		Tenant: tenant, Caller: caller, Action: action, Object: object, Decision: d, Detail: detail,
	})
	if err == nil {
		return nil
	}
	hint := fault.As(err).Hint // what the database says: make room, for instance
	if hint == "" {
		hint = "check the database of the service, then try again"
	}
	return fault.Wrap(fault.Unavailable, err, "the audit log cannot be written, so no key was used").
		WithReason(ReasonNotRecorded).WithHint("%s", hint)
}

// recordFailure writes what came of something that was recorded as about to happen.
func (k *Keyring) recordFailure(ctx context.Context, caller directory.Caller, tenant, action, object string, failed error, detail map[string]string) error {
	detail = maps.Clone(detail)
	detail["class"], detail["reason"] = classOf(failed), fault.As(failed).Reason
	decision := audit.Fail
	if fault.Is(failed, fault.Denied) {
		decision = audit.Deny
	}
	return k.record(ctx, caller, tenant, action, object, decision, detail)
}

// classOf returns the class of a root's failure (section 2.2 of the requirements).
func classOf(err error) string {
	if fault.Is(err, fault.Denied) {
		return "denied"
	}
	return "unreachable"
}

// initiator says who caused an unwrap, as row CK-377 has it.
func initiator(caller directory.Caller) string {
	if audienceOf(caller) == systemOnly {
		return "system"
	}
	return "user"
}
