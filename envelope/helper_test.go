package envelope

import (
	"bytes"
	"io"
	mathrand "math/rand/v2"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

// small are parameters that make many segments and key changes of few bytes.
var small = params{segment: 64, rotation: 2}

func mustKey(t testing.TB, b []byte) Key {
	t.Helper()
	k, err := KeyFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSeal(t testing.TB, k Key, aad, plain []byte, p params) []byte {
	t.Helper()
	sealed, err := seal(nil, k, aad, plain, p)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// noise returns n bytes that differ from segment to segment.
func noise(n int) []byte {
	b := make([]byte, n)
	r := mathrand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	r.Read(b)
	return b
}

// openers are the three ways to all of the plaintext. They must agree on every input.
var openers = map[string]func(k Key, aad, sealed []byte, rotation uint) ([]byte, error){
	"Open": func(k Key, aad, sealed []byte, rotation uint) ([]byte, error) {
		return open(nil, k, aad, sealed, rotation)
	},
	"Reader": func(k Key, aad, sealed []byte, rotation uint) ([]byte, error) {
		r, err := newReader(bytes.NewReader(sealed), k, aad, rotation)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	},
	"WriteTo": func(k Key, aad, sealed []byte, rotation uint) ([]byte, error) {
		r, err := newReader(bytes.NewReader(sealed), k, aad, rotation)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		_, err = r.WriteTo(&b)
		return b.Bytes(), err
	},
	"Random": func(k Key, aad, sealed []byte, rotation uint) ([]byte, error) {
		r, err := newRandom(bytes.NewReader(sealed), int64(len(sealed)), k, aad, rotation)
		if err != nil {
			return nil, err
		}
		b := make([]byte, r.Size())
		_, err = r.ReadAt(b, 0)
		return b, err
	},
	"Cursor": func(k Key, aad, sealed []byte, rotation uint) ([]byte, error) {
		r, err := newRandom(bytes.NewReader(sealed), int64(len(sealed)), k, aad, rotation)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r.Cursor())
	},
}

func wantOpens(t *testing.T, k Key, aad, sealed, plain []byte, rotation uint) {
	t.Helper()
	for name, open := range openers {
		got, err := open(k, aad, sealed, rotation)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %d bytes, error %v; want %d bytes", name, len(got), err, len(plain))
		}
	}
}

// wantCorrupt checks that nothing opens sealed to its end, and that what a stream gave
// before it noticed is a part of plain.
func wantCorrupt(t *testing.T, what string, k Key, aad, sealed, plain []byte, rotation uint) {
	t.Helper()
	for name, open := range openers {
		got, err := open(k, aad, sealed, rotation)
		if !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s: %s: error %v, want fault.Corrupt", what, name, err)
		}
		streams := name != "Open" && name != "Random"
		if streams && !bytes.HasPrefix(plain, got) || name == "Open" && got != nil {
			t.Errorf("%s: %s: gave out %d bytes that were not sealed", what, name, len(got))
		}
	}
}

func mustRandom(t testing.TB, k Key, aad, sealed []byte, rotation uint) *Random {
	t.Helper()
	r, err := newRandom(bytes.NewReader(sealed), int64(len(sealed)), k, aad, rotation)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
