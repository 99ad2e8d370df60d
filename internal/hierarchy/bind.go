package hierarchy

import (
	"strconv"

	"github.com/customerkey/customerkey/envelope"
)

// What each stored key is bound to. A key moved to another place does not open there.
// The numbers are versions of the layouts.

// commitBinding is what the commitment of a policy key covers.
func commitBinding(g Generation) []byte {
	if g.Unwrapping != InTurn { // another rule in the row, and the key is not recognised any more
		return envelope.Bind("policy key 1", g.Tenant, g.Policy, g.ID, string(g.Unwrapping))
	}
	return envelope.Bind("policy key 1", g.Tenant, g.Policy, g.ID)
}

// availabilityBinding is the associated data of a policy key under the availability key.
func availabilityBinding(g Generation) []byte {
	return envelope.Bind("policy key under availability key 1", g.Tenant, g.Policy, g.ID)
}

// containerBinding is the associated data of a container key under a policy key.
func containerBinding(k ContainerKey) []byte {
	return envelope.Bind("container key 1", k.Tenant, k.Container, strconv.Itoa(k.Version), k.Generation)
}
