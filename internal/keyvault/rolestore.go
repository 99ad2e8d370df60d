package keyvault

import (
	"context"

	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A RoleStore is the part of a Store that keeps role assignments. Ids of subscriptions,
// assignments and principals are folded.
type RoleStore interface {
	// Assignment returns one; fault.NotFound if there is none of that id.
	Assignment(ctx context.Context, tenant, subscription, id string) (rights.Assignment, error)
	// Assignments lists a subscription's by id, at most limit.
	Assignments(ctx context.Context, tenant, subscription string, limit int) ([]rights.Assignment, error)
	// AssignmentsOf lists what the principals hold anywhere in a subscription.
	AssignmentsOf(ctx context.Context, tenant, subscription string, principals []string) ([]rights.Assignment, error)
	// AssignmentsAt lists what the principals hold at a scope or above it.
	AssignmentsAt(ctx context.Context, tenant string, at rights.Scope, principals []string) ([]rights.Assignment, error)
	// AssignedIn lists the subscriptions in which the principals hold anything.
	AssignedIn(ctx context.Context, tenant string, principals []string) ([]string, error)
	// AddAssignment adds one, unless the subscription has most already: fault.Conflict.
	// ErrChanged if the id is taken, the principal has the role at the scope, or what was made
	// at PlaceMade is not there any more.
	AddAssignment(ctx context.Context, a rights.Assignment, most int, events ...Event) error
	// DescribeAssignment replaces the description; fault.NotFound if there is none of that id.
	DescribeAssignment(ctx context.Context, a rights.Assignment) error
	// RemoveAssignment removes one; fault.NotFound if there is none of that id.
	RemoveAssignment(ctx context.Context, a rights.Assignment, events ...Event) error
	// VaultRefs lists a subscription's vaults by name, those after the named one, folded.
	VaultRefs(ctx context.Context, tenant, subscription, after string, limit int) ([]VaultRef, error)
}
