package protect_test

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"math/big"
	"slices"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A decrypter is what TestPadding holds to the rule.
type decrypter func(ctx context.Context, alg protect.Algorithm, ciphertext []byte) ([]byte, error)

// TestPadding: whatever is wrong with a ciphertext, the answer is the same (KV-48). A different
// one for a single case would let its sender decrypt by asking (Bleichenbacher, Manger).
func TestPadding(t *testing.T) {
	t.Parallel()
	s := mustSoftware(t, envelope.NewKey(), 0)
	handle, pub := mustGenerate(t, s, id, rsa2048)
	checkPadding(t, pub, func(ctx context.Context, alg protect.Algorithm, ciphertext []byte) ([]byte, error) {
		return s.Decrypt(ctx, id, handle, alg, ciphertext)
	})
}

func checkPadding(t *testing.T, pub *rsa.PublicKey, decrypt decrypter) {
	t.Helper()
	algorithms := map[protect.Algorithm]func() []padding{
		protect.OAEP256: func() []padding { return oaepCases(sha256.New) },
		protect.OAEP:    func() []padding { return oaepCases(sha1.New) },
		protect.PKCS1:   pkcs1Cases,
	}
	for alg, cases := range algorithms {
		if fips140.Enforced() && alg != protect.OAEP256 {
			continue
		}
		want := ""
		for _, c := range slices.Concat(cases(), foreignCases(pub)) {
			sealed := c.ciphertext
			if sealed == nil {
				sealed = raise(pub, c.encoded(pub.Size()))
			}
			plain, err := decrypt(t.Context(), alg, sealed)
			switch {
			case c.plain != nil:
				if err != nil || !bytes.Equal(plain, c.plain) {
					t.Errorf("%s, %s: %q, %v", alg, c.name, plain, err)
				}
			case err == nil:
				t.Errorf("%s, %s: decrypted to %d bytes", alg, c.name, len(plain))
			case want == "":
				want = err.Error()
			case err.Error() != want:
				t.Errorf("%s, %s: %q, others %q", alg, c.name, err, want)
			}
		}
	}
}

// A padding is a ciphertext made by hand, or what it shall decrypt to. plain is nil where it
// must be refused.
type padding struct {
	name       string
	ciphertext []byte
	encoded    func(size int) []byte
	plain      []byte
}

// raise is the bare RSA operation with the public key.
func raise(pub *rsa.PublicKey, encoded []byte) []byte {
	c := new(big.Int).Exp(new(big.Int).SetBytes(encoded), big.NewInt(int64(pub.E)), pub.N)
	return c.FillBytes(make([]byte, pub.Size()))
}

// foreignCases are wrong for every algorithm.
func foreignCases(pub *rsa.PublicKey) []padding {
	size := pub.Size()
	fill := func(n *big.Int) []byte { return n.FillBytes(make([]byte, size)) }
	less := new(big.Int).Sub(pub.N, big.NewInt(1))
	return []padding{
		{name: "empty", ciphertext: []byte{}},
		{name: "one byte", ciphertext: []byte{1}},
		{name: "one byte short", ciphertext: make([]byte, size-1)},
		{name: "one byte long", ciphertext: make([]byte, size+1)},
		{name: "twice as long", ciphertext: make([]byte, 2*size)},
		{name: "zero", ciphertext: make([]byte, size)},
		{name: "one", ciphertext: fill(big.NewInt(1))},
		{name: "modulus less one", ciphertext: fill(less)},
		{name: "modulus", ciphertext: fill(pub.N)},
		{name: "all ones", ciphertext: bytes.Repeat([]byte{0xff}, size)},
		{name: "two to the exponent", ciphertext: raise(pub, []byte{2})},
	}
}

