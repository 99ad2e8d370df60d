//go:build pkcs11

package keyvault_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestOpenSSLToken is TestOpenSSL for keys in a token, on every engine.
func TestOpenSSLToken(t *testing.T) {
	openssl, c := mustOpenSSL(t), hsmtest.Config(t)
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.Equip(&c)
		s.MustPutVault(keyvault.VaultSpec{Name: "contoso-hsm", SKU: "premium", Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All, rights.Purge)}})
		for _, bits := range []int{2048, 3072} {
			s.unwrapsOpenSSL(openssl, "contoso-hsm", keyvault.NewKey{Type: "RSA-HSM", Bits: bits})
		}
		if got := hsmtest.Halves(t, c); got != 4 {
			t.Errorf("the token holds %d halves of two key pairs", got)
		}
		if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-hsm", "root1"); err != nil {
			t.Fatal(err)
		}
		if err := s.PurgeKey(t.Context(), s.admin, "contoso-hsm", "root1"); err != nil {
			t.Fatal(err)
		}
		if got := hsmtest.Halves(t, c); got != 0 {
			t.Errorf("the token holds %d halves of what was purged", got)
		}
	})
}
