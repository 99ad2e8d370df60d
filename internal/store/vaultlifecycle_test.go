package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestKeyVaultVaultDeletion(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		ctx := t.Context()
		m := keyvault.Material{Protector: "software", Handle: []byte{1, 2, 3}}
		mustVault(t, k.AddVersion(ctx, aVaultKey(t, "live", "1"), m))
		mustVault(t, k.AddVersion(ctx, aVaultKey(t, "live", "2"), m))
		mustVault(t, k.AddVersion(ctx, aVaultKey(t, "gone", "3"), m))
		was := keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime.AddDate(0, 0, 7)}
		mustVault(t, k.DeleteKey(ctx, "t", "vault", "gone", was))
		v, err := k.Vault(ctx, "vault")
		mustVault(t, err)

		d := keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime.AddDate(0, 0, 90)}
		mustVault(t, k.DeleteVault(ctx, keyvault.Vault{Tenant: "t", Name: "VAULT", Created: vaultTime, Deletion: d}))
		wantMissing(t, "deleted again", k.DeleteVault(ctx, keyvault.Vault{Tenant: "t", Name: "vault", Created: vaultTime, Deletion: d}))
		wantMissing(t, "a new version", k.AddVersion(ctx, aVaultKey(t, "live", "4"), m))
		wantMissing(t, "a restored key", k.Restore(ctx, []keyvault.Stored{{Key: aVaultKey(t, "more", "5"), Material: m}}, keyvault.RotationPolicy{}))
		_, err = k.Vault(ctx, "vault")
		wantMissing(t, "the vault", err)
		if err := k.SetVault(ctx, v); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("changed while deleted: %v", err)
		}
		if err := k.AddVault(ctx, aVault("vault")); !fault.Is(err, fault.Conflict) {
			t.Errorf("the name again: %v", err)
		}
		if taken, err := k.NameTaken(ctx, "VAULT"); !taken || err != nil {
			t.Errorf("taken %t, %v", taken, err)
		}
		gone, err := k.DeletedVault(ctx, "vault")
		mustVault(t, err)
		if all, err := k.DeletedVaults(ctx, "t", "s", "", 9); err != nil || cmp.Diff([]keyvault.Vault{gone}, all) != "" {
			t.Errorf("%v, %v", all, err)
		}
		mustVault(t, k.RecoverVault(ctx, gone))
		wantMissing(t, "recovered again", k.RecoverVault(ctx, gone))
		v.Revision += 2
		if back, err := k.Vault(ctx, "vault"); err != nil || cmp.Diff(v, back) != "" {
			t.Errorf("not as it was: %v %s", err, cmp.Diff(v, back))
		}
		if live, err := k.Keys(ctx, "t", "vault", false, "", 9); err != nil || len(live) != 1 || live[0].Version != "2" {
			t.Errorf("live keys %v, %v", live, err)
		}
		if dead, err := k.Keys(ctx, "t", "vault", true, "", 9); err != nil || len(dead) != 1 || !dead[0].PurgeAt.Equal(was.PurgeAt) {
			t.Errorf("deleted keys %v, %v", dead, err)
		}
	})
}

func TestKeyVaultVaultPurge(t *testing.T) {
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		ctx, k := t.Context(), store.NewKeyVault(db)
		mustVault(t, k.PutSubscription(ctx, keyvault.Subscription{ID: "s", Tenant: "t", Created: vaultTime}))
		_, err := k.PutGroup(ctx, keyvault.Group{Tenant: "t", Subscription: "s", Name: "G", Created: vaultTime})
		mustVault(t, err)
		for _, name := range []string{"Vault", "other"} {
			mustVault(t, k.AddVault(ctx, aVault(name)))
		}
		for i := range 3 {
			mustVault(t, k.AddVersion(ctx, aVaultKey(t, fmt.Sprintf("key%d", i), fmt.Sprint(i)), keyvault.Material{Protector: "software", Handle: []byte("h")}))
		}
		elsewhere := aVaultKey(t, "key0", "9")
		elsewhere.Vault = "other"
		mustVault(t, k.AddVersion(ctx, elsewhere, keyvault.Material{Protector: "software", Handle: []byte("h")}))

		_, err = k.PurgeKeys(ctx, "t", "vault", 9)
		wantMissing(t, "keys of a live vault", err)
		wantMissing(t, "a live vault", k.RemoveVault(ctx, "t", "vault"))
		d := keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime.AddDate(0, 0, 90)}
		mustVault(t, k.DeleteVault(ctx, keyvault.Vault{Tenant: "t", Name: "vault", Created: vaultTime, Deletion: d}))
		gone, err := k.DeletedVault(ctx, "vault")
		mustVault(t, err)
		wantMissing(t, "another deletion", k.CondemnVault(ctx, "t", "vault", vaultTime.Add(time.Second), nil))
		if due, err := k.DueVaults(ctx, d.PurgeAt.Add(-time.Microsecond), keyvault.DueVault{}, 9); err != nil || len(due) != 0 {
			t.Errorf("due too early: %v, %v", due, err)
		}
		want := keyvault.DueVault{Tenant: "t", Name: "vault", Deletion: d}
		if due, err := k.DueVaults(ctx, d.PurgeAt, keyvault.DueVault{}, 9); err != nil || len(due) != 1 || due[0] != want {
			t.Errorf("due: %v, %v", due, err)
		}
		mustVault(t, k.CondemnVault(ctx, "t", "vault", d.Deleted, nil))
		wantMissing(t, "recovered", k.RecoverVault(ctx, gone))
		_, err = k.DeletedVault(ctx, "vault")
		wantMissing(t, "a condemned vault", err)
		if due, err := k.DueVaults(ctx, vaultTime, keyvault.DueVault{}, 9); err != nil || len(due) != 1 || !due[0].Condemned {
			t.Errorf("due at once: %v, %v", due, err)
		}
		first, err := k.PurgeKeys(ctx, "t", "vault", 2)
		mustVault(t, err)
		rest, err := k.PurgeKeys(ctx, "t", "vault", 2)
		mustVault(t, err)
		wantGone := []keyvault.Purged{{Name: "key0", Versions: []string{"0"}}, {Name: "key1", Versions: []string{"1"}}, {Name: "key2", Versions: []string{"2"}}}
		if diff := cmp.Diff(wantGone, append(first, rest...)); diff != "" {
			t.Error(diff)
		}
		mustVault(t, k.RemoveVault(ctx, "t", "vault"))
		if taken, err := k.NameTaken(ctx, "vault"); taken || err != nil {
			t.Errorf("taken %t, %v", taken, err)
		}
		if _, _, err := k.Key(ctx, "t", "other", "key0", ""); err != nil {
			t.Errorf("the neighbour's key: %v", err)
		}
		if n := countRows(t, db, "SELECT COUNT(*) FROM keyvault_versions") + countRows(t, db, "SELECT COUNT(*) FROM keyvault_keys"); n != 2 {
			t.Errorf("%d rows of keys are left, want the neighbour's two", n)
		}
		if n := countRows(t, db, "SELECT COUNT(*) FROM keyvault_access WHERE vault = 'vault'"); n != 0 {
			t.Errorf("%d grants are left", n)
		}
		mustVault(t, k.AddVault(ctx, aVault("vault")))
	})
}

