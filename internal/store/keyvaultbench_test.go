package store

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// BenchmarkVaultReads is what each request reads of the vault database: its vault twice, and a
// version of a key.
func BenchmarkVaultReads(b *testing.B) {
	db, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "vault.db"), VaultAreas()...)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	k := NewKeyVault(db)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	must(k.PutSubscription(b.Context(), keyvault.Subscription{ID: "s", Tenant: "t"}))
	_, err = k.PutGroup(b.Context(), keyvault.Group{Tenant: "t", Subscription: "s", Name: "g"})
	must(err)
	must(k.AddVault(b.Context(), keyvault.Vault{
		Tenant: "t", Subscription: "s", Group: "g", Name: "v", Access: []rights.Grant{{Object: "a", Keys: []rights.Permission{"all"}}},
	}))
	must(k.AddVersion(b.Context(), keyvault.Key{
		Tenant: "t", Vault: "v", Name: "k", Version: "1", Type: "EC", Curve: "P-256", Public: private.Public(), Created: time.Now(), Updated: time.Now(),
	}, keyvault.Material{Protector: protect.SoftwareName, Handle: make([]byte, 1300)}))
	for _, remembered := range []bool{false, true} {
		b.Run(map[bool]string{false: "read", true: "remembered"}[remembered], func(b *testing.B) {
			db.changes.shared = !remembered
			for b.Loop() {
				for range 2 {
					_, err := k.Vault(b.Context(), "v")
					must(err)
				}
				_, _, err := k.Key(b.Context(), "t", "v", "k", "1")
				must(err)
			}
		})
	}
}
