package resourcemanager_test

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

// Whatever the resource manager answers, it is a fault or an answer about what was asked.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"value":[{"id":"/subscriptions/9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/v","type":"Microsoft.KeyVault/vaults"}]}`)
	f.Add(`{"properties":{"tenantId":"t","vaultUri":"https://v.vault.example:443/","sku":{"name":"premium"},"softDeleteRetentionInDays":90}}`)
	f.Add(`{"subscriptionId":"s","subscriptionPolicies":{"quotaId":"FreeTrial_2014-09-01","spendingLimit":"On"}}`)
	f.Add(`{"properties":{"state":"Registered"},"registrationState":"Registered"}`)
	f.Add(`{"value":[{"properties":{"roleDefinitionId":"/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635","principalId":"p"}}]}`)
	f.Add(`{"value":[null],"nextLink":"https://management.example/"}`)
	f.Add(`{"value":[{"id":"//","properties":null}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		pages := 0
		r, _ := newReader(func() bool { pages++; return pages < 5 }, body)
		v, err := r.Vault(t.Context(), subscription, "v")
		if err == nil && (!strings.EqualFold(v.Name, "v") || !strings.EqualFold(v.Subscription, subscription)) {
			t.Errorf("another vault: %+v", v)
		}
		_, one := r.Subscription(t.Context(), subscription)
		_, many := r.Subscriptions(t.Context())
		_, retention := r.Retention(t.Context(), subscription)
		_, owners := r.Owners(t.Context(), subscription)
		_, others := r.Others(t.Context(), subscription)
		for _, err := range []error{err, one, many, retention, owners, others} {
			if code := fault.CodeOf(err); err != nil && code != fault.Unavailable && code != fault.NotFound {
				t.Errorf("%v", err)
			}
		}
	})
}
