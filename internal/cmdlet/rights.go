package cmdlet

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/policy"
)

// Rights say who may run a command or use a parameter: whoever has one of them. What they come
// to in roles is for the service's role map to say; none at all is for the vault to decide.
type Rights []Right

// A Right is a role, or whatever a role map lets do something with the policies of a family.
type Right struct {
	Role   directory.Role // if given, the rest is not
	Family policy.Family
	Do     policy.Action
}

// Under returns the roles that have one of the rights by a role map, each once.
func (r Rights) Under(m policy.Roles) (roles []directory.Role) {
	for _, right := range r {
		may := []directory.Role{right.Role}
		if right.Role == "" {
			may = m.For(right.Family, right.Do)
		}
		for _, role := range may {
			if !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// Names lists the roles that have one of the rights unless the service has a role map of its own.
func (r Rights) Names() string {
	var names []string
	for _, role := range r.Under(policy.Roles{}) {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

// MayRun reports whether the caller may try to run the row by a role map. It filters what is
// offered; the domain packages decide again, by the same map, when the command runs.
func (c *Cmdlet) MayRun(caller directory.Caller, m policy.Roles) bool {
	return len(c.Roles) == 0 || caller.Has(c.Roles.Under(m)...)
}

// For returns the row as the caller sees it (row CK-83): without the parameters and the parameter
// sets that his roles do not grant.
func (c *Cmdlet) For(caller directory.Caller, m policy.Roles) *Cmdlet {
	seen := *c
	granted := func(r Rights) bool { return len(r) == 0 || caller.Has(r.Under(m)...) }
	seen.Params = nil
	for _, p := range c.Params {
		p.Sets = slices.DeleteFunc(slices.Clone(p.Sets), func(set string) bool { return !granted(c.SetRoles[set]) })
		if granted(p.Roles) && (len(p.Sets) > 0 || len(c.Param(p.Name).Sets) == 0) {
			seen.Params = append(seen.Params, p)
		}
	}
	if !granted(c.SetRoles[c.DefaultSet]) {
		seen.DefaultSet = ""
	}
	return &seen
}

// Hides returns the name of the first of the given parameters that c has and seen, c as a caller
// sees it, has not; "" if there is none.
func (c *Cmdlet) Hides(seen *Cmdlet, given Object) string {
	for _, f := range given.Fields {
		if p := c.Param(f.Name); p != nil && seen.Param(f.Name) == nil {
			return p.Name
		}
	}
	return ""
}
