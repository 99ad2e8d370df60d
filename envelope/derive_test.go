package envelope

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"pgregory.net/rapid"
)

// Bind can be read back, so two lists never give the same bytes.
func TestBindIsInjective(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.String(), 1, 6).Draw(t, "list")
		list = append(list, string(make([]byte, rapid.SampledFrom([]int{0, 127, 128, 20000}).Draw(t, "long"))))
		b := Bind(list[0], list[1:]...)
		var back []string
		for len(b) > 0 {
			n, width := binary.Uvarint(b)
			if width <= 0 || uint64(len(b)-width) < n {
				t.Fatalf("%q: cannot be read back", list)
			}
			back = append(back, string(b[width:width+int(n)]))
			b = b[width+int(n):]
		}
		if !slices.Equal(list, back) {
			t.Fatalf("%q reads back as %q", list, back)
		}
	})
}

// The bytes of Bind are part of the format.
func TestBindBytes(t *testing.T) {
	t.Parallel()
	got := Bind("item 1", "", "ab")
	if want := []byte("\x06item 1\x00\x02ab"); !bytes.Equal(got, want) {
		t.Errorf("Bind = %x, want %x", got, want)
	}
}

// The kept HMAC gives what crypto/hkdf gives, in any order of use.
func TestExpanderIsHKDF(t *testing.T) {
	t.Parallel()
	raw := noise(KeySize)
	k := mustKey(t, raw)
	rapid.Check(t, func(t *rapid.T) {
		e, err := k.expander()
		if err != nil {
			t.Fatal(err)
		}
		defer e.release()
		for _, info := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 1, 4).Draw(t, "infos") {
			want, err := hkdf.Expand(sha512.New384, raw, string(info), 48)
			if err != nil {
				t.Fatal(err)
			}
			e.info = append(e.info[:0], info...)
			if got := e.expand(); !bytes.Equal(got, want) {
				t.Fatalf("info %x: %x, crypto/hkdf gives %x", info, got, want)
			}
		}
	})
}

// What Derive and Commit compute is part of the format: written out once more.
func TestDeriveAndCommitBytes(t *testing.T) {
	t.Parallel()
	raw := noise(KeySize)
	k := mustKey(t, raw)
	for range 2 { // fresh, then kept state
		want, _ := hkdf.Expand(sha512.New384, raw, "customerkey derive 1:\x06lease \x01a", 32)
		if got := k.Derive("lease ", "a").Expose(); !bytes.Equal(got, want) {
			t.Errorf("Derive = %x, want %x", got, want)
		}
		want, _ = hkdf.Expand(sha512.New384, raw, "customerkey commit 1:binding", 32)
		if got := k.Commit([]byte("binding")); !bytes.Equal(got, want) {
			t.Errorf("Commit = %x, want %x", got, want)
		}
	}
}

func TestDeriveSeparates(t *testing.T) {
	t.Parallel()
	k := NewKey()
	derived := []Key{k, k.Derive(""), k.Derive("", ""), k.Derive("a"), k.Derive("a", "b"), k.Derive("ab"), NewKey().Derive("a"), k.Derive("a").Derive("a")}
	for i, a := range derived {
		for j, b := range derived {
			if a.Equal(b) != (i == j) {
				t.Errorf("keys %d and %d: equal is %v", i, j, a.Equal(b))
			}
		}
	}
	if !k.Derive("a", "b").Equal(k.Derive("a", "b")) {
		t.Error("the same purpose gives two keys")
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	k, binding := NewKey(), Bind("policy key 1", "contoso", "generation")
	c := k.Commit(binding)
	if len(c) != CommitSize || !k.VerifyCommit(binding, c) {
		t.Fatalf("a commitment of %d bytes does not verify", len(c))
	}
	if NewKey().VerifyCommit(binding, c) || k.VerifyCommit(Bind("policy key 1", "fabrikam", "generation"), c) ||
		k.VerifyCommit(binding, nil) || k.VerifyCommit(binding, c[:31]) || k.VerifyCommit(binding, append(c, 0)) {
		t.Error("verifies what it should not")
	}
	for i := range c {
		c[i] ^= 1
		if k.VerifyCommit(binding, c) {
			t.Errorf("verifies with byte %d changed", i)
		}
		c[i] ^= 1
	}
}

func TestWrapKey(t *testing.T) {
	t.Parallel()
	kek, key, aad := NewKey(), NewKey(), Bind("item key 1", "contoso", "mail/alice", "1")
	wrapped, err := WrapKey(kek, key, aad)
	if err != nil || len(wrapped) != WrappedSize {
		t.Fatalf("%d bytes, error %v", len(wrapped), err)
	}
	if got, err := UnwrapKey(kek, wrapped, aad); err != nil || !got.Equal(key) {
		t.Fatalf("does not unwrap: %v", err)
	}
	again, _ := WrapKey(kek, key, aad)
	if bytes.Equal(wrapped, again) {
		t.Error("two wraps are the same bytes")
	}
	refused := func(what string, kek Key, wrapped, aad []byte) {
		t.Helper()
		if got, err := UnwrapKey(kek, wrapped, aad); !fault.Is(err, fault.Corrupt) || !got.IsZero() {
			t.Errorf("%s: error %v, want fault.Corrupt", what, err)
		}
	}
	refused("other kek", NewKey(), wrapped, aad)
	refused("other aad", kek, wrapped, Bind("item key 1", "contoso", "mail/alice", "2"))
	refused("nothing", kek, nil, aad)
	refused("longer", kek, append(bytes.Clone(wrapped), 0), aad)
	refused("shorter", kek, wrapped[:len(wrapped)-1], aad)
	refused("32 bytes of content", kek, mustSeal(t, kek, aad, noise(KeySize), content), aad)
	for i := range len(wrapped) * 8 {
		wrapped[i/8] ^= 1 << (i % 8)
		refused("a flipped bit", kek, wrapped, aad)
		wrapped[i/8] ^= 1 << (i % 8)
	}
}
