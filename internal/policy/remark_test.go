package policy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-40, CK-42 and CK-43, about people, numbers and names, are advice that nothing enforces.
//
// CK-37, CK-38, CK-165: two vaults of one subscription are refused where the subscriptions are
// known; one of a vault elsewhere is not, and says nothing. CK-41, CK-39: one region, or a vault
// of another policy, is remarked upon and not refused.
func TestCK37_SubscriptionsAndRegions(t *testing.T) {
	facts := map[string]policy.VaultFacts{} // by the end of the vault's name
	know := func(c *policy.Config) {
		c.Vault = func(_ context.Context, _, vault string) (policy.VaultFacts, error) {
			return facts[vault[strings.LastIndex(vault, "-")+1:]], nil
		}
	}
	inWorld(t, know, func(t *testing.T, w *world) {
		c := w.mailTenant()
		create := func(name string) (policy.Policy, error) {
			return w.service.Create(t.Context(), c.admin, policy.Draft{Family: policy.Mailbox, Name: name, KeyURIs: c.keys[:], Enabled: true})
		}
		remarks := func(name string) []string {
			t.Helper()
			return must(w.service.Remarks(t.Context(), c.admin, policy.Mailbox, name))
		}
		facts["east"] = policy.VaultFacts{Subscription: "one", Location: "eastus"}
		facts["west"] = policy.VaultFacts{Subscription: "one", Location: "westus"}
		_, err := create("P")
		if !fault.Is(err, fault.Conflict) || fault.As(err).Reason != "CK-165" || !strings.Contains(fault.As(err).Hint, "another subscription") {
			t.Errorf("the same subscription: %v", err)
		}
		facts["west"] = policy.VaultFacts{}
		if _, err := create("Elsewhere"); err != nil {
			t.Errorf("an unknown subscription: %v", err)
		}
		facts["west"] = policy.VaultFacts{Subscription: "two", Location: "EastUS"}
		must(create("P"))
		got := remarks("P")
		if len(got) != 3 || !strings.Contains(got[0], "two regions") || !strings.Contains(got[1], `"Elsewhere"`) {
			t.Errorf("remarks: %q", got)
		}
		facts["n"] = policy.VaultFacts{Subscription: "one", Location: "eastus"}
		facts["s"] = policy.VaultFacts{Subscription: "one", Location: "westus"}
		if _, err := w.service.Replace(t.Context(), c.admin, policy.Mailbox, "P", c.pair("new")); fault.As(err).Reason != "CK-165" {
			t.Errorf("replacing by keys of one subscription: %v", err)
		}
		facts["s"] = policy.VaultFacts{Subscription: "three", Location: "westus"}
		must(w.service.Replace(t.Context(), c.admin, policy.Mailbox, "P", c.pair("new")))
		if got := remarks("P"); len(got) > 0 {
			t.Errorf("remarks on a good pair: %q", got)
		}
	})
}
