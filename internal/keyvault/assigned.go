package keyvault

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Assignment returns an assignment of exactly a scope.
func (s *Service) Assignment(ctx context.Context, c directory.Caller, at rights.Scope, id string) (rights.Assignment, error) {
	return manage(ctx, s, c, GetAssignment, at, func(d *desk) (func() (rights.Assignment, error), error) {
		a, err := s.assignmentAt(ctx, d, at, id)
		if err != nil {
			return nil, err
		}
		return func() (rights.Assignment, error) { return a, nil }, nil
	})
}

// Assignments lists by id the assignments at a scope, above and inside it that the caller may
// read: at most maxAssignments and the owner's.
func (s *Service) Assignments(ctx context.Context, c directory.Caller, at rights.Scope, f rights.AssignmentFilter) ([]rights.Assignment, error) {
	return manage(ctx, s, c, ListAssignments, at, func(d *desk) (func() ([]rights.Assignment, error), error) {
		at.Subscription = d.subscription.ID
		seen := d.reach(GetAssignment)
		return func() ([]rights.Assignment, error) {
			list, err := s.store.Assignments(ctx, d.subscription.Tenant, d.subscription.ID, maxAssignments)
			list = append(list, d.subscription.ownership())
			return slices.DeleteFunc(list, func(a rights.Assignment) bool {
				return !f.Chooses(a, at, c) || !seen.Covers(at) && !seen.Covers(a.Scope)
			}), err
		}, nil
	})
}

// Roles lists the roles that can be assigned, at any scope; whoever holds one in the
// subscription may see them.
func (s *Service) Roles(ctx context.Context, c directory.Caller, at rights.Scope) ([]rights.Role, error) {
	return manage(ctx, s, c, ListRoles, at, func(*desk) (func() ([]rights.Role, error), error) {
		return func() ([]rights.Role, error) { return rights.Roles(), nil }, nil
	})
}

// ownership is the assignment that the subscription's owner has by being it (KV-128). It is
// stored nowhere else and cannot be taken away; its id is made of the subscription's and his.
func (s Subscription) ownership() rights.Assignment {
	owner := naming.Fold(s.Owner)
	return rights.Assignment{
		Tenant: s.Tenant, ID: uuid.NewHash(sha256.New(), uuid.Nil, []byte("owner "+s.ID+" "+owner), 8).String(),
		Scope: rights.Scope{Subscription: s.ID}, Role: rights.Owner, Principal: owner, Kind: rights.UserPrincipal,
		Created: s.Created, CreatedBy: owner,
	}
}
