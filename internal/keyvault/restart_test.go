package keyvault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
)

func mustOpen(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(t.Context(), path, store.VaultAreas()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestRestart: after a restart everything is as before, and what was wrapped unwraps.
func TestRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s := newStage(t, mustOpen(t, path))
	s.twoKeys()
	s.mustCreateAs("root1", keyvault.NewKey{Type: "RSA", Tags: map[string]string{"a": "b"}})
	s.SetProtected(true)
	wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	before := s.contents()
	vault, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}

	s.Open(mustOpen(t, path))
	if diff := cmp.Diff(before, s.contents()); diff != "" {
		t.Errorf("keys: %s", diff)
	}
	again, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east")
	if diff := cmp.Diff(vault, again); err != nil || diff != "" {
		t.Errorf("vault: %v %s", err, diff)
	}
	got, err := s.Unwrap(t.Context(), s.admin, "contoso-east", "root1", wrapped.Key.Version, "RSA-OAEP-256", wrapped.Value)
	if err != nil || string(got.Value) != "key" {
		t.Errorf("unwrapped %q, %v", got.Value, err)
	}
}

// TestPrivateBytesStayInside: no file of the database holds any number of a private key, also
// after it was backed up and restored (KV-3).
func TestPrivateBytesStayInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := mustOpen(t, filepath.Join(dir, "vault.db"))
	s := newStage(t, db)
	var secrets [][]byte
	for _, n := range []keyvault.NewKey{{Type: "RSA"}, {Type: "EC"}} {
		k := s.mustCreateAs("key-"+n.Type, n)
		secrets = append(secrets, s.privateNumbers(db, k)...)
		blob := s.mustBackup(k.Name)
		s.mustPurge(k.Name)
		if _, err := s.RestoreKey(t.Context(), s.admin, "contoso-east", blob); err != nil {
			t.Fatal(err)
		}
	}
	if len(secrets) < 6 {
		t.Fatalf("found only %d secrets to look for", len(secrets))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	public := false
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, secret := range secrets {
			if bytes.Contains(content, secret) {
				t.Errorf("%s holds secret %d", filepath.Base(file), i)
			}
		}
		public = public || bytes.Contains(content, []byte("key-RSA"))
	}
	if !public {
		t.Error("the files that were searched do not hold the vault")
	}
}

// TestPurgeOverwrites holds KV-66: once the database is closed, no file of it holds the sealed
// private halves of a key that was purged, nor of those of a vault.
func TestPurgeOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := mustOpen(t, filepath.Join(dir, "vault.db"))
	s := newStage(t, db)
	kept := s.handle(s.mustCreateAs("left", keyvault.NewKey{Type: "RSA"}))
	var gone [][]byte
	for i := range 20 {
		name := "key-" + strconv.Itoa(i)
		gone = append(gone, s.handle(s.mustCreateAs(name, keyvault.NewKey{Type: []string{"RSA", "EC"}[min(i, 1)]})))
		if i < 10 {
			s.mustPurge(name)
		}
	}
	s.mustDeleteVault("contoso-east")
	if err := s.Condemn("contoso-east", 10); err != nil { // all but "left", the last by name
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	found := false
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(content, kept[:32])
		for i, handle := range gone {
			for at := 0; at+32 <= len(handle); at += 32 { // the nonce, the sealed bytes, whichever page they lay on
				if bytes.Contains(content, handle[at:at+32]) {
					t.Errorf("%s holds bytes %d to %d of key %d", filepath.Base(file), at, at+32, i)
				}
			}
		}
	}
	if !found {
		t.Error("the files that were searched do not hold what is there")
	}
}

// handle is what the database keeps of a private half.
func (s *stage) handle(k keyvault.Key) []byte {
	s.t.Helper()
	_, m, err := store.NewKeyVault(s.db).Key(s.t.Context(), k.Tenant, k.Vault, k.Name, k.Version)
	if err != nil {
		s.t.Fatal(err)
	}
	return m.Handle
}

// privateNumbers opens a stored key by the sealing key, as only the protector can.
func (s *stage) privateNumbers(db *store.DB, k keyvault.Key) [][]byte {
	s.t.Helper()
	_, m, err := store.NewKeyVault(db).Key(s.t.Context(), k.Tenant, k.Vault, k.Name, "")
	if err != nil {
		s.t.Fatal(err)
	}
	der, err := seal.Of(s.Seal()).Open(envelope.Bind("vault private key 1", k.Tenant, "contoso-east", strings.ToLower(k.Name), k.Version), m.Handle)
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		s.t.Fatal(err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return [][]byte{key.D.Bytes(), key.Primes[0].Bytes(), key.Primes[1].Bytes(), key.Precomputed.Dp.Bytes()}
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			s.t.Fatal(err)
		}
		return [][]byte{d, der}
	}
	s.t.Fatalf("a key of type %T", key)
	return nil
}
