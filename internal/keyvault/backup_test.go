package keyvault_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func (s *stage) mustBackup(name string) []byte {
	s.t.Helper()
	blob, err := s.BackupKey(s.t.Context(), s.admin, "contoso-east", name)
	if err != nil {
		s.t.Fatal(err)
	}
	return blob
}

func (s *stage) mustPurge(name string) {
	s.t.Helper()
	s.mustDelete(name)
	if err := s.PurgeKey(s.t.Context(), s.admin, "contoso-east", name); err != nil {
		s.t.Fatal(err)
	}
}

// mustVaultIn makes a vault elsewhere in which admin may do everything.
func (s *stage) mustVaultIn(name, location string) {
	s.mustVaultUnder(s.Subscription.ID, name, location)
}

func (s *stage) mustVaultUnder(subscription, name, location string) {
	s.t.Helper()
	_, _, err := s.PutVault(s.t.Context(), s.Owner, keyvault.VaultSpec{
		Subscription: subscription, Group: "keys", Name: name, Location: location, SKU: "standard", RetentionDays: 30,
		Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All, rights.Purge)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// mustSecondSubscription makes one of the same tenant and owner, with the group "keys".
func (s *stage) mustSecondSubscription() (id string) {
	s.t.Helper()
	sub := s.Subscription
	sub.ID = "5ec0d000-0000-4000-8000-00000000000b"
	if err := s.PutSubscription(s.t.Context(), s.Operator("operator@service.example"), sub); err != nil {
		s.t.Fatal(err)
	}
	if _, _, err := s.PutGroup(s.t.Context(), s.Owner, keyvault.Group{Subscription: sub.ID, Name: "keys", Location: keyvaulttest.Location}); err != nil {
		s.t.Fatal(err)
	}
	return sub.ID
}

func (s *stage) allVersions(vault, name string) []keyvault.Key {
	s.t.Helper()
	list, err := s.Versions(s.t.Context(), s.admin, vault, name, 0, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// TestBackupRestore holds KV-70 to KV-75, and CK-224 and CK-226: the customer's last resort. A key that was purged
// comes back with every version as it was, a year and a new backup key later, after a restart,
// in the same vault and in another of the geography.
func TestBackupRestore(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		far, no := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), false
		old := s.mustCreateAs("Root1", keyvault.NewKey{Type: "RSA", Tags: map[string]string{"for": "mail"}, Attributes: keyvault.Attributes{Expires: &far}})
		wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		s.Pass(time.Second)
		s.mustCreateAs("root1", keyvault.NewKey{Type: "EC", Curve: "P-521", Ops: []string{}, Attributes: keyvault.Attributes{Enabled: &no, NotBefore: &far}})
		policy := keyvault.RotationPolicy{Expiry: "P2Y"}
		if _, policy, err = s.SetRotationPolicy(t.Context(), s.admin, "contoso-east", "root1", policy); err != nil {
			t.Fatal(err)
		}
		before := s.allVersions("contoso-east", "root1")
		blob := s.mustBackup("root1")
		s.mustPurge("root1")
		s.Pass(backup.Life)
		s.mustCreate("another")
		second := s.mustBackup("another") // under a new key of the ring
		s.Open(s.db)
		s.Entries()

		s.mustVaultIn("contoso-north", "North Europe")
		for _, vault := range []string{"contoso-east", "contoso-north"} {
			newest, err := s.RestoreKey(t.Context(), s.admin, vault, blob)
			if err != nil {
				t.Fatal(err)
			}
			after := s.allVersions(vault, "root1")
			ignore := cmpopts.IgnoreFields(keyvault.Key{}, "Vault", "VaultMade", "RecoveryLevel", "RecoverableDays")
			if diff := cmp.Diff(before, after, ignore, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("KV-74 %s: %s", vault, diff)
			}
			if newest.Version != before[1].Version || newest.Name != "Root1" || newest.Vault != vault {
				t.Errorf("restored %+v", newest)
			}
			got, err := s.Unwrap(t.Context(), s.admin, vault, "root1", old.Version, "RSA-OAEP-256", wrapped.Value)
			if err != nil || string(got.Value) != "key" {
				t.Errorf("%s: unwrapped %q, %v", vault, got.Value, err)
			}
			if _, got, err := s.RotationPolicy(t.Context(), s.admin, vault, "root1"); err != nil || cmp.Diff(policy, got) != "" {
				t.Errorf("KV-70 policy: %v %s", err, cmp.Diff(policy, got))
			}
			_, err = s.RestoreKey(t.Context(), s.admin, vault, blob)
			wantFault(t, err, fault.Conflict, "") // KV-73, CK-262, live
		}
		if _, err := s.RestoreKey(t.Context(), s.admin, "contoso-north", second); err != nil {
			t.Errorf("KV-75: %v", err)
		}
		s.mustDelete("root1")
		_, err = s.RestoreKey(t.Context(), s.admin, "contoso-east", blob)
		wantFault(t, err, fault.Conflict, keyvault.ReasonDeletedKey) // KV-73, deleted

		lines := strings.Join(said(s.Entries()), "\n")
		for _, want := range []string{"allow key.restore contoso-east/keys/Root1", "deny key.restore contoso-east/keys/Root1"} {
			if !strings.Contains(lines, want) {
				t.Errorf("the log has no %q:\n%s", want, lines)
			}
		}
	})
}

// TestRestoreRefused: one answer for every vault that a blob is not for (KV-72), by geography (KV-76), subscription or owner.
func TestRestoreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		blob := s.mustBackup("root1")
		s.mustPurge("root1")
		refused := func(what string, err error) {
			t.Helper()
			if f := fault.As(err); err == nil || f.Code != fault.Invalid || f.Message != "Cannot decrypt backup blob" || f.Reason+f.Hint != "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		s.mustVaultIn("contoso-west", "westus")
		s.mustVaultIn("contoso-own", "our-basement")
		for _, vault := range []string{"contoso-west", "contoso-own"} {
			_, err := s.RestoreKey(t.Context(), s.admin, vault, blob)
			refused("geography of "+vault, err)
		}
		s.mustVaultUnder(s.mustSecondSubscription(), "contoso-second", keyvaulttest.Location)
		_, err := s.RestoreKey(t.Context(), s.admin, "contoso-second", blob)
		refused("subscription", err)
		other := newStage(t, s.db2(t)) // another deployment
		_, err = other.RestoreKey(t.Context(), other.admin, "contoso-east", blob)
		refused("deployment", err)

		neighbour := keyvaulttest.NewSealed(t, s.db, s.Seal()) // another tenant of the same deployment
		spy := neighbour.Person("spy@fabrikam.example")
		neighbour.MustVault("fabrikam", keyvaulttest.Can(spy, rights.All))
		_, err = neighbour.RestoreKey(t.Context(), spy, "fabrikam", blob)
		refused("tenant", err)
		for what, bad := range map[string][]byte{"nothing": nil, "changed": append(bytes.Clone(blob), 'A'), "cut": blob[:len(blob)-1]} {
			_, err = s.RestoreKey(t.Context(), s.admin, "contoso-east", bad)
			refused(what, err)
		}
		if _, err := s.Key(t.Context(), s.admin, "contoso-east", "root1", ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("a refused restore left something: %v", err)
		}
		if _, err := s.RestoreKey(t.Context(), s.admin, "contoso-east", blob); err != nil {
			t.Errorf("where it belongs: %v", err)
		}
	})
}

