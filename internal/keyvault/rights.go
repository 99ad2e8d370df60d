package keyvault

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A held is a role that a caller has at a scope.
type held struct {
	role  Role
	scope Scope
}

// rights are the roles that a caller has in one subscription.
type rights []held

// manage reports whether the rights include an action over resources at a scope.
func (r rights) manage(action string, at Scope) bool {
	return slices.ContainsFunc(r, func(h held) bool { return h.scope.Covers(at) && h.role.manages(action) })
}

// reach is where the rights include an action: quick to ask for many scopes, however many
// rights there are.
func (r rights) reach(action string) reach {
	at := reach{}
	for _, h := range r {
		if h.role.manages(action) {
			at[h.scope.folded()] = true
		}
	}
	return at
}

// A reach is a set of folded scopes.
type reach map[Scope]bool

// covers reports whether a scope is one of the set's, or inside one.
func (r reach) covers(at Scope) bool {
	at = at.folded()
	for _, wider := range []Scope{
		{Subscription: at.Subscription}, {Subscription: at.Subscription, Group: at.Group},
		{Subscription: at.Subscription, Group: at.Group, Vault: at.Vault}, at,
	} {
		if r[wider] {
			return true
		}
	}
	return false
}

// rights reads what the caller may do in a subscription of his tenant. Its owner, and the
// service itself, may do everything but use keys (KV-128).
func (s *Service) rights(ctx context.Context, c directory.Caller, sub Subscription) (rights, error) {
	if owns(c, sub) {
		owner, _ := roleOf(RoleOwner)
		return rights{{owner, Scope{Subscription: sub.ID}}}, nil
	}
	list, err := s.store.AssignmentsOf(ctx, sub.Tenant, sub.ID, principals(c))
	if err != nil {
		return nil, err
	}
	var r rights
	for _, a := range list {
		if role, ok := roleOf(a.Role); ok {
			r = append(r, held{role, a.Scope})
		}
	}
	return r, nil
}

func owns(c directory.Caller, sub Subscription) bool {
	return c.Tenant == sub.Tenant && (c.Kind == directory.System || naming.Same(c.ID, sub.Owner))
}

// principals are the object ids, folded, that stand for the caller: his own and his groups'.
// Nothing can be assigned to what is no GUID.
func principals(c directory.Caller) []string {
	var ids []string
	for _, id := range append([]string{c.ID}, c.Groups...) {
		if id = naming.Fold(id); naming.IsGUID(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
