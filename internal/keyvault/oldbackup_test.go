package keyvault_test

import (
	"crypto/x509"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

var writeBackup = flag.String("write-backup", "", "write a backup of this release into this file")

// oldBackup is a backup as a release made it, with what was kept beside it: the sealing key, the
// ring's key, the subscription. Values in []byte are base64.
type oldBackup struct {
	Seal         []byte
	Ring         backup.Row
	Tenant       string
	Subscription string
	Blob         []byte
	Versions     []oldVersion // oldest first
	Wrapped      []byte       // "key" under the first version by RSA-OAEP-256
}

type oldVersion struct {
	Version          string
	Public           []byte // SubjectPublicKeyInfo
	Ops              []string
	Enabled          bool
	Expires, Created time.Time
	Tags             map[string]string
}

// TestOldBackup holds KV-75: what every release backed up restores in this one. The files are
// never made anew; a new format adds one, by `go test -run TestOldBackup -write-backup FILE`.
func TestOldBackup(t *testing.T) {
	t.Parallel()
	if *writeBackup != "" {
		writeOldBackup(t, *writeBackup)
	}
	for _, name := range []string{"testdata/backup-1.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var old oldBackup
		if err := json.Unmarshal(text, &old); err != nil {
			t.Fatal(err)
		}
		storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) { old.restore(t, db) })
	}
}

// restore brings it back in a deployment that has the old one's ring and seal.
func (old oldBackup) restore(t *testing.T, db *store.DB) {
	t.Helper()
	seal, err := envelope.KeyFromBytes(old.Seal)
	if err != nil {
		t.Fatal(err)
	}
	w := keyvaulttest.NewOf(t, db, seal, old.Tenant, old.Subscription)
	if err := store.NewKeyVault(db).AddBackupKey(t.Context(), old.Ring); err != nil {
		t.Fatal(err)
	}
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-new", keyvaulttest.Can(admin, rights.All))
	k, err := w.RestoreKey(t.Context(), admin, "contoso-new", old.Blob)
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.Versions(t.Context(), admin, "contoso-new", k.Name, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []oldVersion
	for _, v := range list {
		v, err := w.Key(t.Context(), admin, "contoso-new", k.Name, v.Version)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, oldVersionOf(t, v))
	}
	if diff := cmp.Diff(old.Versions, got); diff != "" {
		t.Error(diff)
	}
	plain, err := w.Unwrap(t.Context(), admin, "contoso-new", k.Name, old.Versions[0].Version, "RSA-OAEP-256", old.Wrapped)
	if err != nil || string(plain.Value) != "key" {
		t.Errorf("unwrapped %q, %v", plain.Value, err)
	}
}

func oldVersionOf(t *testing.T, k keyvault.Key) oldVersion {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(k.Public)
	if err != nil {
		t.Fatal(err)
	}
	return oldVersion{Version: k.Version, Public: public, Ops: k.Ops, Enabled: k.Enabled, Expires: k.Expires, Created: k.Created, Tags: k.Tags}
}

func writeOldBackup(t *testing.T, name string) {
	t.Helper()
	db := storetest.SQLite(t, store.VaultAreas()...)
	s := newStage(t, db)
	far, no := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), false
	first := s.mustCreateAs("Root1", keyvault.NewKey{Type: "RSA", Tags: map[string]string{"for": "mail"}, Attributes: keyvault.Attributes{Expires: &far}})
	wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	s.Pass(time.Minute)
	second := s.mustCreateAs("root1", keyvault.NewKey{Type: "EC", Curve: "P-521", Attributes: keyvault.Attributes{Enabled: &no}})
	old := oldBackup{
		Seal: s.Seal().Expose(), Tenant: s.Tenant, Subscription: s.Subscription.ID, Blob: s.mustBackup("root1"), Wrapped: wrapped.Value,
		Versions: []oldVersion{oldVersionOf(t, first), oldVersionOf(t, second)},
	}
	if old.Ring, err = store.NewKeyVault(db).NewestBackupKey(t.Context()); err != nil || uuid.Validate(old.Ring.ID) != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(old, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
