//go:build pkcs11

package hsm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
)

func mustOpen(t testing.TB, c hsm.Config) hsm.Token {
	t.Helper()
	token, err := hsm.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	})
	return token
}

func mustGenerate(t testing.TB, token hsm.Token, id string, k hsm.Kind) hsm.Public {
	t.Helper()
	pub, err := token.Generate(t.Context(), []byte(id), "test "+id, k)
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func rsaKey(pub hsm.Public) *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).SetBytes(pub.N), E: int(new(big.Int).SetBytes(pub.E).Int64())}
}

func wantFault(t *testing.T, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if f := fault.As(err); err == nil || f.Code != code || f.Reason != reason {
		t.Errorf("%s: %v, want %s %s", what, err, code, reason)
	}
}

// TestRSA: keys made in the token do what they are asked, as the standard library judges it.
func TestRSA(t *testing.T) {
	token := mustOpen(t, hsmtest.Config(t))
	pub := mustGenerate(t, token, "rsa", hsm.Kind{Bits: 2048})
	again, err := token.Public(t.Context(), []byte("rsa"))
	if err != nil || !bytes.Equal(pub.N, again.N) || !bytes.Equal(pub.E, again.E) {
		t.Errorf("public half: %v", err)
	}
	key, message := rsaKey(pub), []byte("a message of some bytes")
	number := new(big.Int).Exp(new(big.Int).SetBytes(message), big.NewInt(int64(key.E)), key.N)
	raw, err := token.Decrypt(t.Context(), []byte("rsa"), hsm.RawRSA, number.FillBytes(make([]byte, 256)))
	if err != nil || len(raw) != 256 || !bytes.Equal(raw[256-len(message):], message) {
		t.Errorf("raw: %x, %v", raw, err)
	}
	for m, hash := range map[hsm.Mechanism]crypto.Hash{hsm.PSS256: crypto.SHA256, hsm.PSS384: crypto.SHA384, hsm.PSS512: crypto.SHA512} {
		digest := make([]byte, hash.Size())
		rand.Read(digest)
		signature, err := token.Sign(t.Context(), []byte("rsa"), m, digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPSS(key, hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
			t.Errorf("%v: %v", hash, err)
		}
	}
	for _, m := range []hsm.Mechanism{hsm.OAEP1, hsm.OAEP256, hsm.RawRSA} {
		can, err := token.Can(t.Context(), m)
		t.Logf("mechanism %d: %v, %v", m, can, err)
		if _, err := token.Decrypt(t.Context(), []byte("rsa"), m, bytes.Repeat([]byte{0xff}, 256)); can {
			wantFault(t, "greater than the modulus", err, fault.Invalid, "")
		}
	}
}

// TestEC: as TestRSA, also on the curve that the standard library has not.
func TestEC(t *testing.T) {
	token := mustOpen(t, hsmtest.Config(t))
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		pub := mustGenerate(t, token, name, hsm.Kind{Curve: name})
		key, err := ecdsa.ParseUncompressedPublicKey(curve, pub.Point)
		if err != nil || pub.Curve != name {
			t.Fatalf("%s: %v", pub.Curve, err)
		}
		digest := sha256.Sum256([]byte(name))
		signature, err := token.Sign(t.Context(), []byte(name), hsm.ECDSA, digest[:])
		if err != nil || len(signature) != len(pub.Point)-1 {
			t.Fatalf("%s: %d bytes, %v", name, len(signature), err)
		}
		half := len(signature) / 2
		if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
			t.Errorf("%s: does not verify", name)
		}
	}
	if pub := mustGenerate(t, token, "k1", hsm.Kind{Curve: "P-256K"}); len(pub.Point) != 65 || pub.Curve != "P-256K" {
		t.Errorf("P-256K: %+v", pub)
	}
	for _, k := range []hsm.Kind{{}, {Curve: "P-224"}} {
		_, err := token.Generate(t.Context(), []byte("none"), "none", k)
		wantFault(t, fmt.Sprint(k), err, fault.Invalid, "")
	}
}

