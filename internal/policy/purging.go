package policy

import (
	"context"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/purge"
	"github.com/customerkey/customerkey/internal/request"
)

// Requests is the part of request.Service that policies need: what nobody decides alone is
// asked for there.
type Requests interface {
	Ask(ctx context.Context, caller directory.Caller, a request.Ask) (request.Request, error)
	Handler(do request.Deed) operation.Handler
}

// Purging is what a Service needs to purge.
type Purging struct {
	Store    PurgeStore    // required
	Ledger   *purge.Ledger // required: the one that the Keyring asks
	Shredder Shredder      // required: destroys availability keys
	// Request returns a request as it stands; fault.NotFound. Required.
	Request func(ctx context.Context, tenant, id string) (request.Request, error)
	// Head returns the signed head of a tenant's log. Required.
	Head     func(ctx context.Context, tenant string) (note string, err error)
	Families []Family // that may be purged; Mailbox alone if there are none (CK-172, CK-253)
}

// gone reports whether a policy was purged. An older database, put back from a backup, may have
// container keys under it that were moved away before: they move nowhere, for nothing opens them.
func (s *Service) gone(tenant, policy string) bool {
	return s.c.Purging != nil && s.c.Purging.Ledger.Ordered(tenant, policy)
}

// keyGoes reports whether the availability key of a policy is one that the purge of another destroys.
// An older database, put back from a backup, may not know that yet: the ledger does.
func (s *Service) keyGoes(p Policy) bool {
	return s.c.Purging != nil && slices.ContainsFunc(s.c.Purging.Ledger.All(), func(done purge.Purge) bool {
		return done.Tenant == p.Tenant && done.Policy != p.ID && slices.Contains(done.Order.AvailabilityKeys, p.AvailabilityKey)
	})
}

// KeyGoes is the fault for what would come under an availability key that a purge destroys.
func KeyGoes() error {
	return fault.New(fault.Conflict, "the availability key of the organization is being destroyed by a purge").WithReason(ReasonPurging).
		WithHint("try again once Get-CKPurge shows that it is finished: then there is a new one")
}

// A Shredder destroys availability keys for ever; it records by itself.
type Shredder interface {
	// Alive returns the ids of the keys that a policy has for itself and that are not destroyed.
	Alive(ctx context.Context, caller directory.Caller, tenant, policy string) (ids []string, err error)
	// Facts tells of a key of the tenant or the forest; fault.NotFound.
	Facts(ctx context.Context, caller directory.Caller, tenant, id string) (availability.Facts, error)
	// Shred destroys all that a policy has for itself, and those named, and returns their ids.
	Shred(ctx context.Context, caller directory.Caller, tenant, policy string, named []string) (ids []string, err error)
}

// PurgeStore keeps what a purge needs of the service database. Errors are faults. Every method
// is one transaction.
type PurgeStore interface {
	// Keys returns the next keys under a policy after a place, by container and version.
	Keys(ctx context.Context, tenant, policy string, after Place, limit int) ([]PurgeKey, error)
	// Owners returns the next containers that have the policy for themselves and no key under it,
	// by id.
	Owners(ctx context.Context, tenant, policy, after string, limit int) ([]string, error)
	// Halfway counts the containers that were being encrypted anew and are not done: with a key under
	// the policy, and an older one under another policy, whose content is on its way.
	Halfway(ctx context.Context, tenant, policy string) (int64, error)
	// Contents counts what lies under the keys of a policy.
	Contents(ctx context.Context, tenant, policy string) (items, bytes int64, err error)
	// Containers returns the next containers that a purge of the policy concerns, by id.
	Containers(ctx context.Context, tenant, policy, after string, limit int) ([]PurgeContainer, error)

	// Order returns the order of a policy's purge; the zero one if there is none.
	Order(ctx context.Context, tenant, policy string) (PurgeOrder, error)
	// Pending returns the next orders of purges that are not finished, with their tenants and policies
	// alone, by these, behind those given.
	Pending(ctx context.Context, tenant, policy string, limit int) ([]PurgeOrder, error)
	// Mark makes the revision of a policy that p is PendingDeletion and keeps the order, without
	// request and plan; fault.Conflict with ReasonChanged for another revision.
	Mark(ctx context.Context, p Policy, o PurgeOrder) error
	// Complete keeps what an order still lacked.
	Complete(ctx context.Context, o PurgeOrder) error
	// Unmark takes an order of that request back: the policy is as it was before. One that is
	// in another state, or has another order by now, is left alone.
	Unmark(ctx context.Context, tenant, policy, request string, now time.Time) error

	// Close lets nothing come under any generation of a policy; fault.Conflict with ReasonChanged
	// unless the policy is PendingDeletion by that request.
	Close(ctx context.Context, policy, request string, f operation.Fence) error
	// DestroyPolicy empties the wrapped copies of all generations of a policy and takes it out of
	// force. The policy stays as a row, Purged.
	DestroyPolicy(ctx context.Context, policy string, f operation.Fence) error
	// DestroyKeys destroys keys, and up to limit of the items under them; more says that there
	// may be more of these: call again.
	DestroyKeys(ctx context.Context, policy string, keys []purge.Key, limit int, f operation.Fence) (more bool, err error)
	// Done notes that nothing is left.
	Done(ctx context.Context, p purge.Purge, f operation.Fence) error
	// Repeat stores an operation, unless one of its kind and subject is open.
	Repeat(ctx context.Context, op operation.Operation) error
}

// A PurgeKey is a version of a container's key that is under a policy.
type PurgeKey struct {
	Container string
	Version   int
	Oldest    bool // the container has no older version
}

// A PurgeOrder is what is kept about the purge of a policy.
type PurgeOrder struct {
	Tenant, Policy  string
	Request         string // id; "" while it is being asked for
	Reason, Contact string // CK-159
	Force           bool
	Plan            string // JSON of a purge.Plan
	Digest          string // of the plan
	AskedBy, Name   string // object id, user principal name
	Asked           time.Time
	Keys            int64 // container keys destroyed so far
	Items, Bytes    int64 // items destroyed so far, and their content
	Finished        time.Time
}

// A PurgeContainer is a container that a purge concerns.
type PurgeContainer struct {
	ID, Workload, Name string
	Items, Bytes       int64 // that would be destroyed
}
