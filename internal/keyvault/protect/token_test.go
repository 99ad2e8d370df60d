//go:build pkcs11

package protect_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A shelf is a Token protector over SoftHSM, and what it reserved.
type shelf struct {
	*protect.Token
	token hsm.Token

	mu       sync.Mutex
	reserved [][]byte
	full     bool
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	c := hsmtest.Config(t)
	token, err := hsm.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &shelf{token: token}
	if s.Token, err = protect.NewToken(protect.TokenConfig{Token: token, Label: c.Label, Reserve: s.reserve}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shelf) reserve(_ context.Context, _ protect.ID, handle []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("the disk is full")
	}
	s.reserved = append(s.reserved, handle)
	return nil
}

// specs are all kinds of keys that this program may use.
func specs() []protect.Spec {
	list := []protect.Spec{
		rsa2048, {Type: protect.RSA, Bits: 3072},
		{Type: protect.EC, Curve: "P-256"}, {Type: protect.EC, Curve: "P-384"}, {Type: protect.EC, Curve: "P-521"},
	}
	if !fips140.Enforced() {
		list = append(list, protect.Spec{Type: protect.EC, Curve: protect.P256K})
	}
	return list
}

func idOf(spec protect.Spec) protect.ID {
	return protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: fmt.Sprint(spec.Bits, spec.Curve)}
}

func algorithms() []protect.Algorithm {
	if fips140.Enforced() {
		return []protect.Algorithm{protect.OAEP256}
	}
	return []protect.Algorithm{protect.OAEP256, protect.OAEP, protect.PKCS1}
}

var signatures = []protect.SignatureAlgorithm{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K"}

// wantUsable has a key pair do all that its kind does, judged by the standard library.
func wantUsable(t *testing.T, p protect.Protector, id protect.ID, spec protect.Spec, handle []byte, pub any) {
	t.Helper()
	if public, ok := pub.(*rsa.PublicKey); ok {
		for _, alg := range algorithms() {
			for _, n := range []int{0, 1, public.Size() - alg.Overhead()} {
				message := make([]byte, n)
				rand.Read(message)
				sealed, err := protect.Encrypt(public, alg, message)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := p.Decrypt(t.Context(), id, handle, alg, sealed); err != nil || !bytes.Equal(got, message) {
					t.Errorf("%v %s: %d bytes become %d, %v", spec, alg, n, len(got), err)
				}
			}
		}
	}
	for _, alg := range signatures {
		digest := make([]byte, alg.DigestSize())
		rand.Read(digest)
		signature, err := p.Sign(t.Context(), id, handle, alg, digest)
		if !alg.Fits(spec.Type, spec.Curve) {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v signs with %s: %v", spec, alg, err)
			}
			continue
		}
		if valid, err2 := protect.Verify(pub, alg, digest, signature); err != nil || err2 != nil || !valid {
			t.Errorf("%v %s: %t, %v, %v", spec, alg, valid, err, err2)
		}
	}
}

// TestToken: a token makes keys of every kind, which do what keys in software do.
func TestToken(t *testing.T) {
	s := newShelf(t)
	for _, spec := range specs() {
		id := idOf(spec)
		handle, pub, err := s.Generate(t.Context(), id, spec)
		if err != nil {
			t.Fatal(err)
		}
		if last := s.reserved[len(s.reserved)-1]; !bytes.Equal(last, handle) {
			t.Errorf("%v: the handle %x was not reserved", spec, handle)
		}
		wantUsable(t, s, id, spec, handle, pub)
		s.Forget(id)
		if again, err := s.Public(t.Context(), id, handle); err != nil || !pub.(interface{ Equal(crypto.PublicKey) bool }).Equal(again) {
			t.Errorf("%v: the public half: %v", spec, err)
		}
	}
	if !strings.HasPrefix(s.Name(), protect.TokenPrefix) {
		t.Errorf("name %q", s.Name())
	}
	if _, _, err := s.Generate(t.Context(), id, protect.Spec{Type: protect.RSA, Bits: 1024}); !fault.Is(err, fault.Invalid) {
		t.Errorf("1024 bits: %v", err)
	}
}

