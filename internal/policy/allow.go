package policy

import (
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
)

// An Action is something a caller may want to do with policies; it is also its name in the
// audit log.
type Action string

const (
	Read    Action = "policy.read"
	Create  Action = "policy.create"
	Update  Action = "policy.update" // name, description, enabled
	Refresh Action = "policy.refresh"
	Replace Action = "policy.replace"
	Assign  Action = "policy.assign" // and taking the assignment back

	LimitAvailability Action = "availabilitykey.limit"
	RollAvailability  Action = "availabilitykey.roll" // by an operator, who may do nothing else (CK-282)

	Reencrypt Action = "content.reencrypt" // new keys for stored content (package workload)

	Purge    Action = "policy.purge"    // asking for it, and carrying it out
	Recover  Action = "policy.recover"  // asking for it, beginning it, ending it early
	Offboard Action = "policy.offboard" // asking for it, and carrying it out
)

// administrators may do everything with a family's policies, readers only read. For the
// multi-workload family the seeds name the compliance and the global administrator, newer
// text the Exchange administrator: all three (CK-277, X-18). Mailboxes: CK-278. SharePoint:
// CK-280. Reading: CK-281. Whoever runs the service may have
// availability keys rolled, and nothing else.
var (
	administrators = map[Family][]directory.Role{
		MultiWorkload: {directory.ComplianceAdministrator, directory.GlobalAdministrator, directory.ExchangeAdministrator},
		Mailbox:       {directory.ExchangeAdministrator, directory.GlobalAdministrator},
		SharePoint:    {directory.SharePointAdministrator, directory.GlobalAdministrator},
	}
	readers = map[Family][]directory.Role{
		MultiWorkload: {directory.GlobalReader},
		Mailbox:       {directory.GlobalReader},
		SharePoint:    {directory.GlobalReader},
	}
)

// Allow reports whether one of roles may do what with policies of a family.
func Allow(roles []directory.Role, f Family, do Action) bool {
	return slices.ContainsFunc(roles, func(r directory.Role) bool { return slices.Contains(rolesFor(f, do), r) })
}

// rolesFor returns the roles that may do it.
func rolesFor(f Family, do Action) []directory.Role {
	switch do {
	case Read:
		return slices.Concat(administrators[f], readers[f])
	case RollAvailability:
		return []directory.Role{directory.ServiceOperator}
	case Purge: // CK-279
		return slices.DeleteFunc(slices.Clone(administrators[f]), func(r directory.Role) bool { return r != directory.GlobalAdministrator })
	}
	return administrators[f]
}