// oaepCases are RFC 8017 section 7.1.1 with one thing wrong at a time.
func oaepCases(h func() hash.Hash) []padding {
	seed := bytes.Repeat([]byte{0x5a}, h().Size())
	empty := h().Sum(nil)
	message := []byte("a key of some length")
	of := func(name string, plain []byte, mgf func() hash.Hash, spoil func(db []byte, encoded *[]byte)) padding {
		return padding{name: name, plain: plain, encoded: func(size int) []byte {
			db := make([]byte, size-1-len(seed))
			copy(db, empty)
			db[len(db)-len(message)-1] = 1
			copy(db[len(db)-len(message):], message)
			var encoded []byte
			spoil(db, &encoded)
			if encoded != nil {
				return encoded
			}
			mask(db, seed, mgf)
			masked := slices.Clone(seed)
			mask(masked, db, mgf)
			return slices.Concat([]byte{0}, masked, db)
		}}
	}
	n := h().Size()
	last := func(db []byte) int { return len(db) - len(message) - 1 }
	cases := []padding{
		of("as it should be", message, h, func([]byte, *[]byte) {}),
		of("no message", []byte{}, h, func(db []byte, _ *[]byte) { clear(db[n:]); db[len(db)-1] = 1 }),
		of("another label", nil, h, func(db []byte, _ *[]byte) { sum := h(); sum.Write([]byte("label")); copy(db, sum.Sum(nil)) }),
		of("first bit of the label hash", nil, h, func(db []byte, _ *[]byte) { db[0] ^= 0x80 }),
		of("last bit of the label hash", nil, h, func(db []byte, _ *[]byte) { db[n-1] ^= 1 }),
		of("no label hash", nil, h, func(db []byte, _ *[]byte) { clear(db[:n]) }),
		of("no separator", nil, h, func(db []byte, _ *[]byte) { clear(db[n:]) }),
		of("separator 2", nil, h, func(db []byte, _ *[]byte) { db[last(db)] = 2 }),
		of("separator 0xff", nil, h, func(db []byte, _ *[]byte) { db[last(db)] = 0xff }),
		of("first byte of the padding", nil, h, func(db []byte, _ *[]byte) { db[n] = 2 }),
		of("last byte of the padding", nil, h, func(db []byte, _ *[]byte) { db[last(db)-1] = 0x80 }),
		of("mask by another hash", nil, sha512.New, func([]byte, *[]byte) {}),
		of("PKCS #1", nil, h, func(db []byte, encoded *[]byte) { *encoded = pkcs1(len(db)+1+n, 2, 8, message) }),
	}
	first := cases[0].encoded
	for _, b := range []byte{1, 2, 0x7f} { // what Manger's attack asks for
		cases = append(cases, padding{name: "first byte not zero", encoded: func(size int) []byte {
			encoded := first(size)
			encoded[0] = b
			return encoded
		}})
	}
	return cases
}

// mask is MGF1 (RFC 8017, B.2.1), xored into out.
func mask(out, seed []byte, h func() hash.Hash) {
	var stream []byte
	for counter := uint32(0); len(stream) < len(out); counter++ {
		sum := h()
		sum.Write(seed)
		sum.Write(binary.BigEndian.AppendUint32(nil, counter))
		stream = sum.Sum(stream)
	}
	for i := range out {
		out[i] ^= stream[i]
	}
}

// pkcs1 is RFC 8017 section 7.2.1 with a block type, and a zero after so many padding bytes
// that nothing but the message follows; least makes a longer message of it.
func pkcs1(size int, kind byte, least int, message []byte) []byte {
	encoded := bytes.Repeat([]byte{0xa7}, size)
	encoded[0], encoded[1] = 0, kind
	end := size - len(message) - 1
	if least < 8 {
		end = 2 + least
	}
	encoded[end] = 0
	copy(encoded[size-len(message):], message)
	return encoded
}

func pkcs1Cases() []padding {
	message := []byte("a key of some length")
	of := func(name string, kind byte, least int, spoil func([]byte)) padding {
		return padding{name: name, encoded: func(size int) []byte {
			encoded := pkcs1(size, kind, least, message)
			spoil(encoded)
			return encoded
		}}
	}
	as := func([]byte) {}
	good := of("as it should be", 2, 8, as)
	good.plain = message
	none := of("no message", 2, 8, func(e []byte) { fillFrom(e, 2); e[len(e)-1] = 0 })
	none.plain = []byte{}
	return []padding{
		good, none,
		of("block type 0", 0, 8, as),
		of("block type 1", 1, 8, as),
		of("block type 3", 3, 8, as),
		of("first byte 1", 2, 8, func(e []byte) { e[0] = 1 }),
		of("no padding", 2, 0, as),
		of("one byte of padding", 2, 1, as),
		of("seven bytes of padding", 2, 7, as),
		of("no end of the padding", 2, 8, func(e []byte) { fillFrom(e, 2) }),
		of("nothing but zeros", 2, 8, func(e []byte) { clear(e[2:]) }),
	}
}

func fillFrom(b []byte, start int) {
	for i := start; i < len(b); i++ {
		b[i] = 0xa7
	}
}
