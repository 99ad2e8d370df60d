package rights

import (
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

// Same reports whether both give the same role to the same principal at the same scope.
func (a Assignment) Same(o Assignment) bool {
	return a.Scope.Covers(o.Scope) && o.Scope.Covers(a.Scope) && naming.Same(a.Role, o.Role) && naming.Same(a.Principal, o.Principal)
}
