package policy

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
)

// Store keeps policies and assignments, and sees the generations and container keys of a
// tenant. Errors are faults. Every method is one transaction.
type Store interface {
	// Policy returns a policy of any family; fault.NotFound.
	Policy(ctx context.Context, tenant, id string) (Policy, error)
	// PolicyNamed returns the policy whose folded name is key (see [FoldName]); fault.NotFound.
	PolicyNamed(ctx context.Context, tenant string, f Family, key string) (Policy, error)
	// Policies returns the family's policies by folded name, at most limit.
	Policies(ctx context.Context, tenant string, f Family, limit int) ([]Policy, error)
	// InForce returns the policies in force in a tenant, one per family and geo. It is read for
	// every item that is written: one indexed read.
	InForce(ctx context.Context, tenant string) ([]Standing, error)
	// Own returns the policy that a container has for itself; the zero Standing if it has none.
	Own(ctx context.Context, tenant, container string) (Standing, error)
	// Owns returns, by container, the ids of the policies that those from first to last have for
	// themselves.
	Owns(ctx context.Context, tenant, first, last string) (map[string]string, error)
	// CountOwn returns how many containers have the policy for themselves.
	CountOwn(ctx context.Context, tenant, id string) (int64, error)
	// Generation returns a generation of any policy; fault.NotFound.
	Generation(ctx context.Context, tenant, id string) (hierarchy.Generation, error)
	// LiveGenerations returns the tenant's generations that are not destroyed, by policy and number.
	LiveGenerations(ctx context.Context, tenant string) ([]hierarchy.Generation, error)
	// Usage returns how many of the tenant's container keys are where. The counts are kept with
	// each change: it takes no longer for a million keys.
	Usage(ctx context.Context, tenant string) ([]Usage, error)
	// Needed counts the tenant's container keys by generation, one after the other.
	Needed(ctx context.Context, tenant string) (map[string]int64, error)
	// Recount makes the counts of Usage anew from the keys themselves. Writers wait for it.
	Recount(ctx context.Context, tenant string) error
	// Picture returns one moment's state of all that [Service.Status] shows; the operation is
	// that of kind.
	Picture(ctx context.Context, tenant, policy, kind string) (Picture, error)
	// ContainerKeys returns the next keys of a tenant after a place, at most limit, by
	// container and version.
	ContainerKeys(ctx context.Context, tenant string, after Place, limit int) ([]hierarchy.ContainerKey, error)

	// KeyTenants returns the tenants, in their order and those behind after, of which a policy
	// names an availability key.
	KeyTenants(ctx context.Context, key, after string, limit int) ([]string, error)
	// NamedKeys returns the availability keys that policies name which were not purged, with the tenants
	// of these, by both, those behind after.
	NamedKeys(ctx context.Context, after NamedKey, limit int) ([]NamedKey, error)
	// KeyNeed tells what needs an availability key, or has, in any tenant.
	KeyNeed(ctx context.Context, key string) (KeyNeed, error)
	// NewestOperation returns the newest operation of a kind, nil if there was none.
	NewestOperation(ctx context.Context, tenant, kind string) (*operation.Operation, error)
	// Begin stores an operation, unless the newest of its kind and tenant is not final, or has failed
	// or was cancelled after quiet, if that is not zero.
	Begin(ctx context.Context, op operation.Operation, quiet time.Time) (begun bool, err error)

	// Progress returns the percentage that was raised last for a generation, 0 if none was.
	Progress(ctx context.Context, tenant, generation string) (percent int, err error)
	// RaiseProgress keeps a percentage, unless a higher one is kept.
	RaiseProgress(ctx context.Context, tenant, generation string, percent int) error

	// Apply makes an edit, wholly or not at all. It is fault.Conflict with ReasonChanged if
	// the policy has another revision by now, with ReasonNameTaken if the name is in use, with
	// ReasonTooMany or the reason of [Policy.Assignable] if the edit runs against those.
	Apply(ctx context.Context, e Edit) error
	// Foresee makes the edits in one transaction, looks at what comes of it, and undoes it. It
	// fails as Apply would.
	Foresee(ctx context.Context, tenant string, edits []Edit) (Prospect, error)
	// Prospect is how it stands.
	Prospect(ctx context.Context, tenant string) (Prospect, error)
	// Held counts what lies under the tenant's keys, as it would after the edit gave containers
	// policies of their own; the zero edit gives none. It reads an index entry for each item.
	Held(ctx context.Context, tenant string, but Edit) (Held, error)

	// Move puts the keys where they belong and saves the checkpoint. Keys that somebody else
	// has moved, or whose new generation is not active any more, are left and counted.
	Move(ctx context.Context, moves []Move, f operation.Fence) (left int, err error)
	// DestroyGeneration empties a draining generation that no container key is under; destroyed
	// is false, and nothing changes, if it is in another state by now.
	DestroyGeneration(ctx context.Context, id string, f operation.Fence) (destroyed bool, err error)
}

