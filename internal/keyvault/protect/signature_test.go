package protect_test

import (
	"crypto/fips140"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// TestSignatureFits: every algorithm signs with its own keys and digests alone.
func TestSignatureFits(t *testing.T) {
	t.Parallel()
	s := mustSoftware(t, envelope.NewKey(), 0)
	kinds := map[string]protect.Spec{"RSA": rsa2048}
	for _, curve := range []string{"P-256", "P-384", "P-521"} {
		kinds[curve] = protect.Spec{Type: protect.EC, Curve: curve}
	}
	if !fips140.Enforced() {
		kinds["P-256K"] = protect.Spec{Type: protect.EC, Curve: protect.P256K}
	}
	fit := map[protect.SignatureAlgorithm]string{
		"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
		"ES256K": "P-256K", "ES256": "P-256", "ES384": "P-384", "ES512": "P-521",
	}
	for kind, spec := range kinds {
		own := id
		own.Key = kind
		handle, pub, err := s.Generate(t.Context(), own, spec)
		if err != nil {
			t.Fatal(err)
		}
		for alg, wants := range fit {
			digest := make([]byte, alg.DigestSize())
			signature, err := s.Sign(t.Context(), own, handle, alg, digest)
			if fits := wants == kind; fits != (err == nil) || fits != alg.Fits(spec.Type, spec.Curve) {
				t.Errorf("%s with %s: %v", alg, kind, err)
			} else if !fits {
				if _, err := protect.Verify(pub, alg, digest, make([]byte, 64)); !fault.Is(err, fault.Invalid) {
					t.Errorf("%s verifies with %s: %v", alg, kind, err)
				}
				continue
			}
			if valid, err := protect.Verify(pub, alg, digest, signature); !valid || err != nil {
				t.Errorf("%s with %s: verified %v, %v", alg, kind, valid, err)
			}
			for _, wrong := range [][]byte{nil, digest[1:], append(digest, 0)} {
				if _, err := s.Sign(t.Context(), own, handle, alg, wrong); !fault.Is(err, fault.Invalid) {
					t.Errorf("%s signs %d bytes: %v", alg, len(wrong), err)
				}
				if _, err := protect.Verify(pub, alg, wrong, signature); !fault.Is(err, fault.Invalid) {
					t.Errorf("%s verifies %d bytes: %v", alg, len(wrong), err)
				}
			}
		}
	}
	for _, alg := range []protect.SignatureAlgorithm{"", "none", "HS256", "RSA-OAEP-256"} {
		if alg.Known() || alg.Fits(protect.RSA, "") || alg.Fits(protect.EC, "P-256") {
			t.Errorf("%q is known", alg)
		}
	}
}
