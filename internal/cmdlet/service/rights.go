package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/policy"
)

// rolesFor is the right to do any of some things with policies of a family, as package policy
// decides it (rows CK-277 to CK-281 and X-18).
func rolesFor(f policy.Family, do ...policy.Action) (r cmdlet.Rights) {
	for _, d := range do {
		r = append(r, cmdlet.Right{Family: f, Do: d})
	}
	return r
}

// rolesForAny is the right to do something with the policies of at least one family.
func rolesForAny(do policy.Action) (r cmdlet.Rights) {
	for _, f := range families {
		r = append(r, cmdlet.Right{Family: policy.Family(f), Do: do})
	}
	return r
}

// rightsOf is the right of whoever has one of the roles.
func rightsOf(roles ...directory.Role) (r cmdlet.Rights) {
	for _, role := range roles {
		r = append(r, cmdlet.Right{Role: role})
	}
	return r
}

// operators is the right of whoever runs the service.
var operators = cmdlet.Rights{{Role: directory.ServiceOperator}}
