package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/store"
)

func looseOf(version, handle string, due time.Time) keyvault.Loose {
	return keyvault.Loose{
		ID:       protect.ID{Tenant: "t", Vault: "vault", Key: "root", Version: version},
		Material: keyvault.Material{Protector: "token", Handle: []byte(handle)}, Due: due,
	}
}

// TestKeyVaultLoose: a key pair outside of the database is always either of a version or loose.
func TestKeyVaultLoose(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		loose := func(want ...keyvault.Loose) {
			t.Helper()
			var got []keyvault.Loose
			for after := (keyvault.Loose{}); ; after = got[len(got)-1] {
				page, err := k.Loose(t.Context(), vaultTime, after, 1)
				mustVault(t, err)
				if got = append(got, page...); len(page) == 0 {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("loose: %s", diff)
			}
		}
		a, b, c := looseOf("1", "a", vaultTime), looseOf("2", "b", vaultTime), looseOf("3", "c", vaultTime.Add(time.Second))
		for _, l := range []keyvault.Loose{b, a, c} {
			mustVault(t, k.AddLoose(t.Context(), l))
		}
		loose(a, b) // c is not due
		mustVault(t, k.AddVersion(t.Context(), aVaultKey(t, "Root", "1"), a.Material))
		loose(b)

		// One that was condemned no version can own, and what is refused leaves nothing.
		if doomed, err := k.CondemnLoose(t.Context(), b); err != nil || !doomed {
			t.Errorf("condemned %t, %v", doomed, err)
		}
		if err := k.AddVersion(t.Context(), aVaultKey(t, "Root", "2"), b.Material); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a version of a condemned key pair: %v", err)
		}
		if newest, _, err := k.Key(t.Context(), "t", "Vault", "root", ""); err != nil || newest.Version != "1" || newest.HeldBy != "token" {
			t.Errorf("newest is %+v, %v", newest, err)
		}
		if doomed, err := k.CondemnLoose(t.Context(), a); err != nil || doomed {
			t.Errorf("condemned what a version owns: %t, %v", doomed, err)
		}
		mustVault(t, k.RemoveLoose(t.Context(), b))
		loose()

		// A version that is not stored after all gives its key pair back.
		if err := k.AddVersion(t.Context(), aVaultKey(t, "Root", "1"), c.Material); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("a version twice: %v", err)
		}
		if doomed, err := k.CondemnLoose(t.Context(), c); err != nil || !doomed {
			t.Errorf("of a version that was not stored: %t, %v", doomed, err)
		}
		mustVault(t, k.RemoveLoose(t.Context(), c))

		// Purging makes key pairs loose, due at once; restoring takes new ones over.
		whole, policy, err := k.Whole(t.Context(), "t", "Vault", "root", 10)
		mustVault(t, err)
		mustVault(t, k.DeleteKey(t.Context(), "t", "Vault", "root", keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime}))
		_, err = k.PurgeKey(t.Context(), keyvault.Due{Tenant: "t", Vault: "Vault", Name: "root", Deletion: keyvault.Deletion{Deleted: vaultTime}}, nil)
		mustVault(t, err)
		purged := a
		purged.Due = time.Time{}
		loose(purged)
		whole[0].Handle = []byte("d")
		if err := k.Restore(t.Context(), whole, policy); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a key pair that was not reserved: %v", err)
		}
		mustVault(t, k.AddLoose(t.Context(), looseOf("1", "d", vaultTime)))
		mustVault(t, k.Restore(t.Context(), whole, policy))
		loose(purged)
	})
}

// TestKeyVaultHSM: a key keeps that it is one of hardware.
func TestKeyVaultHSM(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		key := aVaultKey(t, "Root", "1")
		key.HSM, key.Ordinal = true, 1
		mustVault(t, k.AddVersion(t.Context(), key, keyvault.Material{Protector: "software", Handle: []byte("h")}))
		got, _, err := k.Key(t.Context(), "t", "Vault", "root", "")
		if diff := cmp.Diff(key, got); err != nil || diff != "" || got.KTY() != "EC-HSM" {
			t.Errorf("%s, %v %s", got.KTY(), err, diff)
		}
		list, err := k.Keys(t.Context(), "t", "Vault", false, "", 10)
		if err != nil || len(list) != 1 || !list[0].HSM || list[0].HeldBy != "software" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
