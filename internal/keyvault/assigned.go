package keyvault

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// Assignment returns an assignment of exactly a scope.
func (s *Service) Assignment(ctx context.Context, c directory.Caller, at Scope, id string) (Assignment, error) {
	return manage(ctx, s, c, GetAssignment, at, func(d *desk) (func() (Assignment, error), error) {
		a, err := s.assignmentAt(ctx, d, at, id)
		if err != nil {
			return nil, err
		}
		return func() (Assignment, error) { return a, nil }, nil
	})
}

// An AssignmentFilter chooses among assignments; the zero one chooses all.
type AssignmentFilter struct {
	AtScope    bool   // at the scope or above it, not inside it
	Principal  string // given to this object id
	AssignedTo string // given to this object id or, if it is the caller, to one of his groups
}

// Assignments lists by id the assignments at a scope, above and inside it that the caller may
// read: at most maxAssignments and the owner's.
func (s *Service) Assignments(ctx context.Context, c directory.Caller, at Scope, f AssignmentFilter) ([]Assignment, error) {
	return manage(ctx, s, c, ListAssignments, at, func(d *desk) (func() ([]Assignment, error), error) {
		at.Subscription = d.subscription.ID
		seen := d.reach(GetAssignment)
		return func() ([]Assignment, error) {
			list, err := s.store.Assignments(ctx, d.subscription.Tenant, d.subscription.ID, maxAssignments)
			list = append(list, d.subscription.ownership())
			return slices.DeleteFunc(list, func(a Assignment) bool {
				related := a.Scope.Covers(at) || at.Covers(a.Scope) && !f.AtScope
				return !related || !f.names(c, a) || !seen.covers(at) && !seen.covers(a.Scope)
			}), err
		}, nil
	})
}

// names reports whether the filter's principals hold the assignment.
func (f AssignmentFilter) names(c directory.Caller, a Assignment) bool {
	if f.Principal != "" && !naming.Same(f.Principal, a.Principal) {
		return false
	}
	if f.AssignedTo == "" {
		return true
	}
	if naming.Same(f.AssignedTo, c.ID) {
		return slices.Contains(principals(c), naming.Fold(a.Principal))
	}
	return naming.Same(f.AssignedTo, a.Principal)
}

// Roles lists the roles that can be assigned, at any scope; whoever holds one in the
// subscription may see them.
func (s *Service) Roles(ctx context.Context, c directory.Caller, at Scope) ([]Role, error) {
	return manage(ctx, s, c, ListRoles, at, func(*desk) (func() ([]Role, error), error) {
		return func() ([]Role, error) { return slices.Clone(roles), nil }, nil
	})
}

// ownership is the assignment that the subscription's owner has by being it (KV-128). It is
// stored nowhere else and cannot be taken away; its id is made of the subscription's and his.
func (s Subscription) ownership() Assignment {
	owner := naming.Fold(s.Owner)
	return Assignment{
		Tenant: s.Tenant, ID: uuid.NewHash(sha256.New(), uuid.Nil, []byte("owner "+s.ID+" "+owner), 8).String(),
		Scope: Scope{Subscription: s.ID}, Role: RoleOwner, Principal: owner, Kind: UserPrincipal,
		Created: s.Created, CreatedBy: owner,
	}
}
