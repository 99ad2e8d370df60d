package policy

import (
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A State says whether a policy has ever been in force (CK-161).
type State string

const (
	PendingActivation State = "PendingActivation" // created, never assigned
	Active            State = "Active"            // assigned at least once
	PendingDeletion   State = "PendingDeletion"   // its purge was asked for: it takes nothing new (CK-174)
	Purged            State = "Purged"            // everything under it was destroyed for ever
)

// A Policy is one data encryption policy. Two changes of one policy never both succeed on
// what they read: each names the Revision it was decided on.
type Policy struct {
	Tenant, ID  string // GUIDs
	Family      Family
	Name        string // unique in the tenant and family, in any case of letters (CK-182)
	Description string
	Enabled     bool // a disabled policy cannot be assigned (CK-174)
	State       State
	Roots       [2]hierarchy.RootRef // in the order given; URIs without a version but for SharePoint

	AvailabilityKey string // made with the policy, one of its own (CK-24, CK-230)
	Generation      string // id of the active generation: changes with every refresh (CK-126)
	Number          int    // of that generation, 1 for the first
	Revision        int64  // number of changes, 1 when created

	Created, Updated time.Time
}
