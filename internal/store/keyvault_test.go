package store_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

var vaultTime = time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC)

// eachKeyVault runs fn on every engine, over a subscription "s" and a vault "Vault" of tenant
// "t".
func eachKeyVault(t *testing.T, fn func(t *testing.T, k *store.KeyVault)) {
	t.Helper()
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		k := store.NewKeyVault(db)
		mustVault(t, k.PutSubscription(t.Context(), keyvault.Subscription{ID: "s", Tenant: "t", DisplayName: "S", Owner: "o", Created: vaultTime}))
		_, err := k.PutGroup(t.Context(), keyvault.Group{Tenant: "t", Subscription: "s", Name: "g", Location: "westeurope", Created: vaultTime})
		mustVault(t, err)
		mustVault(t, k.AddVault(t.Context(), aVault("Vault")))
		fn(t, k)
	})
}

func aVault(name string) keyvault.Vault {
	return keyvault.Vault{
		Tenant: "t", Subscription: "s", Group: "G", Name: name, Location: "westeurope", SKU: "standard", RetentionDays: 90,
		Access:     []rights.Grant{{Object: "b", Keys: []rights.Permission{"get", "wrapKey"}}, {Object: "a", Application: "x"}},
		Tags:       map[string]string{"ü": `"`},
		EnabledFor: keyvault.EnabledFor{Deployment: true, Template: true},
		Created:    vaultTime, Updated: vaultTime, Revision: 1,
		CreatedBy: keyvault.Author{Kind: "user", Name: "Alice Winter"}, UpdatedBy: keyvault.Author{Kind: "app"},
	}
}

func aVaultKey(t *testing.T, name, version string) keyvault.Key {
	t.Helper()
	return keyvault.Key{
		Tenant: "t", Vault: "Vault", Name: name, Version: version, Type: protect.EC, Curve: "P-256", Public: aPublicKey(t), HeldBy: "software",
		Ops: []string{"sign", "verify"}, Enabled: true, NotBefore: time.Unix(0, 0).UTC(),
		Expires: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Tags: map[string]string{"a": "b"}, Created: vaultTime, Updated: vaultTime,
	}
}

func aPublicKey(t *testing.T) crypto.PublicKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	mustVault(t, err)
	return k.Public()
}

func mustVault(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeyVaultVaults(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		v, err := k.Vault(t.Context(), "VAULT")
		if diff := cmp.Diff(aVault("Vault"), v); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		other := aVault("vault")
		other.Tenant = "another"
		if err := k.AddVault(t.Context(), other); !fault.Is(err, fault.NotFound) {
			t.Errorf("no such group: %v", err)
		}
		_, err = k.PutGroup(t.Context(), keyvault.Group{Tenant: "another", Subscription: "s", Name: "G", Created: vaultTime})
		mustVault(t, err)
		if err := k.AddVault(t.Context(), other); !fault.Is(err, fault.Conflict) {
			t.Errorf("the name twice: %v", err)
		}
		if _, err := k.Vault(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no vault: %v", err)
		}

		v.Access, v.PurgeProtection, v.SKU, v.Tags, v.Updated, v.EnabledFor = nil, true, "premium", nil, vaultTime.Add(time.Second), keyvault.EnabledFor{DiskEncryption: true}
		mustVault(t, k.SetVault(t.Context(), v))
		if err := k.SetVault(t.Context(), v); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("from an old revision: %v", err)
		}
		v.Revision = 2
		if got, err := k.Vault(t.Context(), "vault"); err != nil || cmp.Diff(v, got) != "" {
			t.Errorf("%v %s", err, cmp.Diff(v, got))
		}
		if _, err := k.Subscription(t.Context(), "another", "s"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant's subscription: %v", err)
		}
	})
}

