package store_test

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func anAssignment(id, principal string, at rights.Scope) rights.Assignment {
	return rights.Assignment{
		Tenant: "t", ID: id, Scope: at, Role: rights.Reader, Principal: principal, Kind: rights.GroupPrincipal,
		Description: "ü", Created: vaultTime, CreatedBy: "o",
	}
}

func idsOf(list []rights.Assignment) (ids []string) {
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}

func TestKeyVaultRoles(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		whole := rights.Scope{Subscription: "s"}
		group, vault, key := whole, whole, whole
		group.Group = "G"
		vault.Group, vault.Vault = "G", "Vault"
		key.Group, key.Vault, key.Key = "G", "Vault", "Root1"
		for i, at := range []rights.Scope{whole, group, vault, key} {
			mustVault(t, k.AddAssignment(t.Context(), anAssignment(strconv.Itoa(i), "p", at), 10))
		}
		mustVault(t, k.AddAssignment(t.Context(), anAssignment("other", "q", vault), 10))
		elsewhere := anAssignment("0", "p", rights.Scope{Subscription: "z"})
		mustVault(t, k.AddAssignment(t.Context(), elsewhere, 10))
		strange := anAssignment("0", "p", whole)
		strange.Tenant = "another"
		mustVault(t, k.AddAssignment(t.Context(), strange, 10))

		if got, err := k.Assignment(t.Context(), "t", "s", "3"); err != nil || got != anAssignment("3", "p", key) {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := k.Assignment(t.Context(), "t", "z", "3"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another subscription's: %v", err)
		}
		at := func(at rights.Scope, principals ...string) []string {
			t.Helper()
			list, err := k.AssignmentsAt(t.Context(), "t", at, principals)
			mustVault(t, err)
			return idsOf(list)
		}
		otherKey, otherVault := key, vault
		otherKey.Key, otherVault.Vault = "root2", "other"
		folded := rights.Scope{Subscription: "s", Group: "g", Vault: "VAULT", Key: "ROOT1"}
		for name, tt := range map[string]struct{ got, want []string }{
			"key":           {at(folded, "p"), []string{"0", "1", "2", "3"}},
			"another key":   {at(otherKey, "p"), []string{"0", "1", "2"}},
			"vault":         {at(vault, "p", "q"), []string{"0", "1", "2", "other"}},
			"another vault": {at(otherVault, "p", "q"), []string{"0", "1"}},
			"subscription":  {at(whole, "p", "q"), []string{"0"}},
			"nobody":        {at(vault), nil},
		} {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		all, err := k.Assignments(t.Context(), "t", "s", 4)
		if diff := cmp.Diff([]string{"0", "1", "2", "3"}, idsOf(all)); err != nil || diff != "" {
			t.Errorf("the first four: %v %s", err, diff)
		}
		of, err := k.AssignmentsOf(t.Context(), "t", "s", []string{"q", "p"})
		if diff := cmp.Diff([]string{"other", "0", "1", "2", "3"}, idsOf(of)); err != nil || diff != "" {
			t.Errorf("of both: %v %s", err, diff)
		}
		in, err := k.AssignedIn(t.Context(), "t", []string{"p", "q"})
		if diff := cmp.Diff([]string{"s", "z"}, in); err != nil || diff != "" {
			t.Errorf("in: %v %s", err, diff)
		}
	})
}

func TestKeyVaultRoleChanges(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		a := anAssignment("1", "p", rights.Scope{Subscription: "s", Group: "G", Vault: "Vault"})
		mustVault(t, k.AddAssignment(t.Context(), a, 2))
		for what, twice := range map[string]rights.Assignment{
			"the id":   anAssignment("1", "q", a.Scope),
			"the role": anAssignment("2", "p", rights.Scope{Subscription: "s", Group: "g", Vault: "VAULT"}),
		} {
			if err := k.AddAssignment(t.Context(), twice, 2); fault.As(err).Reason != keyvault.ReasonChanged {
				t.Errorf("%s twice: %v", what, err)
			}
		}
		mustVault(t, k.AddAssignment(t.Context(), anAssignment("2", "q", a.Scope), 2))
		if err := k.AddAssignment(t.Context(), anAssignment("3", "r", a.Scope), 2); !fault.Is(err, fault.Conflict) || fault.As(err).Reason != "" {
			t.Errorf("one too many: %v", err)
		}
		a.Description = ""
		mustVault(t, k.DescribeAssignment(t.Context(), a))
		if got, err := k.Assignment(t.Context(), "t", "s", "1"); err != nil || got != a {
			t.Errorf("%+v, %v", got, err)
		}
		mustVault(t, k.RemoveAssignment(t.Context(), a))
		for what, err := range map[string]error{"removed": k.RemoveAssignment(t.Context(), a), "described": k.DescribeAssignment(t.Context(), a)} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s when gone: %v", what, err)
			}
		}
	})
}

