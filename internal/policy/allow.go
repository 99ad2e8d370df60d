package policy

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
