package rights

import (
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// An AssignmentFilter chooses among assignments; the zero one chooses all.
type AssignmentFilter struct {
	AtScope    bool   // at the scope or above it, not inside it
	Principal  string // given to this object id
	AssignedTo string // given to this object id or, if it is the caller, to one of his groups
}

// Chooses reports whether the filter chooses an assignment of those that have to do with a scope,
// for a caller.
func (f AssignmentFilter) Chooses(a Assignment, at Scope, c directory.Caller) bool {
	return (a.Scope.Covers(at) || at.Covers(a.Scope) && !f.AtScope) && f.names(c, a)
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
		return slices.Contains(Principals(c), naming.Fold(a.Principal))
	}
	return naming.Same(f.AssignedTo, a.Principal)
}
