package service

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

func TestDistinguishedNamesNamePolicies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 64, -1).Draw(t, "name")
		f := rapid.SampledFrom([]policy.Family{policy.MultiWorkload, policy.Mailbox}).Draw(t, "family")
		call := &Call{Call: &cmdlet.Call{}}
		call.Caller.Tenant = "11111111-2222-4333-8444-555555555555"
		own := policy.Policy{Tenant: call.Caller.Tenant, Family: f, Name: name}
		if got := policyIdentity(call, f, distinguishedName(own)); got != name {
			t.Fatalf("%q comes back as %q", name, got)
		}
		if got := policyIdentity(call, f, name); got != name && !strings.HasPrefix(strings.ToUpper(name), "CN=") {
			t.Fatalf("the plain name %q becomes %q", name, got)
		}
		foreign := own
		foreign.Tenant = "another"
		if got := policyIdentity(call, f, distinguishedName(foreign)); got != distinguishedName(foreign) {
			t.Fatalf("a name of another organization becomes %q", got)
		}
	})
}