// TestKeyVaultRolesEnd: a new vault, or group, does not begin with the roles over one that had
// its name before.
func TestKeyVaultRolesEnd(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		for i, at := range []rights.Scope{
			{Subscription: "s"}, {Subscription: "s", Group: "New"}, {Subscription: "s", Group: "New", Vault: "New-Vault"},
			{Subscription: "s", Group: "New", Vault: "New-Vault", Key: "k"}, {Subscription: "s", Group: "New", Vault: "other"},
		} {
			mustVault(t, k.AddAssignment(t.Context(), anAssignment(strconv.Itoa(i), "p", at), 10))
		}
		left := func(want ...string) {
			t.Helper()
			all, err := k.Assignments(t.Context(), "t", "s", 10)
			if diff := cmp.Diff(want, idsOf(all)); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		}
		mustVault(t, k.AddVault(t.Context(), aVault("new-vault")))
		left("0", "1", "4")
		g := keyvault.Group{Tenant: "t", Subscription: "s", Name: "new", Location: "westeurope", Created: vaultTime}
		_, err := k.PutGroup(t.Context(), g)
		mustVault(t, err)
		left("0", "4")
		mustVault(t, k.AddAssignment(t.Context(), anAssignment("1", "p", rights.Scope{Subscription: "s", Group: "New"}), 10))
		_, err = k.PutGroup(t.Context(), g) // it is there
		mustVault(t, err)
		left("0", "1", "4")
	})
}

func TestKeyVaultNetwork(t *testing.T) {
	eachKeyVault(t, func(t *testing.T, k *store.KeyVault) {
		v := aVault("Walled")
		v.RBAC = true
		v.Network = rights.Network{Private: true, Firewall: &rights.Firewall{
			Deny: true, Trusted: true, Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")},
		}}
		same := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
		mustVault(t, k.AddVault(t.Context(), v))
		if got, err := k.Vault(t.Context(), "walled"); err != nil || cmp.Diff(v, got, same) != "" {
			t.Errorf("%v %s", err, cmp.Diff(v, got, same))
		}
		v.RBAC, v.Network = false, rights.Network{Firewall: &rights.Firewall{}}
		mustVault(t, k.SetVault(t.Context(), v))
		v.Revision++
		if got, err := k.Vault(t.Context(), "walled"); err != nil || cmp.Diff(v, got, same) != "" {
			t.Errorf("%v %s", err, cmp.Diff(v, got, same))
		}
		refs, err := k.VaultRefs(t.Context(), "t", "s", "", 9)
		want := []keyvault.VaultRef{
			{Scope: rights.Scope{Subscription: "s", Group: "G", Vault: "Vault"}}, {Scope: rights.Scope{Subscription: "s", Group: "G", Vault: "Walled"}},
		}
		if diff := cmp.Diff(want, refs); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

// TestKeyVaultTellsRoles: a role that is given or taken away, here or through another store over
// the same database, is what the next read finds (KV-59).
func TestKeyVaultTellsRoles(t *testing.T) {
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		here, there := store.NewKeyVault(db), store.NewKeyVault(db)
		at := rights.Scope{Subscription: "s", Group: "G", Vault: "Vault"}
		held := func(want int) {
			t.Helper()
			for _, k := range []*store.KeyVault{here, there, here} {
				if list, err := k.AssignmentsAt(t.Context(), "t", at, []string{"p"}); err != nil || len(list) != want {
					t.Errorf("%d roles, want %d, %v", len(list), want, err)
				}
			}
		}
		held(0)
		a := anAssignment("1", "p", at)
		mustVault(t, here.AddAssignment(t.Context(), a, 10))
		held(1)
		mustVault(t, there.AddAssignment(t.Context(), anAssignment("2", "p", rights.Scope{Subscription: "s"}), 10))
		held(2)
		mustVault(t, there.RemoveAssignment(t.Context(), a))
		held(1)
		if list, err := here.AssignmentsAt(t.Context(), "another", at, []string{"p"}); err != nil || len(list) != 0 {
			t.Errorf("another tenant's: %v, %v", list, err)
		}
		if list, err := here.AssignmentsAt(t.Context(), "t", at, []string{"q"}); err != nil || len(list) != 0 {
			t.Errorf("another principal's: %v, %v", list, err)
		}
	})
}