// TestTokenReserves: what cannot be reserved is not made.
func TestTokenReserves(t *testing.T) {
	s := newShelf(t)
	s.full = true
	if handle, _, err := s.Generate(t.Context(), id, protect.Spec{Type: protect.EC, Curve: "P-256"}); err == nil {
		t.Errorf("made %x", handle)
	}
}

// TestTokenHandleIsBound: a handle names a key for the id that it was made with.
func TestTokenHandleIsBound(t *testing.T) {
	s := newShelf(t)
	handle, _, err := s.Generate(t.Context(), id, protect.Spec{Type: protect.EC, Curve: "P-256"})
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(handle)
	changed[9] ^= 1
	for what, use := range map[string]struct {
		id     protect.ID
		handle []byte
	}{
		"tenant": {protect.ID{Tenant: "u", Vault: "v", Key: "k", Version: "1"}, handle}, "vault": {protect.ID{Tenant: "t", Vault: "w", Key: "k", Version: "1"}, handle},
		"key": {protect.ID{Tenant: "t", Vault: "v", Key: "l", Version: "1"}, handle}, "version": {protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: "2"}, handle},
		"handle": {id, changed}, "no handle": {id, nil}, "short": {id, handle[:16]}, "layout": {id, append([]byte{2}, handle[1:]...)},
	} {
		if _, err := s.Public(t.Context(), use.id, use.handle); !fault.Is(err, fault.Corrupt) {
			t.Errorf("another %s: public half, %v", what, err)
		}
		if _, err := s.Sign(t.Context(), use.id, use.handle, "ES256", make([]byte, 32)); !fault.Is(err, fault.Corrupt) {
			t.Errorf("another %s: signs, %v", what, err)
		}
	}
}

// TestTokenImport: keys from outside work in the token.
func TestTokenImport(t *testing.T) {
	s := newShelf(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := rsaJWK(key).Pair()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the pair is not used up
		handle, pub, err := s.Import(t.Context(), id, pair)
		if err != nil || !key.PublicKey.Equal(pub) {
			t.Fatal(err)
		}
		s.Forget(id)
		wantUsable(t, s, id, rsa2048, handle, pub)
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		spec := protect.Spec{Type: protect.EC, Curve: curve.Params().Name}
		pair, err := ecJWK(t, curve).Pair()
		if err != nil {
			t.Fatal(err)
		}
		handle, pub, err := s.Import(t.Context(), idOf(spec), pair)
		if err != nil {
			t.Fatal(err)
		}
		wantUsable(t, s, idOf(spec), spec, handle, pub)
	}
}

// TestTokenExport: a private half comes back from a backup into the token that made it, into no
// other, and as nothing else than it was (KV-70, KV-72).
func TestTokenExport(t *testing.T) {
	s, other, software, under := newShelf(t), newShelf(t), mustSoftware(t, envelope.NewKey(), 0), envelope.NewKey()
	for _, spec := range specs() {
		if spec.Bits > 2048 {
			continue
		}
		id := idOf(spec)
		handle, pub, err := s.Generate(t.Context(), id, spec)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := s.Export(t.Context(), id, handle, under)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Destroy(t.Context(), id, handle); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(t.Context(), id, handle, signatures[0], make([]byte, 32)); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%v: used after it was destroyed: %v", spec, err)
		}
		elsewhere := id
		elsewhere.Vault = "another"
		handle, got, err := s.Adopt(t.Context(), elsewhere, spec, under, sealed)
		if err != nil || !pub.(interface{ Equal(crypto.PublicKey) bool }).Equal(got) {
			t.Fatal(spec, err)
		}
		wantUsable(t, s, elsewhere, spec, handle, pub)
		refused := func(what string, p protect.Protector, id protect.ID, spec protect.Spec, from envelope.Key, sealed []byte) {
			t.Helper()
			if _, _, err := p.Adopt(t.Context(), id, spec, from, sealed); !fault.Is(err, fault.Corrupt) {
				t.Errorf("%v, %s: %v", spec, what, err)
			}
		}
		refused("another token", other, id, spec, under, sealed)
		refused("software", software, id, spec, under, sealed)
		refused("another key", s, id, spec, envelope.NewKey(), sealed)
		refused("another version", s, protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: "2"}, spec, under, sealed)
		refused("another kind", s, id, protect.Spec{Type: protect.RSA, Bits: 3072}, under, sealed)
		refused("no kind", s, id, protect.Spec{}, under, sealed)
		for what, plain := range map[string][]byte{"nothing": nil, "layout": {1, 0, 0}, "short": {2, 0, 9, 1}, "no key": {2, 0, 0}} {
			bad, err := envelope.Seal(nil, under, envelope.Bind("exported private key 1", id.Tenant, id.Key, id.Version), plain)
			if err != nil {
				t.Fatal(err)
			}
			refused(what, s, id, spec, under, bad)
		}
	}
}

