package envelope

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

// Every key below the roots is AES-256 (CK-18).
func TestKeyFromBytes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 31, 33, 64} {
		if k, err := KeyFromBytes(make([]byte, n)); !fault.Is(err, fault.Invalid) || !k.IsZero() {
			t.Errorf("%d bytes: error %v, want fault.Invalid", n, err)
		}
	}
	raw := noise(KeySize)
	k := mustKey(t, raw)
	raw[0] ^= 1
	if got := k.Expose(); got[0] != raw[0]^1 {
		t.Error("the key shares memory with what it was made from")
	}
	k.Expose()[0] ^= 1
	if got := k.Expose(); got[0] != raw[0]^1 {
		t.Error("Expose gives the bytes themselves, not a copy")
	}
}

func TestKeyEqual(t *testing.T) {
	t.Parallel()
	a, b := NewKey(), NewKey()
	if a.Equal(b) || a.Equal(Key{}) || (Key{}).Equal(a) || (Key{}).Equal(Key{}) {
		t.Error("keys are equal that are not")
	}
	if !a.Equal(a) || !a.Equal(mustKey(t, a.Expose())) {
		t.Error("equal keys are not")
	}
	if cmp.Diff(struct{ K Key }{a}, struct{ K Key }{mustKey(t, a.Expose())}) != "" {
		t.Error("go-cmp does not use Equal")
	}
}

// Every use of a key without bytes is refused, and says why.
func TestKeyWithoutBytes(t *testing.T) {
	t.Parallel()
	good, gone := NewKey(), NewKey()
	sealed, wrapped := mustSeal(t, good, nil, noise(100), content), mustSeal(t, good, nil, noise(KeySize), wrapping)
	copied := gone
	gone.Destroy()
	gone.Destroy()
	Key{}.Destroy()
	for _, tt := range []struct {
		name string
		key  Key
		code fault.Code
	}{{"zero", Key{}, fault.Internal}, {"destroyed", copied, fault.Unavailable}} {
		k := tt.key
		if !k.IsZero() || k.Expose() != nil || k.Commit(nil) != nil || !k.Derive("x").IsZero() || k.VerifyCommit(nil, nil) {
			t.Errorf("%s: gives something out", tt.name)
		}
		for what, do := range map[string]func() error{
			"Seal":       func() error { _, err := Seal(nil, k, nil, nil); return err },
			"Open":       func() error { _, err := Open(nil, k, nil, sealed); return err },
			"WrapKey":    func() error { _, err := WrapKey(good, k, nil); return err },
			"WrapKey in": func() error { _, err := WrapKey(k, good, nil); return err },
			"UnwrapKey":  func() error { _, err := UnwrapKey(k, wrapped, nil); return err },
			"NewWriter":  func() error { _, err := NewWriter(io.Discard, k, nil); return err },
			"NewReader":  func() error { _, err := NewReader(bytes.NewReader(sealed), k, nil); return err },
			"NewRandom": func() error {
				_, err := NewRandom(bytes.NewReader(sealed), int64(len(sealed)), k, nil)
				return err
			},
		} {
			if err := do(); !fault.Is(err, tt.code) {
				t.Errorf("%s: %s: error %v, want %s", tt.name, what, err, tt.code)
			}
		}
	}
}

// What held secret bytes is overwritten when it is given back. Not parallel: another test
// could take the buffers.
func TestSecretsAreOverwritten(t *testing.T) {
	k := mustKey(t, noise(KeySize))
	e, err := k.expander()
	if err != nil {
		t.Fatal(err)
	}
	out := e.expand()
	e.release()
	if !bytes.Equal(out, make([]byte, len(out))) {
		t.Error("a derived key is left in the expander")
	}
	k.Destroy()
	if s := k.s(); s.bytes != [KeySize]byte{} || s.expanders.Get() != nil {
		t.Error("Destroy leaves the bytes, or a state keyed with them")
	}
	for _, n := range []int{1, pooledSize, maxSegment} {
		b := newBuffer(n)
		secret := b()
		copy(secret, noise(n))
		b.free(n)
		if !bytes.Equal(secret[:n], make([]byte, n)) {
			t.Errorf("a buffer of %d bytes keeps its plaintext", n)
		}
	}
}

