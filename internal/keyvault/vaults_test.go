package keyvault_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

func TestVaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		east, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "KEYS", "Contoso-East")
		if err != nil {
			t.Fatal(err)
		}
		west := s.MustPutVault(keyvault.VaultSpec{Name: "contoso_west", RetentionDays: 7, Tags: map[string]string{"a": "b"}})
		if west.RetentionDays != 7 || west.PurgeProtection {
			t.Errorf("west = %+v", west)
		}
		all, err := s.Vaults(t.Context(), s.Owner, s.Subscription.ID, "", 10)
		if diff := cmp.Diff([]keyvault.Vault{east, west}, all); err != nil || diff != "" {
			t.Errorf("vaults: %v %s", err, diff)
		}
		some, err := s.Vaults(t.Context(), s.Owner, s.Subscription.ID, "Contoso-East", 1)
		if err != nil || len(some) != 1 || some[0].Name != "contoso_west" {
			t.Errorf("after the first: %v, %v", some, err)
		}
		bad := func(reason string, code fault.Code, spec keyvault.VaultSpec) {
			t.Helper()
			spec.Subscription = s.Subscription.ID
			if spec.Group == "" {
				spec.Group = "keys"
			}
			_, _, err := s.PutVault(t.Context(), s.Owner, spec)
			wantFault(t, err, code, reason)
		}
		bad("", fault.Invalid, keyvault.VaultSpec{Name: "contoso-new", Location: "westeurope"})
		bad("", fault.Invalid, keyvault.VaultSpec{Name: "contoso-new", SKU: "standard"})
		bad("", fault.Invalid, keyvault.VaultSpec{Name: "contoso-new", SKU: "standard", Location: "westeurope", RetentionDays: 6})
		bad("", fault.Invalid, keyvault.VaultSpec{Name: "contoso-east", RetentionDays: 30})
		bad("", fault.Invalid, keyvault.VaultSpec{Name: "contoso-east", Access: []rights.Grant{{Object: s.admin.ID, Keys: []rights.Permission{"fly"}}}})
		bad("", fault.Invalid, keyvault.VaultSpec{Name: "contoso-east", Access: []rights.Grant{{Object: "alice"}}})
		bad(keyvault.ReasonLocationMismatch, fault.Conflict, keyvault.VaultSpec{Name: "contoso-east", Location: "eastus"})
		bad(keyvault.ReasonNoGroup, fault.NotFound, keyvault.VaultSpec{Group: "none", Name: "contoso-new", SKU: "standard", Location: "westeurope"})
		for _, name := range []string{"ab", "1contoso", "contoso--east", "contoso-", "con.toso", "contosoé"} {
			bad(naming.ReasonVault, fault.Invalid, keyvault.VaultSpec{Name: name, SKU: "standard", Location: "westeurope"})
		}
	})
}

// TestVaultNames: a name is unique among all tenants, and that is all one learns of others.
func TestVaultNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		other := keyvaulttest.New(t, s.db)
		spec := keyvault.VaultSpec{Subscription: other.Subscription.ID, Group: "keys", Name: "CONTOSO-EAST", Location: "westeurope", SKU: "standard"}
		_, _, err := other.PutVault(t.Context(), other.Owner, spec)
		wantFault(t, err, fault.Conflict, keyvault.ReasonVaultTaken)
		wantFault(t, other.NameAvailable(t.Context(), other.Owner, other.Subscription.ID, "contoso-east"), fault.Conflict, keyvault.ReasonVaultTaken)
		_, err = other.Vault(t.Context(), other.Owner, other.Subscription.ID, "keys", "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		_, err = other.FindVault(t.Context(), other.Owner, other.Subscription.ID, "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		_, err = other.Vaults(t.Context(), other.Owner, s.Subscription.ID, "", 10)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoSubscription)
		_, err = other.SetAccess(t.Context(), other.Owner, s.Subscription.ID, "keys", "contoso-east", rights.AddAccess, nil)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoSubscription)
	})
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		sub := s.Subscription
		sub.DisplayName = "Keys of Contoso"
		wantFault(t, s.PutSubscription(t.Context(), s.Owner, sub), fault.Forbidden, keyvault.ReasonNotOwner)
		wantFault(t, s.PutSubscription(t.Context(), directory.SystemCaller("another", "setup", ""), sub), fault.Forbidden, keyvault.ReasonNotOwner)
		if err := s.PutSubscription(t.Context(), directory.SystemCaller(s.Tenant, "setup", "r"), sub); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Service.Subscription(t.Context(), s.Owner, sub.ID); err != nil || got.DisplayName != sub.DisplayName || got.State != keyvault.Enabled || got.Created.IsZero() {
			t.Errorf("subscription = %+v, %v", got, err)
		}
		if none, err := s.Subscriptions(t.Context(), s.admin); err != nil || len(none) != 0 {
			t.Errorf("someone else's = %v, %v", none, err)
		}
		_, err := s.Vault(t.Context(), s.admin, sub.ID, "keys", "contoso-east")
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
		_, err = s.SetAccess(t.Context(), s.admin, sub.ID, "keys", "contoso-east", rights.AddAccess, nil)
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
		_, err = s.Subscriptions(t.Context(), directory.Caller{})
		wantFault(t, err, fault.Unauthenticated, "")
	})
}
