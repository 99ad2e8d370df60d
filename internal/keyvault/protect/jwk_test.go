package protect_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

func secret(n *big.Int) protect.Secret { return protect.NewSecret(n.Bytes()) }

func mustRSA(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rsaJWK has every member, from the key's numbers alone.
func rsaJWK(key *rsa.PrivateKey) protect.JWK {
	p, q := key.Primes[0], key.Primes[1]
	less := func(n *big.Int) *big.Int { return new(big.Int).Sub(n, big.NewInt(1)) }
	return protect.JWK{
		Type: protect.RSA, N: key.N.Bytes(), E: big.NewInt(int64(key.E)).Bytes(), D: secret(key.D), P: secret(p), Q: secret(q),
		DP: secret(new(big.Int).Mod(key.D, less(p))), DQ: secret(new(big.Int).Mod(key.D, less(q))), QI: secret(new(big.Int).ModInverse(q, p)),
	}
}

func ecJWK(t testing.TB, curve elliptic.Curve) protect.JWK {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := 1 + len(point)/2
	return protect.JWK{Type: protect.EC, Curve: curve.Params().Name, D: protect.NewSecret(d), X: point[1:half], Y: point[half:]}
}

// TestImport: what came in works as what was made here does, also after it was opened anew.
func TestImport(t *testing.T) {
	t.Parallel()
	key := mustRSA(t, 2048)
	bare := rsaJWK(key)
	bare.DP, bare.DQ, bare.QI = protect.Secret{}, protect.Secret{}, protect.Secret{}
	padded := rsaJWK(key)
	padded.N = append([]byte{0, 0}, padded.N...)
	for name, tt := range map[string]struct {
		jwk protect.JWK
		alg protect.SignatureAlgorithm
	}{
		"rsa 2048": {rsaJWK(key), "RS256"}, "rsa 3072": {rsaJWK(mustRSA(t, 3072)), "PS384"}, "rsa without crt": {bare, "PS512"},
		"rsa with zeros": {padded, "RS512"}, "P-256": {ecJWK(t, elliptic.P256()), "ES256"},
		"P-384": {ecJWK(t, elliptic.P384()), "ES384"}, "P-521": {ecJWK(t, elliptic.P521()), "ES512"},
	} {
		pair, err := tt.jwk.Pair()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := mustSoftware(t, envelope.NewKey(), 0)
		handle, pub, err := s.Import(t.Context(), id, pair)
		if err != nil {
			t.Fatal(err)
		}
		digest := make([]byte, tt.alg.DigestSize())
		signature, err := s.Sign(t.Context(), id, handle, tt.alg, digest)
		if err != nil {
			t.Fatal(err)
		}
		if valid, err := protect.Verify(pub, tt.alg, digest, signature); !valid || err != nil {
			t.Errorf("%s: verified %v, %v", name, valid, err)
		}
	}
}

// TestImportRefuses holds KV-54: each member that is wrong is refused, most by its name.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	key, other := mustRSA(t, 2048), mustRSA(t, 2048)
	add := func(n *big.Int, by int64) *big.Int { return new(big.Int).Add(n, big.NewInt(by)) }
	p := key.Primes[0]
	notPrime := add(p, 2)
	for notPrime.ProbablyPrime(8) {
		notPrime = add(notPrime, 2)
	}
	for _, tt := range []struct {
		name, member string
		change       func(*protect.JWK)
	}{
		{"no type", "kty", func(j *protect.JWK) { j.Type = "" }},
		{"no modulus", "n", func(j *protect.JWK) { j.N = nil }},
		{"another modulus", "n", func(j *protect.JWK) { j.N = other.N.Bytes() }},
		{"short modulus", "n", func(j *protect.JWK) { j.N = j.N[1:] }},
		{"long modulus", "n", func(j *protect.JWK) { j.N = bytes.Repeat([]byte{255}, 40000) }},
		{"no exponent", "e", func(j *protect.JWK) { j.E = nil }},
		{"exponent 1", "e", func(j *protect.JWK) { j.E = []byte{1} }},
		{"exponent 2", "e", func(j *protect.JWK) { j.E = []byte{2} }},
		{"even exponent", "e", func(j *protect.JWK) { j.E = []byte{1, 0, 2} }},
		{"huge exponent", "e", func(j *protect.JWK) { j.E = bytes.Repeat([]byte{1}, 20) }},
		{"no private exponent", "d", func(j *protect.JWK) { j.D = protect.Secret{} }},
		{"another private exponent", "d", func(j *protect.JWK) { j.D = secret(other.D) }},
		{"private exponent off by one", "d", func(j *protect.JWK) { j.D = secret(add(key.D, 1)) }},
		{"private exponent past n", "d", func(j *protect.JWK) { j.D = secret(new(big.Int).Add(key.D, key.N)) }},
		{"no prime", "p", func(j *protect.JWK) { j.P = protect.Secret{} }},
		{"no other prime", "q", func(j *protect.JWK) { j.Q = protect.Secret{} }},
		{"another prime", "n", func(j *protect.JWK) { j.P = secret(other.Primes[0]) }},
		{"n and 1", "", func(j *protect.JWK) { j.P, j.Q = secret(key.N), secret(big.NewInt(1)) }},
		{"twice the same", "n", func(j *protect.JWK) { j.N, j.Q = new(big.Int).Mul(p, p).Bytes(), j.P }},
		{"not a prime", "", func(j *protect.JWK) { j.N, j.P = new(big.Int).Mul(notPrime, key.Primes[1]).Bytes(), secret(notPrime) }},
		{"dp", "dp", func(j *protect.JWK) { j.DP = j.DQ }},
		{"dq", "dq", func(j *protect.JWK) { j.DQ = secret(big.NewInt(0)) }},
		{"qi", "qi", func(j *protect.JWK) { j.QI = secret(big.NewInt(3)) }},
	} {
		j := rsaJWK(key)
		tt.change(&j)
		wantMember(t, "rsa "+tt.name, j, tt.member)
	}
	for _, tt := range []struct {
		name, member string
		change       func(*protect.JWK)
	}{
		{"curve", "crv", func(j *protect.JWK) { j.Curve = "P-224" }},
		{"no curve", "crv", func(j *protect.JWK) { j.Curve = "" }},
		{"another curve", "", func(j *protect.JWK) { j.Curve = "P-384" }},
		{"no d", "d", func(j *protect.JWK) { j.D = protect.Secret{} }},
		{"d of zeros", "d", func(j *protect.JWK) { j.D = protect.NewSecret(make([]byte, 32)) }},
		{"d past the order", "d", func(j *protect.JWK) { j.D = protect.NewSecret(bytes.Repeat([]byte{255}, 32)) }},
		{"long d", "d", func(j *protect.JWK) { j.D = protect.NewSecret(bytes.Repeat([]byte{1}, 33)) }},
		{"another d", "d", func(j *protect.JWK) { j.D = protect.NewSecret([]byte{7}) }},
		{"P-256K, off the curve", "", func(j *protect.JWK) { j.Curve = protect.P256K }},
		{"P-256K, d past the order", "", func(j *protect.JWK) { j.Curve, j.D = protect.P256K, protect.NewSecret(bytes.Repeat([]byte{255}, 32)) }},
		{"no x", "x", func(j *protect.JWK) { j.X = nil }},
		{"no y", "y", func(j *protect.JWK) { j.Y = nil }},
		{"off the curve", "x", func(j *protect.JWK) { j.X, j.Y = j.Y, j.X }},
		{"long y", "y", func(j *protect.JWK) { j.Y = bytes.Repeat([]byte{1}, 40000) }},
	} {
		j := ecJWK(t, elliptic.P256())
		tt.change(&j)
		wantMember(t, "ec "+tt.name, j, tt.member)
	}
}

