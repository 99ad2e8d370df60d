package keyvault_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

func (s *stage) mustDeleteVault(name string) {
	s.t.Helper()
	if _, err := s.DeleteVault(s.t.Context(), s.Owner, s.Subscription.ID, "keys", name); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) recoverVault(name string) (keyvault.Vault, error) {
	return s.RecoverVault(s.t.Context(), s.Owner, s.Subscription.ID, "keys", name, keyvaulttest.Location)
}

func (s *stage) purgeVault(name string) error {
	return s.PurgeVault(s.t.Context(), s.Owner, s.Subscription.ID, keyvaulttest.Location, name)
}

// TestDeletedVault: to its data plane it is unknown, to all others its name is taken, and it
// comes back as it was (KV-5, KV-124, KV-126).
func TestDeletedVault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		s.twoKeys()
		contents := s.contents()
		was, err := s.Vault(ctx, s.Owner, sub, "keys", "contoso-east")
		if err != nil {
			t.Fatal(err)
		}
		deeds := s.deeds()
		s.mustDeleteVault("CONTOSO-EAST")
		for _, d := range deeds {
			wantFault(t, d.do(s.admin), fault.NotFound, keyvault.ReasonVaultNotFound)
		}
		_, err = s.Locate(ctx, "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonVaultNotFound)
		_, err = s.DeleteVault(ctx, s.Owner, sub, "keys", "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		_, err = s.Vault(ctx, s.Owner, sub, "keys", "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		_, err = s.SetAccess(ctx, s.Owner, sub, "keys", "contoso-east", rights.AddAccess, nil)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		_, err = s.FindVault(ctx, s.Owner, sub, "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		wantFault(t, s.NameAvailable(ctx, s.Owner, sub, "contoso-east"), fault.Conflict, keyvault.ReasonVaultTaken)
		spec := keyvault.VaultSpec{Subscription: sub, Group: "keys", Name: "contoso-east", Location: keyvaulttest.Location, SKU: "standard"}
		_, _, err = s.PutVault(ctx, s.Owner, spec)
		wantFault(t, err, fault.Conflict, keyvault.ReasonVaultHeld)

		other := keyvaulttest.New(t, s.db) // another tenant: it learns that the name is taken, and no more
		spec.Subscription = other.Subscription.ID
		_, _, err = other.PutVault(ctx, other.Owner, spec)
		wantFault(t, err, fault.Conflict, keyvault.ReasonVaultTaken)
		_, err = other.DeletedVault(ctx, other.Owner, other.Subscription.ID, "", "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		_, err = other.RecoverVault(ctx, other.Owner, other.Subscription.ID, "keys", "contoso-east", "")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		wantFault(t, other.PurgeVault(ctx, other.Owner, other.Subscription.ID, "", "contoso-east"), fault.NotFound, keyvault.ReasonNoDeletedVault)

		back, err := s.recoverVault("Contoso-East")
		if err != nil {
			t.Fatal(err)
		}
		was.Revision += 2
		if diff := cmp.Diff(was, back); diff != "" {
			t.Errorf("not as it was: %s", diff)
		}
		if diff := cmp.Diff(contents, s.contents()); diff != "" {
			t.Errorf("its keys are not as they were: %s", diff)
		}
		for _, d := range s.deeds() {
			if err := d.do(s.admin); err != nil {
				t.Errorf("%s after the vault was recovered: %v", d.name, err)
			}
		}
		_, err = s.recoverVault("contoso-east")
		wantFault(t, err, fault.Conflict, keyvault.ReasonVaultHeld)
	})
}

func TestDeletedVaultPlaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		s.MustVault("contoso-west")
		s.mustDeleteVault("contoso-east")
		s.mustDeleteVault("contoso-west")
		got, err := s.DeletedVault(ctx, s.Owner, sub, "West Europe", "CONTOSO-EAST")
		if err != nil || got.Name != "contoso-east" || !got.Deleted.Equal(s.Now()) || !got.PurgeAt.Equal(s.Now().AddDate(0, 0, 90)) {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = s.DeletedVault(ctx, s.Owner, sub, "eastus", "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		_, err = s.DeletedVault(ctx, s.Owner, sub, keyvaulttest.Location, "con.toso")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		for after, want := range map[string]string{"": "contoso-east", "contoso-east": "contoso-west"} {
			if page, err := s.DeletedVaults(ctx, s.Owner, sub, after, 1); err != nil || len(page) != 1 || page[0].Name != want {
				t.Errorf("after %q: %v, %v", after, page, err)
			}
		}
		_, err = s.RecoverVault(ctx, s.Owner, sub, "none", "contoso-east", "")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoGroup)
		if _, _, err := s.PutGroup(ctx, s.Owner, keyvault.Group{Subscription: sub, Name: "more", Location: "westeurope"}); err != nil {
			t.Fatal(err)
		}
		_, err = s.RecoverVault(ctx, s.Owner, sub, "more", "contoso-east", "")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		_, err = s.RecoverVault(ctx, s.Owner, sub, "keys", "contoso-east", "eastus")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
	})
}

