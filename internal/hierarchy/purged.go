package hierarchy

import (
	"github.com/customerkey/customerkey/internal/fault"
)

// Purged says what was destroyed for ever at the owner's order. It is asked before every use
// of a key, so it must answer from memory: a key that an old backup brings back stays shut.
type Purged interface {
	// Policy reports whether everything under a policy was purged, or is about to be.
	Policy(tenant, policy string) bool
	// Ordered reports whether it was purged: nothing takes that back.
	Ordered(tenant, policy string) bool
	// Key reports whether a version of a container's key was; with version 0, whether the
	// container takes nothing any more.
	Key(tenant, container string, version int) bool
}

// ReasonPurged is the reason of the fault.Conflict about what was purged.
const ReasonPurged = "Purged"

// ErrPurged returns the fault about what was purged.
func ErrPurged() *fault.Error {
	return fault.New(fault.Conflict, "this content was purged for ever at the order of its owner").
		WithReason(ReasonPurged).WithHint("nothing brings it back: Get-CKPurge shows who asked for it, and when")
}

// nothingPurged is the Purged of a Keyring that was given none.
type nothingPurged struct{}

func (nothingPurged) Policy(string, string) bool   { return false }
func (nothingPurged) Ordered(string, string) bool  { return false }
func (nothingPurged) Key(string, string, int) bool { return false }

// shut refuses to begin anything in a container that was purged as a whole, and under a policy
// that was purged or is about to be.
func (k *Keyring) shut(c Container, target Target) error {
	if k.c.Purged.Key(c.Tenant, c.ID, 0) || k.c.Purged.Policy(c.Tenant, target.Policy) {
		return ErrPurged()
	}
	return nil
}

// gone reports whether nothing opens under a container key any more, because it was purged, or the
// policy that an old backup has it under was: it may not have been there when the purge was ordered.
// While a purge is only about to be ordered nothing is gone, and nothing new begins: a mailbox may be
// on its list.
func (k *Keyring) gone(row ContainerKey) bool {
	return k.purgedKey(row) != nil || k.c.Purged.Ordered(row.Tenant, row.Policy)
}

// purgedKey refuses a container key that was purged.
func (k *Keyring) purgedKey(row ContainerKey) error {
	if k.c.Purged.Key(row.Tenant, row.Container, row.Version) {
		return ErrPurged()
	}
	return nil
}
