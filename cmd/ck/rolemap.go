package main

import (
	"os"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// readRoles turns the value of --roles into the role map: that of the requirements for "", else
// that of a file (policy.ReadRoles).
func readRoles(path string) (policy.Roles, error) {
	if path == "" {
		return policy.Roles{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return policy.Roles{}, fault.Wrap(fault.Invalid, err, "the role map %s cannot be read", path).
			WithHint("give --roles a JSON file as docs/roles.md describes it, or leave it out")
	}
	defer f.Close()
	return policy.ReadRoles(f)
}
