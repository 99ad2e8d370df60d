package arm_test

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
)

// TestEventRecords: each request about a vault has one record, under the name of CK-375, at the vault
// or else at the subscription. Who has no business there leaves none: whose it is must not show.
func TestEventRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, other := w.Token(w.Owner, base(w)), w.Token(w.Person("other@contoso.example"), base(w))
	stranger := w.Token(w.Stranger("spy@fabrikam.example"), base(w))
	subscription := eventlog.SubscriptionID(w.Subscription.ID)
	vault := eventlog.VaultID(w.Subscription.ID, "keys", "contoso-east")
	for _, tt := range []struct {
		token, method, path, body string
		name, signature, resource string
	}{
		{token, "GET", east + version, "", "", "", ""}, // not there, and whose it would be is not known
		{token, "PUT", east + version, vaultBody(w, ""), "VaultPut", "Created", vault},
		{token, "GET", east + version, "", "VaultGet", "OK", vault},
		{token, "GET", strings.Replace(east, "contoso-east", "CONTOSO-East", 1) + version, "", "VaultGet", "OK", vault},
		{other, "GET", east + version, "", "VaultGet", "Forbidden", vault},
		{stranger, "GET", east + version, "", "", "", ""},
		{"", "GET", east + version, "", "", "", ""},
		{token, "PATCH", east + version, `{}`, "VaultPatch", "OK", vault},
		{token, "PUT", east + version, `{`, "VaultPut", "BadRequest", vault},
		{token, "PUT", east + "/accessPolicies/add" + version, `{"properties":{"accessPolicies":[]}}`, "VaultAccessPolicyPut", "OK", vault},
		{token, "GET", group + "/providers/Microsoft.KeyVault/vaults" + version, "", "VaultList", "OK", subscription},
		{token, "GET", "/subscriptions/{sub}/providers/Microsoft.KeyVault/vaults" + version, "", "VaultList", "OK", subscription},
		{stranger, "GET", "/subscriptions/{sub}/providers/Microsoft.KeyVault/vaults" + version, "", "", "", ""},
		{token, "GET", "/subscriptions/{sub}/providers/Microsoft.KeyVault/deletedVaults" + version, "", "VaultListDeleted", "OK", subscription},
		{token, "DELETE", east + version, "", "VaultDelete", "OK", vault},
		{token, "GET", deletedEast + version, "", "VaultGetDeleted", "OK", vault},
		{stranger, "GET", deletedEast + version, "", "", "", ""},
		{token, "PUT", east + version, vaultBody(w, `,"createMode":"recover"`), "VaultRecover", "OK", vault},
		{token, "DELETE", east + version, "", "VaultDelete", "OK", vault},
		{token, "POST", deletedEast + "/purge" + version, "", "VaultPurge", "OK", vault},
		{token, "GET", "/subscriptions/{sub}" + version, "", "", "", ""}, // about no vault
	} {
		send(t, w, tt.method, tt.path, tt.token, tt.body)
		var got eventlog.Record
		all := w.Records()
		if len(all) > 0 {
			got = all[0]
		}
		if got.Operation != tt.name || got.Signature != tt.signature || got.Resource != tt.resource || len(all) > 1 {
			t.Errorf("%s %s: %d records, %s %s at %s", tt.method, tt.path, len(all), got.Operation, got.Signature, got.Resource)
		}
		if len(all) > 0 && (got.Tenant != w.Tenant || got.Identity.Claim.Object == "" || got.Version != "2024-11-01") {
			t.Errorf("%s %s: %+v", tt.method, tt.path, got)
		}
	}
}