// The same for the buffers of streams, whichever way they end. They are the test's own, as
// those of the pool may have held sealed bytes before.
func TestStreamsOverwritePlaintext(t *testing.T) {
	k := NewKey()
	for _, n := range []int{1, 100, 65504, 65505, 200000} {
		plain := noise(n)
		sealed := mustSeal(t, k, nil, plain, content)
		for what, do := range map[string]func() (buffer, error){
			"Write": func() (buffer, error) {
				w, err := NewWriter(io.Discard, k, nil)
				if err != nil {
					return nil, err
				}
				w.plain = makeBuffer(pooledSize)
				b := w.plain
				w.Write(plain[:n/2])
				w.Write(plain[n/2:])
				return b, w.Close()
			},
			"ReadFrom": func() (buffer, error) {
				w, err := NewWriter(io.Discard, k, nil)
				if err != nil {
					return nil, err
				}
				w.plain = makeBuffer(pooledSize)
				b := w.plain
				w.ReadFrom(bytes.NewReader(plain))
				return b, w.Close()
			},
			"Read": func() (buffer, error) {
				r, err := NewReader(bytes.NewReader(sealed), k, nil)
				if err != nil {
					return nil, err
				}
				r.plain, r.sealed = makeBuffer(pooledSize), newBuffer(0)
				b := r.plain
				_, err = io.Copy(io.Discard, r)
				return b, err
			},
			"Read, cut off": func() (buffer, error) {
				r, err := NewReader(bytes.NewReader(append(sealed[:len(sealed):len(sealed)], 0)), k, nil)
				if err != nil {
					return nil, err
				}
				r.plain, r.sealed = makeBuffer(pooledSize), newBuffer(0)
				b := r.plain
				if _, err = io.Copy(io.Discard, r); IsCorrupt(err) {
					err = nil
				}
				return b, err
			},
		} {
			b, err := do()
			if err != nil {
				t.Fatal(err)
			}
			if left := bytes.Trim(b(), "\x00"); len(left) > 0 {
				t.Errorf("%s of %d bytes leaves %d bytes in the buffer", what, n, len(left))
			}
		}
	}
}

// A stream that is open when its key is destroyed goes on to its end.
func TestDestroyLeavesOpenStreams(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(1000)
	again := mustKey(t, k.Expose())
	var sealed bytes.Buffer
	w, err := newWriter(&sealed, k, nil, small)
	if err != nil {
		t.Fatal(err)
	}
	k.Destroy()
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantOpens(t, again, nil, sealed.Bytes(), plain, small.rotation)
}

// Run with -race: a key may be destroyed while others use it.
func TestDestroyWhileInUse(t *testing.T) {
	t.Parallel()
	k := NewKey()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				sealed, err := Seal(nil, k, nil, []byte("x"))
				if fault.Is(err, fault.Unavailable) {
					return
				}
				if err == nil {
					_, err = Open(nil, k, nil, sealed)
				}
				if err != nil && !fault.Is(err, fault.Unavailable) {
					t.Errorf("sealing while the key is destroyed: %v", err)
					return
				}
			}
		})
	}
	for range 100 {
		k.Derive("x")
		k.Expose()
	}
	k.Destroy()
	wg.Wait()
}