func TestKeyVaultGroups(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		g := keyvault.Group{Tenant: "t", Subscription: "s", Name: "Keys", Location: "westeurope", Created: vaultTime}
		if created, err := k.PutGroup(t.Context(), g); err != nil || !created {
			t.Errorf("created %t, %v", created, err)
		}
		again := g
		again.Name, again.Tags, again.Location = "KEYS", map[string]string{"a": "b"}, "eastus"
		if created, err := k.PutGroup(t.Context(), again); err != nil || created {
			t.Errorf("created again %t, %v", created, err)
		}
		g.Tags = again.Tags // and nothing else
		all, err := k.Groups(t.Context(), "t", "s")
		if diff := cmp.Diff([]keyvault.Group{g}, all[1:]); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestKeyVaultVersions(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		m := keyvault.Material{Protector: "software", Handle: []byte{1, 2, 3}}
		first, second := aVaultKey(t, "Root", "1"), aVaultKey(t, "root", "2")
		second.NotBefore, second.Expires, second.Ops, second.Tags, second.Enabled = time.Time{}, time.Time{}, nil, nil, false
		mustVault(t, k.AddVersion(t.Context(), first, m))
		mustVault(t, k.AddVersion(t.Context(), second, m))
		first.Ordinal, second.Ordinal = 1, 2
		second.Name = "Root" // as it was first given
		for version, want := range map[string]keyvault.Key{"": second, "1": first, "2": second} {
			got, material, err := k.Key(t.Context(), "t", "Vault", "ROOT", version)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" || !bytes.Equal(material.Handle, m.Handle) {
				t.Errorf("version %q: %v %s", version, err, diff)
			}
		}
		if err := k.AddVersion(t.Context(), second, m); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("a version twice: %v", err)
		}
		changed := first
		changed.Enabled, changed.Updated = false, vaultTime.Add(time.Second)
		mustVault(t, k.SetVersion(t.Context(), changed, vaultTime))
		if err := k.SetVersion(t.Context(), changed, vaultTime); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("a change of what was changed: %v", err)
		}
		for _, key := range [][3]string{{"another", "Vault", "root"}, {"t", "other", "root"}, {"t", "Vault", "none"}} {
			if _, _, err := k.Key(t.Context(), key[0], key[1], key[2], ""); !fault.Is(err, fault.NotFound) {
				t.Errorf("%v: %v", key, err)
			}
		}
	})
}

func TestKeyVaultDeletion(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		key, m := aVaultKey(t, "Root", "1"), keyvault.Material{Protector: "software", Handle: []byte("handle")}
		mustVault(t, k.AddVersion(t.Context(), key, m))
		d := keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime.Add(time.Hour)}
		notFound := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		notFound("recovering a live key", k.RecoverKey(t.Context(), "t", "Vault", "root"))
		mustVault(t, k.DeleteKey(t.Context(), "t", "vault", "ROOT", d))
		notFound("deleting twice", k.DeleteKey(t.Context(), "t", "vault", "root", d))
		notFound("changing a deleted key", k.SetVersion(t.Context(), key, vaultTime))
		if err := k.AddVersion(t.Context(), aVaultKey(t, "root", "2"), m); !fault.Is(err, fault.Conflict) {
			t.Errorf("a version of a deleted key: %v", err)
		}
		_, err := k.PurgeKey(t.Context(), keyvault.Due{Tenant: "t", Vault: "Vault", Name: "root", Deletion: keyvault.Deletion{Deleted: vaultTime.Add(time.Second)}}, nil)
		notFound("purging what was deleted at another time", err)
		mustVault(t, k.RecoverKey(t.Context(), "t", "Vault", "root"))
		_, err = k.PurgeKey(t.Context(), keyvault.Due{Tenant: "t", Vault: "Vault", Name: "root", Deletion: keyvault.Deletion{Deleted: vaultTime}}, nil)
		notFound("purging a live key", err)
		mustVault(t, k.DeleteKey(t.Context(), "t", "vault", "root", d))
		if gone, err := k.PurgeKey(t.Context(), keyvault.Due{Tenant: "t", Vault: "Vault", Name: "root", Deletion: keyvault.Deletion{Deleted: vaultTime}}, nil); err != nil || len(gone) != 1 || gone[0] != "1" {
			t.Errorf("purged %v, %v", gone, err)
		}
		mustVault(t, k.AddVersion(t.Context(), aVaultKey(t, "root", "1"), m)) // nothing of the old one is left
	})
}

