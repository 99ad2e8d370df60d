package keyvault_test

import (
	"crypto"
	"crypto/fips140"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// TestP256K holds KV-55 on every engine: the curve that Go's own library has not is stored and
// used like the others, and refused where only approved cryptography is allowed.
func TestP256K(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		k, err := s.CreateKey(t.Context(), s.admin, "contoso-east", "root1", keyvault.NewKey{Type: "EC", Curve: "P-256K"})
		if fips140.Enforced() {
			wantFault(t, err, fault.Invalid, "")
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		stored := s.mustKey("root1", "")
		if stored.Curve != "P-256K" || !stored.Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public) {
			t.Errorf("stored = %s, %T", stored.Curve, stored.Public)
		}
		digest := make([]byte, 32)
		signed, err := s.Sign(t.Context(), s.admin, "contoso-east", "root1", "", "ES256K", digest)
		if err != nil {
			t.Fatal(err)
		}
		if valid, err := protect.Verify(stored.Public, "ES256K", digest, signed.Value); !valid || err != nil || len(signed.Value) != 64 {
			t.Errorf("outside: %v, %v", valid, err)
		}
		signed.Value[40] ^= 1
		if valid, err := s.Verify(t.Context(), s.admin, "contoso-east", "root1", "", "ES256K", digest, signed.Value); valid || err != nil {
			t.Errorf("a changed signature: %v, %v", valid, err)
		}
		_, err = s.Sign(t.Context(), s.admin, "contoso-east", "root1", "", "ES256", digest)
		wantFault(t, err, fault.Invalid, "")
	})
}