// TestTokenExportOfAnother: the private half of one key under the public half of another is
// noticed, although whoever sealed it had the right key.
func TestTokenExportOfAnother(t *testing.T) {
	s, under := newShelf(t), envelope.NewKey()
	spec := protect.Spec{Type: protect.EC, Curve: "P-256"}
	var plain [2][]byte
	for i := range plain {
		id := protect.ID{Tenant: "t", Vault: "v", Key: "k", Version: fmt.Sprint(i)}
		handle, _, err := s.Generate(t.Context(), id, spec)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := s.Export(t.Context(), id, handle, under)
		if err != nil {
			t.Fatal(err)
		}
		if plain[i], err = envelope.Open(nil, under, envelope.Bind("exported private key 1", "t", "k", id.Version), sealed); err != nil {
			t.Fatal(err)
		}
	}
	const public = 3 + 91 // of P-256
	mixed, err := envelope.Seal(nil, under, envelope.Bind("exported private key 1", "t", "k", "1"), append(plain[0][:public:public], plain[1][public:]...))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Adopt(t.Context(), id, spec, under, mixed); !fault.Is(err, fault.Corrupt) {
		t.Errorf("adopted: %v", err)
	}
}

// TestTokenPadding is TestPadding for padding that is taken off outside of the token, or by it.
func TestTokenPadding(t *testing.T) {
	s := newShelf(t)
	handle, pub, err := s.Generate(t.Context(), id, rsa2048)
	if err != nil {
		t.Fatal(err)
	}
	checkPadding(t, pub.(*rsa.PublicKey), func(ctx context.Context, alg protect.Algorithm, ciphertext []byte) ([]byte, error) {
		return s.Decrypt(ctx, id, handle, alg, ciphertext)
	})
	curve := idOf(protect.Spec{Curve: "P-256"})
	handle, _, err = s.Generate(t.Context(), curve, protect.Spec{Type: protect.EC, Curve: "P-256"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decrypt(t.Context(), curve, handle, protect.OAEP256, make([]byte, 256)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a curve decrypts: %v", err)
	}
}

// BenchmarkToken is what unwrapping costs through the protector, beside what the token alone
// takes for the RSA permutation.
func BenchmarkToken(b *testing.B) {
	s := newShelf(b)
	handle, pub, err := s.Generate(b.Context(), id, rsa2048)
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := protect.Encrypt(pub.(*rsa.PublicKey), protect.OAEP256, []byte("key"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.token.Generate(b.Context(), []byte("bare"), "bare", hsm.Kind{Bits: 2048}); err != nil {
		b.Fatal(err)
	}
	small := make([]byte, 256)
	small[255] = 2
	b.Run("protector", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Decrypt(b.Context(), id, handle, protect.OAEP256, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("token", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.token.Decrypt(b.Context(), []byte("bare"), hsm.RawRSA, small); err != nil {
				b.Fatal(err)
			}
		}
	})
}