// TestDestroy: what was destroyed is gone, and destroying it again does nothing.
func TestDestroy(t *testing.T) {
	token := mustOpen(t, hsmtest.Config(t))
	mustGenerate(t, token, "a", hsm.Kind{Curve: "P-256"})
	mustGenerate(t, token, "b", hsm.Kind{Curve: "P-256"})
	for range 2 {
		if err := token.Destroy(t.Context(), []byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	_, err := token.Sign(t.Context(), []byte("a"), hsm.ECDSA, make([]byte, 32))
	wantFault(t, "sign", err, fault.Corrupt, "")
	_, err = token.Public(t.Context(), []byte("a"))
	wantFault(t, "public", err, fault.Corrupt, "")
	if _, err := token.Sign(t.Context(), []byte("b"), hsm.ECDSA, make([]byte, 32)); err != nil {
		t.Errorf("another key: %v", err)
	}
}

// TestExport: a private half goes out wrapped and comes back under another id; what was changed,
// or was wrapped by another token, does not.
func TestExport(t *testing.T) {
	token, other := mustOpen(t, hsmtest.Config(t)), mustOpen(t, hsmtest.Config(t))
	for name, k := range map[string]hsm.Kind{"rsa": {Bits: 2048}, "ec": {Curve: "P-384"}} {
		pub := mustGenerate(t, token, name, k)
		wrapped, err := token.Export(t.Context(), []byte(name), "backups")
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Destroy(t.Context(), []byte(name)); err != nil {
			t.Fatal(err)
		}
		back := []byte(name + " again")
		if err := token.Adopt(t.Context(), back, "back", k, pub, "backups", wrapped); err != nil {
			t.Fatal(err)
		}
		got, err := token.Public(t.Context(), back)
		if err != nil || !bytes.Equal(got.N, pub.N) || !bytes.Equal(got.Point, pub.Point) {
			t.Errorf("%s: another public half, %v", name, err)
		}
		digest := sha256.Sum256([]byte(name))
		if k.Curve != "" {
			if _, err := token.Sign(t.Context(), back, hsm.ECDSA, digest[:]); err != nil {
				t.Error(err)
			}
		} else if signature, err := token.Sign(t.Context(), back, hsm.PSS256, digest[:]); err != nil || rsa.VerifyPSS(rsaKey(pub), crypto.SHA256, digest[:], signature, nil) != nil {
			t.Errorf("signature of the key that came back: %v", err)
		}
		if _, err := other.Export(t.Context(), []byte(name), "backups"); !fault.Is(err, fault.Corrupt) {
			t.Errorf("another token exports a key that is not in it: %v", err)
		}
		adopt := func(what string, bad []byte, code fault.Code) {
			t.Helper()
			wantFault(t, name+" "+what, token.Adopt(t.Context(), []byte("bad"), "bad", k, pub, "backups", bad), code, "")
		}
		adopt("nothing", nil, fault.Corrupt)
		adopt("id", wrapped[:17], fault.Corrupt)
		adopt("layout", append([]byte{2}, wrapped[1:]...), fault.Corrupt)
		// Of these SoftHSM says what it says when it fails itself.
		adopt("cut off", wrapped[:len(wrapped)-8], fault.Unavailable)
		adopt("changed", append(bytes.Clone(wrapped[:40]), append([]byte{wrapped[40] ^ 1}, wrapped[41:]...)...), fault.Unavailable)
		wantFault(t, "another token", other.Adopt(t.Context(), back, "back", k, pub, "backups", wrapped), fault.Corrupt, "")
	}
}

// TestImport: key pairs of the standard library work in the token.
func TestImport(t *testing.T) {
	token := mustOpen(t, hsmtest.Config(t))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	err = token.Import(t.Context(), []byte("rsa"), "rsa", hsm.Kind{Bits: 2048}, func() hsm.Private {
		return hsm.Private{
			Public: hsm.Public{N: key.N.Bytes(), E: []byte{1, 0, 1}}, D: key.D.Bytes(), P: key.Primes[0].Bytes(), Q: key.Primes[1].Bytes(),
			DP: key.Precomputed.Dp.Bytes(), DQ: key.Precomputed.Dq.Bytes(), QI: key.Precomputed.Qinv.Bytes(),
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("rsa"))
	if signature, err := token.Sign(t.Context(), []byte("rsa"), hsm.PSS256, digest[:]); err != nil || rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest[:], signature, nil) != nil {
		t.Errorf("signature: %v", err)
	}
	info, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if wrapped, err := token.Export(t.Context(), []byte("rsa"), "backups"); err != nil || bytes.Contains(wrapped, info[40:80]) {
		t.Errorf("export: %v", err)
	}
}

// TestWrap: what was wrapped opens under its label and with its associated data only.
func TestWrap(t *testing.T) {
	c := hsmtest.Config(t)
	token, other := mustOpen(t, c), mustOpen(t, hsmtest.Config(t))
	plaintext, aad := []byte("thirty-two bytes of a sealing key"), []byte("deployment 1")
	wrapped, err := token.Wrap(t.Context(), "seal", plaintext, aad)
	if err != nil {
		t.Fatal(err)
	}
	for _, reader := range []hsm.Token{token, mustOpen(t, c)} {
		if got, err := reader.Unwrap(t.Context(), "seal", wrapped, aad); err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("%q, %v", got, err)
		}
	}
	again, err := token.Wrap(t.Context(), "seal", plaintext, aad)
	if err != nil || bytes.Equal(again, wrapped) || !bytes.Equal(again[:17], wrapped[:17]) {
		t.Errorf("the second time: %x after %x, %v", again, wrapped, err)
	}
	refused := func(what string, by hsm.Token, label string, wrapped, aad []byte) {
		t.Helper()
		_, err := by.Unwrap(t.Context(), label, wrapped, aad)
		wantFault(t, what, err, fault.Corrupt, "")
	}
	refused("other data", token, "seal", wrapped, []byte("deployment 2"))
	refused("no data", token, "seal", wrapped, nil)
	refused("another label", token, "seal 2", wrapped, aad)
	refused("another token", other, "seal", wrapped, aad)
	refused("nothing", token, "seal", nil, aad)
	for i := range wrapped {
		changed := bytes.Clone(wrapped)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), token, "seal", changed, aad)
	}
	for n := range wrapped {
		refused(fmt.Sprintf("cut off after %d", n), token, "seal", wrapped[:n], aad)
	}
	if _, err := token.Wrap(t.Context(), "seal", nil, nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

// TestAway: while the token is away every call says so, and it comes back by itself.
func TestAway(t *testing.T) {
	token := mustOpen(t, hsmtest.Config(t))
	mustGenerate(t, token, "k", hsm.Kind{Curve: "P-256"})
	wrapped, err := token.Wrap(t.Context(), "seal", []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string]func() error{
		"sign":    func() error { _, err := token.Sign(t.Context(), []byte("k"), hsm.ECDSA, make([]byte, 32)); return err },
		"public":  func() error { _, err := token.Public(t.Context(), []byte("k")); return err },
		"export":  func() error { _, err := token.Export(t.Context(), []byte("k"), "backups"); return err },
		"wrap":    func() error { _, err := token.Wrap(t.Context(), "seal", []byte("x"), nil); return err },
		"unwrap":  func() error { _, err := token.Unwrap(t.Context(), "seal", wrapped, nil); return err },
		"destroy": func() error { return token.Destroy(t.Context(), []byte("nothing")) },
		"generate": func() error {
			_, err := token.Generate(t.Context(), []byte("k2"), "k2", hsm.Kind{Curve: "P-256"})
			return err
		},
	}
	back := hsmtest.Remove(t)
	for range 2 {
		for what, use := range uses {
			wantFault(t, what+" while away", use(), fault.Unavailable, "")
		}
	}
	back()
	await(t, func() error { return token.Check(t.Context()) })
	for what, use := range uses {
		if err := use(); err != nil {
			t.Errorf("%s after it came back: %v", what, err)
		}
	}
}

// await asks until there is no error: a second passes between two attempts to reach a token.
func await(t *testing.T, ask func() error) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) || !fault.Is(err, fault.Unavailable) {
			t.Fatalf("it did not come back: %v", err)
		}
	}
}

