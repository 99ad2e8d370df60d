package protect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rsa"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	seals "github.com/customerkey/customerkey/internal/seal"
)

var id = protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: "1"}

func mustSoftware(t testing.TB, seal envelope.Key, keep int) *protect.Software {
	t.Helper()
	s, err := protect.NewSoftware(protect.SoftwareConfig{Seal: seals.Of(seal), Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustGenerate(t testing.TB, s *protect.Software, id protect.ID, spec protect.Spec) ([]byte, *rsa.PublicKey) {
	t.Helper()
	handle, pub, err := s.Generate(t.Context(), id, spec)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := pub.(*rsa.PublicKey)
	return handle, public
}

var rsa2048 = protect.Spec{Type: protect.RSA, Bits: 2048}

func TestSoftware(t *testing.T) {
	t.Parallel()
	s := mustSoftware(t, envelope.NewKey(), 0)
	handle, pub := mustGenerate(t, s, id, rsa2048)
	for _, alg := range []protect.Algorithm{protect.OAEP256, protect.OAEP, protect.PKCS1} {
		sealed, err := protect.Encrypt(pub, alg, []byte("key"))
		if fips140.Enforced() && alg != protect.OAEP256 {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s with fips140=only: %v", alg, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Decrypt(t.Context(), id, handle, alg, sealed); err != nil || string(got) != "key" {
			t.Errorf("%s: %q, %v", alg, got, err)
		}
	}
	again, err := s.Public(t.Context(), id, handle)
	if err != nil || !pub.Equal(again) {
		t.Errorf("public half: %v", err)
	}
	if _, err := protect.Encrypt(pub, protect.OAEP256, make([]byte, 191)); !fault.Is(err, fault.Invalid) {
		t.Errorf("one byte too many: %v", err)
	}
}

// TestHandleIsBound: a handle opens for the id and under the sealing key it was made with.
func TestHandleIsBound(t *testing.T) {
	t.Parallel()
	seal := envelope.NewKey()
	handle, _ := mustGenerate(t, mustSoftware(t, seal, 0), id, rsa2048)
	for name, other := range map[string]protect.ID{
		"tenant": {Tenant: "u", Vault: "v", Key: "k", Version: "1"}, "vault": {Tenant: "t", Vault: "w", Key: "k", Version: "1"},
		"key": {Tenant: "t", Vault: "v", Key: "l", Version: "1"}, "version": {Tenant: "t", Vault: "v", Key: "k", Version: "2"},
	} {
		if _, err := mustSoftware(t, seal, 0).Public(t.Context(), other, handle); !fault.Is(err, fault.Corrupt) {
			t.Errorf("moved to another %s: %v", name, err)
		}
	}
	if _, err := mustSoftware(t, envelope.NewKey(), 0).Public(t.Context(), id, handle); !fault.Is(err, fault.Corrupt) {
		t.Errorf("under another sealing key: %v", err)
	}
	handle[len(handle)/2] ^= 1
	if _, err := mustSoftware(t, seal, 0).Public(t.Context(), id, handle); !fault.Is(err, fault.Corrupt) {
		t.Errorf("changed: %v", err)
	}
	if _, err := mustSoftware(t, seal, 0).Decrypt(t.Context(), id, nil, protect.OAEP256, nil); !fault.Is(err, fault.Corrupt) {
		t.Errorf("no handle: %v", err)
	}
}

// TestForget: what was opened once is not asked for its handle again, until it is forgotten
// or pushed out.
func TestForget(t *testing.T) {
	t.Parallel()
	s := mustSoftware(t, envelope.NewKey(), 2)
	handle, _ := mustGenerate(t, s, id, rsa2048)
	open := func() bool { _, err := s.Public(t.Context(), id, []byte("not a handle")); return err == nil }
	use := func(id protect.ID, handle []byte) {
		t.Helper()
		if _, err := s.Public(t.Context(), id, handle); err != nil {
			t.Fatal(err)
		}
	}
	if open() {
		t.Error("open before it was used")
	}
	use(id, handle)
	if !open() {
		t.Error("not kept open")
	}
	s.Forget(id)
	if open() {
		t.Error("open after it was forgotten")
	}
	use(id, handle)
	for _, version := range []string{"2", "3"} {
		other := id
		other.Version = version
		handle, _ := mustGenerate(t, s, other, protect.Spec{Type: protect.EC, Curve: "P-256"})
		use(other, handle)
	}
	if open() {
		t.Error("open although two others were used since")
	}
}

func TestEC(t *testing.T) {
	t.Parallel()
	s := mustSoftware(t, envelope.NewKey(), 0)
	for _, curve := range []string{"P-256", "P-384", "P-521"} {
		handle, pub, err := s.Generate(t.Context(), id, protect.Spec{Type: protect.EC, Curve: curve})
		if err != nil {
			t.Fatal(err)
		}
		if public, ok := pub.(*ecdsa.PublicKey); !ok || public.Curve.Params().Name != curve {
			t.Errorf("%s: %T", curve, pub)
		}
		if _, err := s.Decrypt(t.Context(), id, handle, protect.OAEP256, make([]byte, 256)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s decrypts: %v", curve, err)
		}
		s.Forget(id)
	}
	for _, spec := range []protect.Spec{{}, {Type: protect.RSA, Bits: 1024}, {Type: protect.EC, Curve: "P-224"}, {Type: "oct"}} {
		if _, _, err := s.Generate(t.Context(), id, spec); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", spec, err)
		}
	}
}

// TestGenerateWaits: making keys is bounded, and whoever stops waiting is let go.
func TestGenerateWaits(t *testing.T) {
	t.Parallel()
	s := mustSoftware(t, envelope.NewKey(), 0)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() { s.Generate(ctx, id, rsa2048) }) //nolint:errcheck // most are cancelled
	}
	cancel()
	done.Wait()
	if _, _, err := s.Generate(t.Context(), id, protect.Spec{Type: protect.EC, Curve: "P-256"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNothingPrintsKeys(t *testing.T) {
	t.Parallel()
	seal := envelope.NewKey()
	s := mustSoftware(t, seal, 0)
	handle, _ := mustGenerate(t, s, id, rsa2048)
	if _, err := s.Public(t.Context(), id, handle); err != nil {
		t.Fatal(err)
	}
	raw := seal.Expose()
	for _, text := range []string{fmt.Sprintf("%v", s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s)} {
		if strings.Contains(text, fmt.Sprintf("%x", raw)) || strings.Contains(text, "Primes") || len(text) > 300 {
			t.Errorf("printed: %.300s", text)
		}
	}
}

// BenchmarkOpen is what a key costs that is not kept open, beside what its use costs.
func BenchmarkOpen(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096} {
		s := mustSoftware(b, envelope.NewKey(), 0)
		handle, pub := mustGenerate(b, s, id, protect.Spec{Type: protect.RSA, Bits: bits})
		sealed, err := protect.Encrypt(pub, protect.OAEP256, []byte("key"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("open-%d", bits), func(b *testing.B) {
			for b.Loop() {
				s.Forget(id)
				if _, err := s.Public(b.Context(), id, handle); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decrypt-%d", bits), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Decrypt(b.Context(), id, handle, protect.OAEP256, sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