// TestPurgeVault: where the recovery level allows it, everything goes and the name is free.
func TestPurgeVault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		for i := range 60 { // more than two batches of them
			s.mustCreate(fmt.Sprintf("key-%d", i))
		}
		s.mustDelete("key-7")
		wantFault(t, s.purgeVault("contoso-east"), fault.NotFound, keyvault.ReasonNoDeletedVault)
		s.mustDeleteVault("contoso-east")
		s.Entries()
		if err := s.purgeVault("contoso-east"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"allow vault.purge vaults/contoso-east"}, said(s.Entries())); diff != "" {
			t.Error(diff)
		}
		wantFault(t, s.purgeVault("contoso-east"), fault.NotFound, keyvault.ReasonNoDeletedVault)
		_, err := s.recoverVault("contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
		if left := s.contents(); len(left) != 0 {
			t.Errorf("a new vault of that name has %v", left)
		}
		mustSweep(t, s, 0)
	})
}

// TestPurgeVaultForbidden: KV-61's rule holds for vaults, too.
func TestPurgeVaultForbidden(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.MustPutVault(keyvault.VaultSpec{Name: "contoso-west", PurgeProtection: true})
		s.mustDeleteVault("contoso-east")
		s.mustDeleteVault("contoso-west")
		wantFault(t, s.purgeVault("contoso-west"), fault.Forbidden, keyvault.ReasonVaultPurge)
		s.SetProtected(true)
		wantFault(t, s.purgeVault("contoso-east"), fault.Forbidden, keyvault.ReasonVaultPurge)
		s.SetProtected(false)
		if err := s.purgeVault("contoso-east"); err != nil {
			t.Error(err)
		}
	})
}

// TestSweepVault: a vault's retention of 90 days (CK-273) ends in every level; until the last moment it
// can be taken back, and its keys' own retention goes on meanwhile (KV-63, KV-126).
func TestSweepVault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.SetProtected(true)
		s.twoKeys()
		s.Pass(10 * 24 * time.Hour)
		s.mustDeleteVault("contoso-east")
		s.Pass(80 * 24 * time.Hour)
		mustSweep(t, s, 1) // the key that was deleted before its vault was
		s.Pass(10*24*time.Hour - time.Microsecond)
		mustSweep(t, s, 0)
		if _, err := s.recoverVault("contoso-east"); err != nil {
			t.Fatal(err)
		}
		s.mustKey("root1", "")
		if gone, err := s.DeletedKeys(t.Context(), s.admin, "contoso-east", "", 9); err != nil || len(gone) != 0 {
			t.Errorf("deleted keys %v, %v", gone, err)
		}
		s.mustDeleteVault("contoso-east")
		s.Pass(90 * 24 * time.Hour)
		s.Deafen(true)
		if n, err := s.Sweep(t.Context()); n != 0 || !fault.Is(err, fault.Unavailable) {
			t.Errorf("swept %d without a record, %v", n, err)
		}
		s.Deafen(false)
		s.Entries()
		mustSweep(t, s, 1)
		e := s.Entries()
		if len(e) != 1 || e[0].Action != "vault.purge" || e[0].Decision != audit.Allow || e[0].Caller.Kind != directory.System || e[0].Tenant != s.Tenant {
			t.Errorf("recorded %+v", e)
		}
		mustSweep(t, s, 0)
		_, err := s.recoverVault("contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
		s.MustVault("contoso-east") // the name is free
	})
}

