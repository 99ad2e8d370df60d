package store_test

import (
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestKeyVaultTellsWhatIs: each change, made here or through another store over the same
// database, is what the next read finds (KV-59), though both were read before.
func TestKeyVaultTellsWhatIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		here, there := store.NewKeyVault(db), store.NewKeyVault(db)
		sub := keyvault.Subscription{ID: "s", Tenant: "t", DisplayName: "S", Owner: "o", Created: vaultTime}
		vault, key := aVault("Vault"), aVaultKey(t, "key", "1")
		mustVault(t, here.PutSubscription(t.Context(), sub))
		sub, err := here.Subscription(t.Context(), "t", "s")
		mustVault(t, err)
		_, err = here.PutGroup(t.Context(), keyvault.Group{Tenant: "t", Subscription: "s", Name: "G", Created: vaultTime})
		mustVault(t, err)
		mustVault(t, here.AddVault(t.Context(), vault))
		mustVault(t, here.AddVersion(t.Context(), key, keyvault.Material{Protector: "software", Handle: []byte("h")}))
		read := func() (v keyvault.Vault, k keyvault.Key) {
			t.Helper()
			for _, s := range []*store.KeyVault{here, there, here} {
				var err error
				v, err = s.Vault(t.Context(), "vault")
				mustVault(t, err)
				k, _, err = s.Key(t.Context(), "t", "vault", "key", "")
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Fatal(err)
				}
			}
			return v, k
		}
		deletion := keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime.Add(time.Hour)}
		for _, step := range []struct {
			what string
			do   func() error
			is   func(v keyvault.Vault, k keyvault.Key) bool
		}{
			{"nothing", func() error { return nil }, func(v keyvault.Vault, k keyvault.Key) bool { return k.Version == "1" && len(v.Access) == 2 }},
			{"protected", func() error {
				sub.Retention = keyvault.Registration{State: keyvault.Registered, Order: sub.Provider.Order}
				sub.Provider.Order++
				return there.SetSubscription(t.Context(), sub)
			},
				func(v keyvault.Vault, _ keyvault.Key) bool { return v.Protected }},
			{"access", func() error { vault.Access = vault.Access[:1]; return there.SetVault(t.Context(), vault) },
				func(v keyvault.Vault, _ keyvault.Key) bool { return len(v.Access) == 1 }},
			{"disabled", func() error {
				was := key.Updated
				key.Enabled, key.Updated = false, key.Updated.Add(time.Second)
				return there.SetVersion(t.Context(), key, was)
			}, func(_ keyvault.Vault, k keyvault.Key) bool { return !k.Enabled }},
			{"version", func() error {
				return here.AddVersion(t.Context(), aVaultKey(t, "key", "2"), keyvault.Material{Protector: "software", Handle: []byte("h")})
			},
				func(_ keyvault.Vault, k keyvault.Key) bool { return k.Version == "2" && k.Enabled }},
			{"deleted", func() error { return there.DeleteKey(t.Context(), "t", "vault", "key", deletion) },
				func(_ keyvault.Vault, k keyvault.Key) bool { return k.IsDeleted() }},
			{"recovered", func() error { return here.RecoverKey(t.Context(), "t", "vault", "key") },
				func(_ keyvault.Vault, k keyvault.Key) bool { return !k.IsDeleted() }},
			{"deleted again", func() error { return here.DeleteKey(t.Context(), "t", "vault", "key", deletion) },
				func(_ keyvault.Vault, k keyvault.Key) bool { return k.IsDeleted() }},
			{"purged", func() error {
				_, err := there.PurgeKey(t.Context(), keyvault.Due{Tenant: "t", Vault: "vault", Name: "key", Deletion: keyvault.Deletion{Deleted: vaultTime}}, nil)
				return err
			},
				func(_ keyvault.Vault, k keyvault.Key) bool { return k.Version == "" }},
		} {
			mustVault(t, step.do())
			if v, k := read(); !step.is(v, k) {
				t.Errorf("%s: read %+v and %+v", step.what, v, k)
			}
		}
	})
}
