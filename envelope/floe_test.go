package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The known-answer vectors, made by three other implementations.
func TestKnownAnswers(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/floe/*_ct.txt")
	if len(files) < 8 {
		t.Fatalf("found %d vectors in testdata/floe, want 8", len(files))
	}
	zero, aad := mustKey(t, make([]byte, KeySize)), []byte("This is AAD")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			sealed := mustHex(t, file)
			plain := mustHex(t, strings.Replace(file, "_ct", "_pt", 1))
			bits := uint(rotation)
			if strings.Contains(file, "rotation") {
				bits = 2
			}
			wantOpens(t, zero, aad, sealed, plain, bits)
			wantCorrupt(t, "other associated data", zero, []byte("this is AAD"), sealed, plain, bits)
			wantCorrupt(t, "other key", NewKey(), aad, sealed, plain, bits)
			if bits == 2 {
				wantCorrupt(t, "other rotation", zero, aad, sealed, plain, rotation)
			}
			if got, err := reference(make([]byte, KeySize), aad, sealed, bits); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("the reference in this test does not open it: %v", err)
			}
		})
	}
}

func mustHex(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What we seal, an implementation written from the specification alone opens.
func TestReferenceOpens(t *testing.T) {
	t.Parallel()
	raw := noise(KeySize)
	k := mustKey(t, raw)
	for _, p := range []params{content, wrapping, small, {segment: minSegment, rotation: 1}} {
		for _, n := range []int{0, 1, 31, 32, 33, 64, 500} {
			plain, aad := noise(n), Bind("test 1", fmt.Sprint(n))
			got, err := reference(raw, aad, mustSeal(t, k, aad, plain, p), p.rotation)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%+v, %d bytes: the reference gives %d bytes, error %v", p, n, len(got), err)
			}
		}
	}
}

// reference opens a FLOE message the slow and plain way, function for function as the
// specification has them.
func reference(key, aad, sealed []byte, rotation uint) ([]byte, error) {
	segment := int(binary.BigEndian.Uint32(sealed[2:6]))
	encoded := append([]byte{0, 0}, i2be(uint64(segment), 4)...)
	encoded = append(encoded, i2be(32, 4)...)
	if !bytes.Equal(encoded, sealed[:10]) {
		return nil, errors.New("parameters")
	}
	iv, tag := sealed[10:42], sealed[42:74]
	kdf := func(key []byte, purpose string, n int) []byte {
		info := string(encoded) + string(iv) + purpose + string(aad)
		out, err := hkdf.Expand(sha512.New384, key, info, n)
		if err != nil {
			panic(err)
		}
		return out
	}
	if !bytes.Equal(kdf(key, "HEADER_TAG:", 32), tag) {
		return nil, errors.New("header tag")
	}
	messageKey := kdf(key, "MESSAGE_KEY:", 48)

	var plain []byte
	body := sealed[74:]
	for position := uint64(0); ; position++ {
		final := binary.BigEndian.Uint32(body) != 0xFFFFFFFF
		n, tail := segment, byte(0)
		if final {
			n, tail = int(binary.BigEndian.Uint32(body)), 1
		}
		if n > len(body) || final && n != len(body) {
			return nil, errors.New("length")
		}
		masked := position &^ (1<<rotation - 1)
		block, err := aes.NewCipher(kdf(messageKey, "DEK:"+string(i2be(masked, 8)), 32))
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		part, err := aead.Open(nil, nil, body[4:n], append(i2be(position, 8), tail))
		if err != nil {
			return nil, err
		}
		plain, body = append(plain, part...), body[n:]
		if final {
			return plain, nil
		}
	}
}

func i2be(v uint64, n int) []byte { return binary.BigEndian.AppendUint64(nil, v)[8-n:] }