func TestKeyVaultRemoveGroup(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		ctx, g := t.Context(), keyvault.Group{Tenant: "t", Subscription: "s", Name: "G"}
		if removed, err := k.RemoveGroup(ctx, g); removed || err != nil {
			t.Errorf("with a vault in it: %t, %v", removed, err)
		}
		mustVault(t, k.DeleteVault(ctx, keyvault.Vault{Tenant: "t", Name: "vault", Created: vaultTime, Deletion: keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime}}))
		if removed, err := k.RemoveGroup(ctx, g); !removed || err != nil {
			t.Errorf("empty: %t, %v", removed, err)
		}
		_, err := k.RemoveGroup(ctx, g)
		wantMissing(t, "again", err)
		gone, err := k.DeletedVault(ctx, "vault")
		mustVault(t, err)
		wantMissing(t, "recovered into no group", k.RecoverVault(ctx, gone))
	})
}

func TestKeyVaultRegistrations(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		ctx := t.Context()
		sub, err := k.Subscription(ctx, "t", "s")
		mustVault(t, err)
		want := keyvault.Subscription{
			ID: "s", Tenant: "t", DisplayName: "S", Owner: "o", State: keyvault.Enabled, StateSince: vaultTime, Created: vaultTime, Revision: 1,
			Retention: keyvault.Registration{State: keyvault.NotRegistered},
			Provider:  keyvault.Registration{State: keyvault.Registered, Since: vaultTime, Order: 1},
		}
		if diff := cmp.Diff(want, sub); diff != "" {
			t.Error(diff)
		}
		later := vaultTime.Add(time.Hour)
		sub.DisplayName, sub.State, sub.StateSince = "T", keyvault.Warned, later
		sub.Retention = keyvault.Registration{State: keyvault.Pending, Since: later, Order: 7, AskedBy: "a", AskedName: "Alice", Asked: later}
		sub.Provider = keyvault.Registration{State: keyvault.Unregistered, Since: later, Order: 8}
		mustVault(t, k.SetSubscription(ctx, sub))
		if err := k.SetSubscription(ctx, sub); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("from an old revision: %v", err)
		}
		sub.Revision = 2
		if got, err := k.Subscription(ctx, "t", "s"); err != nil || cmp.Diff(sub, got) != "" {
			t.Errorf("%v %s", err, cmp.Diff(sub, got))
		}
		mustVault(t, k.PutSubscription(ctx, keyvault.Subscription{ID: "r", Tenant: "t", Created: vaultTime}))
		waiting, err := k.Waiting(ctx, keyvault.Subscription{}, 9)
		if diff := cmp.Diff([]keyvault.Subscription{sub}, waiting); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if none, err := k.Waiting(ctx, sub, 9); err != nil || len(none) != 0 {
			t.Errorf("after the last: %v, %v", none, err)
		}
	})
}

func wantMissing(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("%s: %v, want that it is not there", what, err)
	}
}

func countRows(t *testing.T, db *store.DB, query string) (n int) {
	t.Helper()
	mustVault(t, db.Read(t.Context(), func(ctx context.Context, tx store.DBTX) error { return tx.QueryRowContext(ctx, query).Scan(&n) }))
	return n
}