func TestKeyVaultDue(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		for i := range 5 {
			name := "key" + strconv.Itoa(i)
			mustVault(t, k.AddVersion(t.Context(), aVaultKey(t, name, "1"), keyvault.Material{Protector: "software", Handle: []byte{}}))
			at := vaultTime.Add(time.Duration(i/2) * time.Hour) // two at a time
			mustVault(t, k.DeleteKey(t.Context(), "t", "Vault", name, keyvault.Deletion{Deleted: vaultTime, PurgeAt: at}))
		}
		var names []string
		for after := (keyvault.Due{}); ; {
			due, err := k.Due(t.Context(), vaultTime.Add(time.Hour), after, 3)
			mustVault(t, err)
			for _, d := range due {
				names = append(names, fmt.Sprint(d.Name, d.PurgeAt.Sub(vaultTime)))
				after = d
			}
			if len(due) < 3 {
				break
			}
		}
		if diff := cmp.Diff([]string{"key00s", "key10s", "key21h0m0s", "key31h0m0s"}, names); diff != "" {
			t.Error(diff)
		}
	})
}

// TestKeyVaultWhole: a key goes out with all that it has and comes back, onto a free name only.
func TestKeyVaultWhole(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		for i := range 3 {
			v := strconv.Itoa(i + 1)
			mustVault(t, k.AddVersion(t.Context(), aVaultKey(t, "Root", v), keyvault.Material{Protector: "software", Handle: []byte(v)}))
		}
		policy := keyvault.RotationPolicy{Expiry: "P2Y", Created: vaultTime, Updated: vaultTime.Add(time.Second)}
		mustVault(t, k.SetRotation(t.Context(), "t", "Vault", "ROOT", policy, time.Time{}))
		if err := k.SetRotation(t.Context(), "t", "Vault", "root", policy, vaultTime); fault.As(err).Reason != keyvault.ReasonChanged {
			t.Errorf("a policy over what is not there any more: %v", err)
		}
		whole, got, err := k.Whole(t.Context(), "t", "Vault", "root", 10)
		if err != nil || len(whole) != 3 || cmp.Diff(policy, got) != "" || string(whole[2].Handle) != "3" || whole[0].Name != "Root" {
			t.Fatalf("%+v, %+v, %v", whole, got, err)
		}
		if some, _, err := k.Whole(t.Context(), "t", "Vault", "root", 2); err != nil || len(some) != 2 {
			t.Errorf("%d versions, %v", len(some), err)
		}
		conflict := func(when string) {
			t.Helper()
			if err := k.Restore(t.Context(), whole, policy); !fault.Is(err, fault.Conflict) {
				t.Errorf("onto a %s key: %v", when, err)
			}
		}
		conflict("live")
		mustVault(t, k.DeleteKey(t.Context(), "t", "Vault", "root", keyvault.Deletion{Deleted: vaultTime, PurgeAt: vaultTime}))
		conflict("deleted")
		if none, _, err := k.Whole(t.Context(), "t", "Vault", "root", 10); err != nil || len(none) != 0 {
			t.Errorf("of a deleted key: %d versions, %v", len(none), err)
		}
		if _, err := k.Rotation(t.Context(), "t", "Vault", "root"); !fault.Is(err, fault.NotFound) {
			t.Errorf("the policy of a deleted key: %v", err)
		}
		if _, err := k.PurgeKey(t.Context(), keyvault.Due{Tenant: "t", Vault: "Vault", Name: "root", Deletion: keyvault.Deletion{Deleted: vaultTime}}, nil); err != nil {
			t.Fatal(err)
		}
		mustVault(t, k.Restore(t.Context(), whole, policy))
		again, got, err := k.Whole(t.Context(), "t", "vault", "root", 10)
		if diff := cmp.Diff(whole, again, cmpopts.IgnoreFields(keyvault.Key{}, "Vault")) + cmp.Diff(policy, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		next := aVaultKey(t, "root", "4")
		mustVault(t, k.AddVersion(t.Context(), next, keyvault.Material{Protector: "software", Handle: []byte{}}))
		if newest, _, err := k.Key(t.Context(), "t", "Vault", "root", ""); err != nil || newest.Version != "4" || newest.Ordinal != 4 {
			t.Errorf("newest is %+v, %v", newest, err)
		}

		// Half a key is never there: the second of two versions of one id undoes the first.
		twice := []keyvault.Stored{whole[0], whole[0]}
		twice[0].Name, twice[1].Name = "half", "half"
		if err := k.Restore(t.Context(), twice, policy); err == nil {
			t.Error("two versions of one id")
		}
		if _, _, err := k.Key(t.Context(), "t", "Vault", "half", ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("half a key: %v", err)
		}
	})
}
