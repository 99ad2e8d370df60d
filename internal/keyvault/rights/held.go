package rights

import (
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A held is a role that somebody has at a scope.
type held struct {
	role  Role
	scope Scope
}

// Held are the roles that somebody has in one subscription, each at its scope.
type Held []held

// Of returns what assignments of one subscription give; nothing, where there is no such role.
func Of(list ...Assignment) Held {
	var h Held
	for _, a := range list {
		if role, ok := RoleOf(a.Role); ok {
			h = append(h, held{role, a.Scope})
		}
	}
	return h
}

// Manage reports whether the rights include an action over resources at a scope.
func (h Held) Manage(action string, at Scope) bool {
	return slices.ContainsFunc(h, func(one held) bool { return one.scope.Covers(at) && one.role.manages(action) })
}

// Reach is where the rights include an action: quick to ask for many scopes, however many
// rights there are.
func (h Held) Reach(action string) Reach {
	at := Reach{}
	for _, one := range h {
		if one.role.manages(action) {
			at[one.scope.folded()] = true
		}
	}
	return at
}

// A Reach is a set of folded scopes.
type Reach map[Scope]bool

// Covers reports whether a scope is one of the set's, or inside one.
func (r Reach) Covers(at Scope) bool {
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

// Permitting returns the first of the assignments whose role gives a permission over keys.
func Permitting(list []Assignment, p Permission) (Assignment, bool) {
	i := slices.IndexFunc(list, func(a Assignment) bool {
		role, ok := RoleOf(a.Role)
		return ok && role.permits(p)
	})
	if i < 0 {
		return Assignment{}, false
	}
	return list[i], true
}

// Principals are the object ids, folded, that stand for the caller: his own and his groups'.
// Nothing can be assigned to what is no GUID.
func Principals(c directory.Caller) []string {
	var ids []string
	for _, id := range append([]string{c.ID}, c.Groups...) {
		if id = naming.Fold(id); naming.IsGUID(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
