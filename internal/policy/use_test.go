package policy_test

import (
	"strings"
	"testing"
)

// TestUsesVaults: a vault is in use by every policy whose root is in it, also by one that is not
// assigned, and not by another tenant's.
func TestUsesVaults(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c, other := w.tenant(), w.tenant()
		vaultOf := func(uri string) string {
			name, _, _ := strings.Cut(strings.TrimPrefix(uri, "https://"), ".")
			return name
		}
		east, west := vaultOf(c.keys[0]), vaultOf(c.keys[1])
		uses := func(tenant string, vaults ...string) bool {
			t.Helper()
			used, err := w.service.UsesVaults(t.Context(), tenant, vaults)
			if err != nil {
				t.Fatal(err)
			}
			return used
		}
		if uses(c.id, east, west, "service-one", "service-two") {
			t.Error("in use before there is a policy, or by the policy of the service, whose vaults are another's")
		}
		c.mustCreate("P")
		if !uses(c.id, east) || !uses(c.id, "something-else", west) {
			t.Error("not in use by a policy")
		}
		if uses(c.id) || uses(c.id, east+"2") || uses(other.id, east, west) {
			t.Error("in use by nothing")
		}
	})
}