// Reasons of fault.Conflict.
const (
	ReasonChanged   = "PolicyChanged"  // somebody else changed the policy meanwhile
	ReasonNameTaken = "NameTaken"      // CK-182
	ReasonAssigned  = "PolicyAssigned" // CK-171
	ReasonDisabled  = "PolicyDisabled" // CK-174
	ReasonTooMany   = "TooManyPolicies"

	ReasonUnregistered = "Unregistered" // the geo has no policy
	ReasonRegistered   = "Registered"   // CK-176: the geo has one
	ReasonBusy         = "Rolling"      // CK-177: the last change of roots is not done
	ReasonNoRecovery   = "NotInRecovery"
	ReasonNotEnabled   = "NotEnabled"    // CK-157
	ReasonPurging      = "PolicyPurging" // CK-174
)

// An Edit is one change. Zero fields change nothing.
type Edit struct {
	Tenant     string
	Policy     *Policy                // Revision 0: a new one, else replaces that revision
	MostActive int                    // refused with ReasonTooMany if the family of Policy then has more enabled ones
	Generation *hierarchy.Generation  // becomes the active one of its policy, older ones drain
	Restored   []hierarchy.Generation // their root copies take the place of those stored
	Recovery   *hierarchy.Recovery    // begins, or, with Ended, ends

	// What comes to be under a policy must find it assignable at that moment: see
	// [Policy.Assignable].
	Assignment   *Assignment
	Reassignment *Reassignment
	Left         string // id of a policy that is in force nowhere any more

	Operation *operation.Operation // if one of its kind is open already, that one is called once more
}

// An Assignment puts a policy in force, or none (""): for one container, for its family in a
// geo, or for its family in the whole tenant.
type Assignment struct {
	Family    Family
	Geo       string // SharePoint only
	Container string // Mailbox only: the id of a container
	Policy    string
}

// A Reassignment gives every container that has one policy for itself another, or none ("").
type Reassignment struct{ From, To string }

// A KeyNeed says what this database knows of an availability key.
type KeyNeed struct {
	Now   bool      // a policy names it, or a generation that is not destroyed
	Known bool      // a policy or a generation names it, destroyed ones too
	Last  time.Time // when the last of its generations was destroyed; zero if none was
}

// A Standing is a policy in force and its active generation.
type Standing struct {
	Family             Family
	Geo                string // "" but for SharePoint
	Policy, Generation string
}

// A Usage counts container keys that lie under one generation and for which the same things
// decide where they belong.
type Usage struct {
	Workload, Geo      string
	Own                string // the policy that the containers have for themselves, "" if none
	Policy, Generation string
	Keys               int64
}

// A Place is one in the order of a tenant's container keys: the last one seen. The zero
// Place is before all of them.
type Place struct {
	Container string
	Version   int
}

// A Move is a container key as it shall be, and as it was.
type Move struct{ Key, From hierarchy.ContainerKey }

// A Picture is what Status is made from.
type Picture struct {
	Policy      Policy
	Generations []hierarchy.Generation // of the policy, oldest first
	Live        []hierarchy.Generation // of all the tenant's policies, not destroyed
	Current     map[string]string      // active generation of each policy of the tenant
	InForce     []Standing
	Owned       int64 // containers that have the policy for themselves
	Usage       []Usage
	Operation   *operation.Operation // of the kind: the one that is open, else the newest, if there is one
}
