package keyvault

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// An Assignment gives a role to a person, a program or a group at a scope, and so at
// everything inside it.
type Assignment struct {
	Tenant      string
	ID          string // a GUID, chosen by who makes it
	Scope       Scope  // names as they were given
	Role        string // id of the role
	Principal   string // object id
	Kind        PrincipalKind
	Description string
	Created     time.Time
	CreatedBy   string // object id

	PlaceMade time.Time // when the vault of the scope that is meant was made, or its group; zero from a Store
}

// A PrincipalKind says what an object id stands for. It is kept for readers and decides nothing.
type PrincipalKind string

// Kinds of principals, spelt as the resource manager does.
const (
	UserPrincipal    PrincipalKind = "User"
	GroupPrincipal   PrincipalKind = "Group"
	ServicePrincipal PrincipalKind = "ServicePrincipal"
)

// same reports whether both give the same role to the same principal at the same scope.
func (a Assignment) same(o Assignment) bool {
	return a.Scope.Covers(o.Scope) && o.Scope.Covers(a.Scope) && naming.Same(a.Role, o.Role) && naming.Same(a.Principal, o.Principal)
}

// maxAssignments is how many role assignments a subscription holds, as in Azure.
const maxAssignments = 4000

// A RoleStore is the part of a Store that keeps role assignments. Ids of subscriptions,
// assignments and principals are folded.
type RoleStore interface {
	// Assignment returns one; fault.NotFound if there is none of that id.
	Assignment(ctx context.Context, tenant, subscription, id string) (Assignment, error)
	// Assignments lists a subscription's by id, at most limit.
	Assignments(ctx context.Context, tenant, subscription string, limit int) ([]Assignment, error)
	// AssignmentsOf lists what the principals hold anywhere in a subscription.
	AssignmentsOf(ctx context.Context, tenant, subscription string, principals []string) ([]Assignment, error)
	// AssignmentsAt lists what the principals hold at a scope or above it.
	AssignmentsAt(ctx context.Context, tenant string, at Scope, principals []string) ([]Assignment, error)
	// AssignedIn lists the subscriptions in which the principals hold anything.
	AssignedIn(ctx context.Context, tenant string, principals []string) ([]string, error)
	// AddAssignment adds one, unless the subscription has most already: fault.Conflict.
	// ErrChanged if the id is taken, the principal has the role at the scope, or what was made
	// at PlaceMade is not there any more.
	AddAssignment(ctx context.Context, a Assignment, most int, events ...Event) error
	// DescribeAssignment replaces the description; fault.NotFound if there is none of that id.
	DescribeAssignment(ctx context.Context, a Assignment) error
	// RemoveAssignment removes one; fault.NotFound if there is none of that id.
	RemoveAssignment(ctx context.Context, a Assignment, events ...Event) error
	// VaultRefs lists a subscription's vaults by name, those after the named one, folded.
	VaultRefs(ctx context.Context, tenant, subscription, after string, limit int) ([]VaultRef, error)
}