// db2 is a database of another deployment.
func (s *stage) db2(t *testing.T) *store.DB { return storetest.SQLite(t, store.VaultAreas()...) }

// TestBackupBounds holds KV-70's 500 versions, beyond which a key may grow (KV-108), and the length of
// a request.
func TestBackupBounds(t *testing.T) {
	t.Parallel()
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for range 500 {
		s.mustCreate("many")
	}
	blob := s.mustBackup("many")
	if len(blob) > backup.MaxBlob {
		t.Errorf("500 versions take %d bytes", len(blob))
	}
	s.mustCreate("many")
	_, err := s.BackupKey(t.Context(), s.admin, "contoso-east", "many")
	wantFault(t, err, fault.Invalid, "")
	s.mustPurge("many")
	if _, err := s.RestoreKey(t.Context(), s.admin, "contoso-east", blob); err != nil {
		t.Fatal(err)
	}
	if got := s.allVersions("contoso-east", "many"); len(got) != 100 || got[99].Ordinal != 100 {
		t.Errorf("%d versions", len(got))
	}

	tags := map[string]string{}
	for i := range 15 {
		tags[string(rune('a'+i))] = strings.Repeat("€", 256)
	}
	for range 60 {
		s.mustCreateAs("heavy", keyvault.NewKey{Type: "EC", Tags: tags})
	}
	_, err = s.BackupKey(t.Context(), s.admin, "contoso-east", "heavy")
	wantFault(t, err, fault.Invalid, "")
}
