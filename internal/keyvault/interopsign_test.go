package keyvault_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"testing"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// interopScript does one step of TestNode. It is asked with one object on standard input and
// answers with one on standard output, byte strings as base64.
const interopScript = `
const crypto = require('crypto')
const ask = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const bytes = s => Buffer.from(s, 'base64')
const hash = 'sha' + ask.alg.slice(2, 5)
const options = key => {
  if (ask.alg.startsWith('PS')) return {key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: hash.slice(3) / 8}
  if (ask.alg.startsWith('ES')) return {key, dsaEncoding: 'ieee-p1363'}
  return {key, padding: crypto.constants.RSA_PKCS1_PADDING}
}
const message = Buffer.from('what is signed')
if (ask.do === 'verify') {
  console.log(JSON.stringify({valid: crypto.verify(hash, message, options(crypto.createPublicKey(ask.pem)), bytes(ask.signature))}))
} else {
  const {privateKey} = ask.curve ? crypto.generateKeyPairSync('ec', {namedCurve: ask.curve.replace('P-256K', 'secp256k1')}) : crypto.generateKeyPairSync('rsa', {modulusLength: ask.bits})
  console.log(JSON.stringify({jwk: privateKey.export({format: 'jwk'}), signature: crypto.sign(hash, message, options(privateKey)).toString('base64')}))
}
`

// signatures are the algorithms, with the key that each is tried with.
var signatures = []struct {
	alg  string
	hash crypto.Hash
	key  keyvault.NewKey
}{
	{"RS256", crypto.SHA256, keyvault.NewKey{Type: "RSA", Bits: 2048}},
	{"RS384", crypto.SHA384, keyvault.NewKey{Type: "RSA", Bits: 2048}},
	{"RS512", crypto.SHA512, keyvault.NewKey{Type: "RSA", Bits: 2048}},
	{"PS256", crypto.SHA256, keyvault.NewKey{Type: "RSA", Bits: 2048}},
	{"PS384", crypto.SHA384, keyvault.NewKey{Type: "RSA", Bits: 2048}},
	{"PS512", crypto.SHA512, keyvault.NewKey{Type: "RSA", Bits: 3072}},
	{"ES256", crypto.SHA256, keyvault.NewKey{Type: "EC", Curve: "P-256"}},
	{"ES384", crypto.SHA384, keyvault.NewKey{Type: "EC", Curve: "P-384"}},
	{"ES512", crypto.SHA512, keyvault.NewKey{Type: "EC", Curve: "P-521"}},
	{"ES256K", crypto.SHA256, keyvault.NewKey{Type: "EC", Curve: "P-256K"}},
}

func allowed(n keyvault.NewKey) bool { return n.Type == "RSA" || protect.CurveAllowed(n.Curve) }

// TestNode holds KV-173 for signatures (for the rest see test/javascript): OpenSSL, as Node has it, verifies what is signed here;
// a key pair that it made is imported, verifies what it signed, and signs as it does.
func TestNode(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CK_REQUIRE_NODE") != "" {
			t.Fatal("node is not installed")
		}
		t.Skip("node is not installed")
	}
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, tt := range signatures {
		if !allowed(tt.key) {
			continue
		}
		h := tt.hash.New()
		h.Write([]byte("what is signed"))
		digest := h.Sum(nil)
		verifies := func(what string, k keyvault.Key) {
			t.Helper()
			signed, err := s.Sign(t.Context(), s.admin, "contoso-east", k.Name, k.Version, tt.alg, digest)
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Valid bool }
			mustAsk(t, node, map[string]any{"do": "verify", "alg": tt.alg, "pem": mustPEM(t, k.Public), "signature": signed.Value}, &got)
			if !got.Valid {
				t.Errorf("%s, %s: node does not verify what was signed here", tt.alg, what)
			}
		}
		verifies("own", s.mustCreateAs("own", tt.key))

		var made struct {
			JWK       map[string]string
			Signature []byte
		}
		mustAsk(t, node, map[string]any{"do": "make", "alg": tt.alg, "bits": tt.key.Bits, "curve": tt.key.Curve}, &made)
		if made.JWK["crv"] == "secp256k1" { // what RFC 8812 calls P-256K
			made.JWK["crv"] = "P-256K"
		}
		k, err := s.ImportKey(t.Context(), s.admin, "contoso-east", "imported", keyvault.NewKey{Type: made.JWK["kty"]}, jwkOf(t, made.JWK))
		if err != nil {
			t.Errorf("%s: a pair made by node is refused: %v", tt.alg, err)
			continue
		}
		valid, err := s.Verify(t.Context(), s.admin, "contoso-east", "imported", k.Version, tt.alg, digest, made.Signature)
		if err != nil || !valid {
			t.Errorf("%s: verified %v, %v", tt.alg, valid, err)
		}
		verifies("imported", k)
	}
}

// TestOpenSSLVerifies: the command verifies RSA signatures as they are, and EC ones once they
// are in its own encoding.
func TestOpenSSLVerifies(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CK_REQUIRE_OPENSSL") != "" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	for _, tt := range signatures {
		if !allowed(tt.key) {
			continue
		}
		k := s.mustCreateAs("own", tt.key)
		digest := bytes.Repeat([]byte{3}, tt.hash.Size())
		signed, err := s.Sign(t.Context(), s.admin, "contoso-east", "own", k.Version, tt.alg, digest)
		if err != nil {
			t.Fatal(err)
		}
		signature := signed.Value
		options := []string{"-pkeyopt", "digest:sha" + tt.alg[2:5]}
		switch {
		case tt.alg[:2] == "PS":
			options = append(options, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", fmt.Sprintf("rsa_pss_saltlen:%d", tt.hash.Size()))
		case tt.alg[:2] == "ES":
			signature = mustDER(t, signature)
		}
		dir := t.TempDir()
		for name, content := range map[string][]byte{"pub": []byte(mustPEM(t, k.Public)), "sig": signature, "digest": digest} {
			if err := os.WriteFile(dir+"/"+name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		args := append([]string{"pkeyutl", "-verify", "-pubin", "-inkey", dir + "/pub", "-sigfile", dir + "/sig", "-in", dir + "/digest"}, options...)
		if out, err := exec.CommandContext(t.Context(), openssl, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", tt.alg, err, out)
		}
	}
}

func mustAsk(t *testing.T, node string, question, answer any) {
	t.Helper()
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "-e", interopScript)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

func jwkOf(t *testing.T, members map[string]string) protect.JWK {
	t.Helper()
	b := func(name string) []byte {
		v, err := base64.RawURLEncoding.DecodeString(members[name])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	secret := func(name string) (none protect.Secret) {
		if members[name] == "" {
			return none
		}
		return protect.NewSecret(b(name))
	}
	return protect.JWK{
		N: b("n"), E: b("e"), Curve: members["crv"], X: b("x"), Y: b("y"), D: secret("d"),
		P: secret("p"), Q: secret("q"), DP: secret("dp"), DQ: secret("dq"), QI: secret("qi"),
	}
}

func mustPEM(t *testing.T, pub crypto.PublicKey) string {
	t.Helper()
	der, err := protect.MarshalPublic(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// mustDER encodes r || s as X.509 has it.
func mustDER(t *testing.T, signature []byte) []byte {
	t.Helper()
	half := len(signature) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
	if err != nil {
		t.Fatal(err)
	}
	return der
}