func wantMember(t *testing.T, what string, j protect.JWK, member string) {
	t.Helper()
	_, err := j.Pair()
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Message, "Property key."+member) {
		t.Errorf("%s: %v, want key.%s", what, err, member)
	}
}

// TestImportSmallExponent: e = 3 and its like are allowed (KV-54), but not by approved cryptography.
func TestImportSmallExponent(t *testing.T) {
	t.Parallel()
	key := mustRSA(t, 2048)
	less := func(n *big.Int) *big.Int { return new(big.Int).Sub(n, big.NewInt(1)) }
	phi := new(big.Int).Mul(less(key.Primes[0]), less(key.Primes[1]))
	for key.E = 3; ; key.E += 2 {
		if key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), phi); key.D != nil {
			break
		}
	}
	_, err := rsaJWK(key).Pair()
	if fips140.Enforced() {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("exponent %d with fips140=only: %v", key.E, err)
		}
	} else if err != nil {
		t.Errorf("exponent %d: %v", key.E, err)
	}
}

func TestNothingPrintsImports(t *testing.T) {
	t.Parallel()
	j := ecJWK(t, elliptic.P256())
	d := bytes.Repeat([]byte{0xab}, 32)
	j.D = protect.NewSecret(d)
	pair, err := ecJWK(t, elliptic.P256()).Pair()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", j, j, j.D), string(encoded), fmt.Sprintf("%v %+v %#v", pair, pair, *pair)} {
		for _, trace := range []string{
			hex.EncodeToString(d), strings.Trim(fmt.Sprint(d), "[]"), base64.RawURLEncoding.EncodeToString(d), base64.StdEncoding.EncodeToString(d)[:40],
			"D:+", "Curve:elliptic",
		} {
			if strings.Contains(text, trace) {
				t.Errorf("%s printed: %s", trace, text)
			}
		}
	}
	j.Destroy()
	if !bytes.Equal(d, make([]byte, 32)) {
		t.Error("the bytes are still there")
	}
}
