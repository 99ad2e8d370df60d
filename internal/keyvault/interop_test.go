package keyvault_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestOpenSSL holds KV-173: what OpenSSL wraps under the public half is unwrapped here, with
// each algorithm and size.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := mustOpenSSL(t)
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, bits := range []int{2048, 3072, 4096} {
		s.unwrapsOpenSSL(openssl, "contoso-east", keyvault.NewKey{Type: "RSA", Bits: bits})
	}
}

// TestOpenSSLUnwraps is the other direction: OpenSSL makes a key pair, and unwraps what was
// wrapped here once that was imported.
func TestOpenSSLUnwraps(t *testing.T) {
	t.Parallel()
	openssl := mustOpenSSL(t)
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, bits := range []int{2048, 3072, 4096} {
		file := filepath.Join(t.TempDir(), "private.pem")
		mustRun(t, nil, openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:"+strconv.Itoa(bits), "-out", file)
		k, err := s.ImportKey(t.Context(), s.admin, "contoso-east", "brought", keyvault.NewKey{Type: "RSA"}, mustPrivateJWK(t, file))
		if err != nil {
			t.Fatal(err)
		}
		for alg, options := range openSSLOptions() {
			wrapped, err := s.Wrap(t.Context(), s.admin, "contoso-east", "brought", k.Version, alg, []byte("a key of some length"))
			if err != nil {
				t.Fatal(err)
			}
			if got := mustRun(t, wrapped.Value, openssl, slices.Concat([]string{"pkeyutl", "-decrypt", "-inkey", file}, options)...); string(got) != "a key of some length" {
				t.Errorf("%s, %d bits: OpenSSL unwraps %q", alg, bits, got)
			}
		}
	}
}

// mustPrivateJWK reads a private key of OpenSSL (PKCS #8) as a client sends it.
func mustPrivateJWK(t *testing.T, file string) protect.JWK {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	k := parsed.(*rsa.PrivateKey)
	secret := func(n *big.Int) protect.Secret { return protect.NewSecret(n.Bytes()) }
	return protect.JWK{
		N: k.N.Bytes(), E: big.NewInt(int64(k.E)).Bytes(), D: secret(k.D), P: secret(k.Primes[0]), Q: secret(k.Primes[1]),
		DP: secret(k.Precomputed.Dp), DQ: secret(k.Precomputed.Dq), QI: secret(k.Precomputed.Qinv),
	}
}

// openSSLOptions are the algorithms that are served, as pkeyutl spells them.
func openSSLOptions() map[string][]string {
	o := map[string][]string{
		"RSA-OAEP-256": {"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"},
		"RSA-OAEP":     {"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"},
		"RSA1_5":       {"-pkeyopt", "rsa_padding_mode:pkcs1"},
	}
	if fips140.Enforced() {
		delete(o, "RSA-OAEP")
		delete(o, "RSA1_5")
	}
	return o
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
	k, err := s.CreateKey(s.t.Context(), s.admin, vault, "root1", n)
	if err != nil {
		s.t.Fatal(err)
	}
	for alg, options := range openSSLOptions() {
		wrapped := mustEncrypt(s.t, openssl, k.Public.(*rsa.PublicKey), options, []byte("a key of some length"))
		got, err := s.Unwrap(s.t.Context(), s.admin, vault, "root1", k.Version, alg, wrapped)
		if err != nil || !bytes.Equal(got.Value, []byte("a key of some length")) {
			s.t.Errorf("%s, %s of %d bits: %q, %v", alg, k.KTY(), k.Bits, got.Value, err)
		}
	}
}

func mustEncrypt(t *testing.T, openssl string, pub *rsa.PublicKey, options []string, plain []byte) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustRun(t, plain, openssl, slices.Concat([]string{"pkeyutl", "-encrypt", "-pubin", "-inkey", file}, options)...)
}

// mustRun returns what a command makes of in.
func mustRun(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	return out
}