// TestPIN: a wrong PIN is sent once, and the right one as soon as it is written down.
func TestPIN(t *testing.T) {
	c := hsmtest.Config(t)
	if err := os.WriteFile(c.PINFile, []byte("0000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token := mustOpen(t, c)
	for range 20 { // a real token would be locked by now
		wantFault(t, "wrong PIN", token.Check(t.Context()), fault.Unavailable, hsm.ReasonPIN)
	}
	if err := os.WriteFile(c.PINFile, []byte(hsmtest.PIN), 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, func() error { return token.Check(t.Context()) })
}

func TestSetup(t *testing.T) {
	c := hsmtest.Config(t)
	for what, change := range map[string]func(*hsm.Config){
		"no module": func(c *hsm.Config) { c.Module = "" }, "no label": func(c *hsm.Config) { c.Label = "" }, "no PIN": func(c *hsm.Config) { c.PINFile = "" },
		"missing module": func(c *hsm.Config) { c.Module = "/nowhere/lib.so" }, "no library": func(c *hsm.Config) { c.Module = c.PINFile },
	} {
		changed := c
		change(&changed)
		_, err := hsm.Open(changed)
		wantFault(t, what, err, fault.Invalid, hsm.ReasonSetup)
	}
	missing := c
	missing.PINFile += ".missing"
	wantFault(t, "PIN file", mustOpen(t, missing).Check(t.Context()), fault.Unavailable, hsm.ReasonSetup)
	missing = c
	missing.Label = "nobody's"
	wantFault(t, "label", mustOpen(t, missing).Check(t.Context()), fault.Unavailable, "")
	if model, err := mustOpen(t, c).Model(t.Context()); err != nil || model != "SoftHSM v2" {
		t.Errorf("model %q, %v", model, err)
	}
}

// TestMany: more callers than sessions wait for their turn, or leave when their time is over.
func TestMany(t *testing.T) {
	c := hsmtest.Config(t)
	c.Sessions = 2
	token := mustOpen(t, c)
	mustGenerate(t, token, "k", hsm.Kind{Curve: "P-256"})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if _, err := token.Sign(t.Context(), []byte("k"), hsm.ECDSA, make([]byte, 32)); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := token.Sign(ended, []byte("k"), hsm.ECDSA, make([]byte, 32)); err != context.Canceled && err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
