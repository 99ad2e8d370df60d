package keyvault_test

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestOpenSSL holds KV-173: what OpenSSL wraps under the public half is unwrapped here, with
// each algorithm and size.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := mustOpenSSL(t)
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, bits := range []int{2048, 3072} {
		s.unwrapsOpenSSL(openssl, "contoso-east", keyvault.NewKey{Type: "RSA", Bits: bits})
	}
}

func mustOpenSSL(t *testing.T) string {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err == nil {
		return openssl
	}
	if os.Getenv("CK_REQUIRE_OPENSSL") != "" {
		t.Fatal("openssl is not installed")
	}
	t.Skip("openssl is not installed")
	return ""
}

// unwrapsOpenSSL makes a key in a vault and unwraps by it what OpenSSL wrapped.
func (s *stage) unwrapsOpenSSL(openssl, vault string, n keyvault.NewKey) {
	s.t.Helper()
	algorithms := map[string][]string{
		"RSA-OAEP-256": {"rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"},
		"RSA-OAEP":     {"rsa_padding_mode:oaep", "rsa_oaep_md:sha1"},
		"RSA1_5":       {"rsa_padding_mode:pkcs1"},
	}
	if fips140.Enforced() {
		delete(algorithms, "RSA-OAEP")
		delete(algorithms, "RSA1_5")
	}
	k, err := s.CreateKey(s.t.Context(), s.admin, vault, "root1", n)
	if err != nil {
		s.t.Fatal(err)
	}
	for alg, options := range algorithms {
		wrapped := mustEncrypt(s.t.Context(), s.t, openssl, k.Public.(*rsa.PublicKey), options, []byte("a key of some length"))
		got, err := s.Unwrap(s.t.Context(), s.admin, vault, "root1", k.Version, alg, wrapped)
		if err != nil || !bytes.Equal(got.Value, []byte("a key of some length")) {
			s.t.Errorf("%s, %s of %d bits: %q, %v", alg, k.KTY(), k.Bits, got.Value, err)
		}
	}
}

func mustEncrypt(ctx context.Context, t *testing.T, openssl string, pub *rsa.PublicKey, options []string, plain []byte) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"pkeyutl", "-encrypt", "-pubin", "-inkey", file}
	for _, o := range options {
		args = append(args, "-pkeyopt", o)
	}
	cmd := exec.CommandContext(ctx, openssl, args...)
	cmd.Stdin = bytes.NewReader(plain)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl: %v\n%s", err, stderr.String())
	}
	return out
}