// Whatever prints, logs or marshals a key, or a thing that holds one, shows no byte of it.
func TestKeyCannotBePrinted(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte{0xDE, 0xAD, 0xBE, 0xEF}, KeySize/4)
	k := mustKey(t, raw)
	type public struct{ K Key }
	type private struct{ k Key }
	type deep struct {
		m map[string]*private
		l []any
	}
	things := map[string]any{
		"key": k, "pointer": &k, "slice": []Key{k}, "map": map[string]Key{"k": k},
		"public": public{k}, "public pointer": &public{k}, "private": private{k}, "private pointer": &private{k},
		"deep": deep{map[string]*private{"x": {k}}, []any{k, &k, private{k}}},
	}
	for verb := rune('A'); verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "# 40.20"} {
			format := "%" + flags + string(verb)
			for name, thing := range things {
				wantNoTrace(t, format+" of "+name, fmt.Sprintf(format, thing), raw)
			}
			if got := fmt.Sprintf(format, k); !strings.ContainsRune("Tpw", verb) && ('a' <= verb || verb <= 'Z') && got != redacted {
				t.Errorf("%s prints %q", format, got)
			}
		}
	}
	for name, thing := range things {
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "thing", thing)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "thing", thing)
		wantNoTrace(t, "slog of "+name, out.String(), raw)
	}
	for name, thing := range map[string]any{"key": k, "pointer": &k, "public": public{k}} {
		if out, err := json.Marshal(thing); err == nil {
			t.Errorf("json of %s: %s", name, out)
		}
		if out, err := xml.Marshal(thing); err == nil {
			t.Errorf("xml of %s: %s", name, out)
		}
		if err := gob.NewEncoder(io.Discard).Encode(thing); err == nil {
			t.Errorf("gob of %s works", name)
		}
	}
	if k.String() != redacted || k.GoString() != redacted {
		t.Error("String or GoString say something")
	}
}

// Streams hold plaintext and derived keys; printing them shows neither.
func TestStreamsCannotBePrinted(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), bytes.Repeat([]byte{0xDE, 0xAD, 0xBE, 0xEF}, 1000)
	sealed := mustSeal(t, k, nil, plain, content)
	// The sealed bytes are no secret, but long enough to hold anything by chance.
	src := bytes.NewReader(sealed)
	w, err := NewWriter(io.Discard, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(plain)
	r, err := NewReader(hiddenReader(src.Read), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(r, make([]byte, 10))
	random, err := NewRandom(hiddenReaderAt(src.ReadAt), int64(len(sealed)), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	cursor := random.Cursor()
	io.ReadFull(cursor, make([]byte, 10))
	for _, format := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		for _, thing := range []any{w, *w, r, *r, random, *random, cursor, *cursor} {
			out := fmt.Sprintf(format, thing)
			wantNoTrace(t, fmt.Sprintf("%s of %T", format, thing), out, plain)
			for _, m := range []*message{w.m, r.m, random.m} {
				wantNoTrace(t, fmt.Sprintf("%s of %T", format, thing), out, m.key()[:])
			}
		}
	}
}

type hiddenReader func([]byte) (int, error)

func (r hiddenReader) Read(p []byte) (int, error) { return r(p) }

type hiddenReaderAt func([]byte, int64) (int, error)

func (r hiddenReaderAt) ReadAt(p []byte, offset int64) (int, error) { return r(p, offset) }

// wantNoTrace checks that text does not hold the first four bytes of secret in any usual
// writing.
func wantNoTrace(t *testing.T, what, text string, secret []byte) {
	t.Helper()
	s := secret[:4]
	for _, trace := range []string{
		string(s),
		hex.EncodeToString(s), strings.ToUpper(hex.EncodeToString(s)),
		fmt.Sprintf("% x", s), fmt.Sprintf("% X", s),
		strings.Trim(fmt.Sprint(s), "[]"),
		fmt.Sprintf("%d, %d, %d", s[0], s[1], s[2]),
		fmt.Sprintf("0x%x, 0x%x, 0x%x", s[0], s[1], s[2]),
		fmt.Sprintf("%b %b %b", s[0], s[1], s[2]), fmt.Sprintf("%o %o %o", s[0], s[1], s[2]),
		base64.StdEncoding.EncodeToString(s), base64.URLEncoding.EncodeToString(s),
		strings.Trim(fmt.Sprintf("%q", s), `"`),
	} {
		if strings.Contains(text, trace) {
			t.Errorf("%s shows bytes: %.200q", what, text)
			return
		}
	}
}