// TestPurgeVaultGoesOn: what a purge began and did not end, however far it came, is unknown to
// everybody, and the next sweep ends it without another record.
func TestPurgeVaultGoesOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		for destroyed := range 4 {
			s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
			for i := range 3 {
				s.mustCreate(fmt.Sprintf("key-%d", i))
			}
			s.mustDelete("key-1")
			s.mustDeleteVault("contoso-east")
			if err := s.Condemn("contoso-east", destroyed); err != nil { // as far as a purge comes that is killed
				t.Fatal(err)
			}
			_, err := s.recoverVault("contoso-east")
			wantFault(t, err, fault.NotFound, keyvault.ReasonNoDeletedVault)
			if all, err := s.DeletedVaults(t.Context(), s.Owner, s.Subscription.ID, "", 9); err != nil || len(all) != 0 {
				t.Errorf("listed %v, %v", all, err)
			}
			wantFault(t, s.NameAvailable(t.Context(), s.Owner, s.Subscription.ID, "contoso-east"), fault.Conflict, keyvault.ReasonVaultTaken)
			s.Open(s.db)
			s.Entries()
			mustSweep(t, s, 1)
			if e := s.Entries(); len(e) != 0 {
				t.Errorf("recorded again: %v", said(e))
			}
			if err := s.NameAvailable(t.Context(), s.Owner, s.Subscription.ID, "contoso-east"); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestVaultRaces: of those that come together one wins, and what is left is one of the two
// states whole.
func TestVaultRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		del := func() error { _, err := s.DeleteVault(ctx, s.Owner, sub, "keys", "contoso-east"); return err }
		recoverIt := func() error { _, err := s.recoverVault("contoso-east"); return err }
		purge := func() error { return s.purgeVault("contoso-east") }
		together := func(first, second func() error) (a, b error) {
			done := make(chan error)
			go func() { done <- first() }()
			b = second()
			return <-done, b
		}
		for range 5 {
			s.MustVault("contoso-east", keyvaulttest.Can(s.admin, rights.All))
			s.mustCreate("root1")
			if a, b := together(del, del); (a == nil) == (b == nil) {
				t.Errorf("two deletes: %v, %v", a, b)
			}
			a, b := together(recoverIt, purge)
			if (a == nil) == (b == nil) {
				t.Errorf("recovered: %v, purged: %v", a, b)
			}
			_, err := s.Key(ctx, s.admin, "contoso-east", "root1", "")
			if a == nil && err != nil {
				t.Errorf("recovered without its key: %v", err)
			}
			if b == nil {
				wantFault(t, err, fault.NotFound, keyvault.ReasonVaultNotFound)
			}
		}
	})
}

// TestDeleteGroup: its vaults are deleted one by one, and it can be called again.
func TestDeleteGroup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		s.MustVault("contoso-west")
		if _, _, err := s.PutGroup(ctx, s.Owner, keyvault.Group{Subscription: sub, Name: "more", Location: "westeurope"}); err != nil {
			t.Fatal(err)
		}
		spec := keyvault.VaultSpec{Subscription: sub, Group: "more", Name: "contoso-north", Location: "westeurope", SKU: "standard"}
		if _, _, err := s.PutVault(ctx, s.Owner, spec); err != nil {
			t.Fatal(err)
		}
		s.Entries()
		if err := s.DeleteGroup(ctx, s.Owner, sub, "KEYS"); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"allow group.delete groups/keys", "allow vault.list vaults", "allow vault.delete vaults/contoso-east",
			"allow vault.delete vaults/contoso-west",
		}
		if diff := cmp.Diff(want, said(s.Entries())); diff != "" {
			t.Error(diff)
		}
		wantFault(t, s.DeleteGroup(ctx, s.Owner, sub, "keys"), fault.NotFound, keyvault.ReasonNoGroup)
		if left, err := s.Vaults(ctx, s.Owner, sub, "", 9); err != nil || len(left) != 1 || left[0].Name != "contoso-north" {
			t.Errorf("left %v, %v", left, err)
		}
		_, err := s.recoverVault("contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoGroup)
		if _, _, err := s.PutGroup(ctx, s.Owner, keyvault.Group{Subscription: sub, Name: "Keys", Location: "westeurope"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.recoverVault("contoso-east"); err != nil {
			t.Error(err)
		}
		if g, err := s.TagGroup(ctx, s.Owner, sub, "KEYS", map[string]string{"a": "b"}); err != nil || g.Tags["a"] != "b" || g.Name != "Keys" {
			t.Errorf("tagged: %+v, %v", g, err)
		}
		_, err = s.TagGroup(ctx, s.Owner, sub, "none", nil)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoGroup)
	})
}

// TestDeleteGroupRefused: who may delete vaults and not their group deletes none by trying.
func TestDeleteGroupRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		keeper := s.Person("keeper@contoso.example")
		s.mustAssign(keeper, rights.VaultContributor, rights.Scope{Subscription: sub})
		s.Entries()
		wantFault(t, s.DeleteGroup(ctx, keeper, sub, "keys"), fault.Forbidden, keyvault.ReasonNotOwner)
		if diff := cmp.Diff([]string{"deny group.delete groups"}, said(s.Entries())); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Vault(ctx, keeper, sub, "keys", "contoso-east"); err != nil {
			t.Errorf("the vault of the group that stayed: %v", err)
		}
	})
}
