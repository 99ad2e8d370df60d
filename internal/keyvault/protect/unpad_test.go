package protect

import (
	"bytes"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"math/big"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// judge is the key by which the standard library is asked for its opinion.
var judge = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func mustJudge(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := judge()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// encrypted is the permutation of an encoded message: what a sender of anything could send.
func encrypted(key *rsa.PrivateKey, em []byte) []byte {
	m := new(big.Int).SetBytes(em)
	return m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
}

// masked is EME-OAEP of a data block, whatever that holds.
func masked(h hash.Hash, first byte, seed, db []byte) []byte {
	em := slices.Concat([]byte{first}, seed, db)
	unmask(em[1+len(seed):], seed, h)
	unmask(em[1:1+len(seed)], em[1+len(seed):], h)
	return em
}

// block is the data block of a message: the hash of no label, zeros, a one, the message.
func block(h hash.Hash, size int, message []byte) []byte {
	h.Reset()
	db := h.Sum(nil)
	db = append(db, make([]byte, size-1-h.Size()-len(db)-1-len(message))...)
	return append(append(db, 1), message...)
}

// TestUnpadOAEP: everything is judged as the standard library judges it, which sees it encrypted.
func TestUnpadOAEP(t *testing.T) {
	t.Parallel()
	key := mustJudge(t)
	hashes := map[string]func() hash.Hash{"SHA-256": sha256.New}
	if !fips140.Enforced() {
		hashes["SHA-1"] = sha1.New
	}
	for name, h := range hashes {
		check := func(t rapid.TB, what string, em []byte) {
			want, err := rsa.DecryptOAEP(h(), nil, key, encrypted(key, em), nil)
			got, ok := unpadOAEP(bytes.Clone(em), h())
			if ok != (err == nil) || !bytes.Equal(got, want) {
				t.Fatalf("%s, %s: %x, %t; want %x, %v", name, what, got, ok, want, err)
			}
		}
		size, seed := key.Size(), bytes.Repeat([]byte{7}, h().Size())
		n, whole := h().Size(), block(h(), size, []byte("message"))
		longest := block(h(), size, bytes.Repeat([]byte{1}, size-2*n-2))
		for what, db := range map[string][]byte{
			"good": whole, "no message": block(h(), size, nil), "longest": longest, "message of zeros": block(h(), size, make([]byte, 20)),
			"no one": append(whole[:n:n], make([]byte, len(whole)-n)...), "two before the one": with(whole, n+3, 2),
			"hash": with(whole, 0, whole[0]^1), "end of the hash": with(whole, n-1, whole[n-1]^1), "one at once": with(whole, n, 1),
		} {
			check(t, what, masked(h(), 0, seed, db))
			check(t, what+", first byte", masked(h(), 1, seed, db))
		}
		rapid.Check(t, func(r *rapid.T) {
			message := rapid.SliceOfN(rapid.Byte(), 0, size-2*n-2).Draw(r, "message")
			db := block(h(), size, message)
			for range rapid.IntRange(0, 2).Draw(r, "changes") {
				db[rapid.IntRange(0, len(db)-1).Draw(r, "at")] = rapid.SampledFrom([]byte{0, 1, 2, 0xff}).Draw(r, "byte")
			}
			em := masked(h(), 0, rapid.SliceOfN(rapid.Byte(), n, n).Draw(r, "seed"), db)
			if rapid.Bool().Draw(r, "spoil") {
				em[rapid.IntRange(0, size-1).Draw(r, "spoilt at")] ^= 1
			}
			check(r, fmt.Sprintf("data block %x", db), em)
		})
		for _, short := range [][]byte{nil, {0}, make([]byte, 2*n+1)} {
			if got, ok := unpadOAEP(short, h()); ok {
				t.Errorf("%s: %d bytes hold %x", name, len(short), got)
			}
		}
	}
}

// TestUnpadPKCS1 is TestUnpadOAEP for the older padding.
func TestUnpadPKCS1(t *testing.T) {
	t.Parallel()
	if fips140.Enforced() {
		t.Skip("the standard library does not judge PKCS #1 v1.5 here")
	}
	key := mustJudge(t)
	size := key.Size()
	check := func(t rapid.TB, em []byte) {
		want, err := rsa.DecryptPKCS1v15(nil, key, encrypted(key, em)) //nolint:staticcheck // what is tested judges alike
		got, ok := unpadPKCS1(bytes.Clone(em))
		if ok != (err == nil) || !bytes.Equal(got, want) {
			t.Fatalf("%x: %x, %t; want %x, %v", em, got, ok, want, err)
		}
	}
	pad := func(n int) []byte { return append([]byte{0, 2}, bytes.Repeat([]byte{0xaa}, n)...) }
	fill := func(em []byte) []byte { return append(em, bytes.Repeat([]byte{5}, size-len(em))...) }
	for _, em := range [][]byte{
		fill(append(pad(8), 0)), fill(append(pad(7), 0)), fill(append(pad(9), 0)), fill(append(pad(0), 0)), pad(size - 2),
		append(pad(size-3), 0), append(pad(size-4), 0, 0), with(fill(append(pad(8), 0)), 0, 1), with(fill(append(pad(8), 0)), 1, 1),
		with(fill(append(pad(8), 0)), 1, 0), with(fill(append(pad(8), 0)), 9, 0), make([]byte, size),
	} {
		check(t, em)
	}
	rapid.Check(t, func(r *rapid.T) {
		em := fill(append(pad(rapid.IntRange(0, size-3).Draw(r, "padding")), 0))
		for range rapid.IntRange(0, 2).Draw(r, "changes") {
			em[rapid.IntRange(0, size-1).Draw(r, "at")] = rapid.SampledFrom([]byte{0, 1, 2}).Draw(r, "byte")
		}
		check(r, em)
	})
	for _, short := range [][]byte{nil, {0, 2}, pad(8)} {
		if got, ok := unpadPKCS1(short); ok {
			t.Errorf("%x holds %x", short, got)
		}
	}
}

// with returns b with one byte changed.
func with(b []byte, at int, to byte) []byte {
	b = bytes.Clone(b)
	b[at] = to
	return b
}

// FuzzUnpad: nothing that a token returns makes it fail, and what comes out is a part of it.
func FuzzUnpad(f *testing.F) {
	h := sha256.New()
	f.Add(masked(h, 0, make([]byte, 32), block(h, 256, []byte("message"))))
	f.Add(append([]byte{0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0}, 'm'))
	f.Fuzz(func(t *testing.T, em []byte) {
		if message, ok := unpadOAEP(bytes.Clone(em), sha256.New()); ok && len(message) > len(em)-2*sha256.Size-2 {
			t.Errorf("OAEP: %x of %x", message, em)
		}
		if message, ok := unpadPKCS1(bytes.Clone(em)); ok && !bytes.HasSuffix(em, append([]byte{0}, message...)) {
			t.Errorf("PKCS #1: %x of %x", message, em)
		}
	})
}
