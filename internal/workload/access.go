package workload

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// An action is what a caller wants to do; its name stands in the audit log.
type action string

const (
	readItem   action = "item.read"
	listItems  action = "item.list"
	writeItem  action = "item.write"
	deleteItem action = "item.delete"

	listContainers  action = "container.list"
	createContainer action = "container.create"
)

// decide is the one rule about who may reach content. It returns why not, or "".
//
// A caller reaches its own tenant only: every lookup is by the caller's tenant, so another
// tenant's items are simply not there. Inside it the owner of a container, people with the role
// Mailbox Import Export, programs with Items.ReadWrite.All and the service's own work may do
// everything; operators of the service may not, whatever else they are.
func decide(c directory.Caller, owner string) string {
	switch {
	case c.Tenant == "" || c.ID == "":
		return "the caller is not known"
	case c.Has(directory.ServiceOperator):
		return "operators of the service do not reach content"
	case c.Kind == directory.System, c.ID == owner, reachesAll(c):
		return ""
	}
	return "the container belongs to someone else"
}

// reachesAll reports whether the caller's roles open every container of the tenant.
func reachesAll(c directory.Caller) bool {
	return c.Has(directory.MailboxImportExport, directory.ItemsReadWriteAll)
}

// allow decides about a container of that owner.
func (s *Service) allow(ctx context.Context, caller directory.Caller, do action, object Ref, owner string) error {
	if reason := decide(caller, owner); reason != "" {
		return s.refuse(ctx, caller, do, object, reason)
	}
	return nil
}

// refuse records a refusal, then returns it as fault.Forbidden; if it cannot be recorded, the
// error says so instead.
func (s *Service) refuse(ctx context.Context, caller directory.Caller, do action, object Ref, reason string) error {
	return s.refuseFor(ctx, caller, do, object, reason, fmt.Sprintf("ask its owner, or an administrator for the role %s", directory.MailboxImportExport))
}

// refuseFor is refuse with what to do about it.
func (s *Service) refuseFor(ctx context.Context, caller directory.Caller, do action, object Ref, reason, hint string) error {
	if caller.Tenant != "" { // otherwise there is nobody's log to write to
		if err := s.record(ctx, caller, do, object, audit.Deny, map[string]string{"reason": reason}); err != nil {
			return err
		}
	}
	return fault.New(fault.Forbidden, "%s: %s", object, reason).WithHint("%s", hint)
}

// record writes an entry to the log of the caller's tenant.
func (s *Service) record(ctx context.Context, caller directory.Caller, do action, object Ref, d audit.Decision, detail map[string]string) error {
	return s.audit.Record(ctx, audit.Entry{
		Tenant: caller.Tenant, Caller: caller, Action: string(do), Object: object.String(), Decision: d, Detail: detail,
	})
}
