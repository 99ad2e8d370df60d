package envelope

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/customerkey/customerkey/internal/fault"
	"pgregory.net/rapid"
)

// Any part read by offset is what the stream has there; errors are those of bytes.Reader.
func TestRandomLikeBytes(t *testing.T) {
	t.Parallel()
	k, aad := NewKey(), Bind("test 1")
	rapid.Check(t, func(t *rapid.T) {
		p := params{segment: rapid.IntRange(minSegment, 90).Draw(t, "segment"), rotation: 2}
		plain := noise(rapid.IntRange(0, 600).Draw(t, "size"))
		sealed, err := seal(nil, k, aad, plain, p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRandom(bytes.NewReader(sealed), int64(len(sealed)), k, aad, p.rotation)
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(len(plain)) {
			t.Fatalf("Size is %d, want %d", r.Size(), len(plain))
		}
		like := bytes.NewReader(plain)
		t.Repeat(map[string]func(*rapid.T){
			"read": func(t *rapid.T) {
				offset := rapid.Int64Range(0, int64(len(plain)+10)).Draw(t, "offset")
				got := make([]byte, rapid.IntRange(1, 700).Draw(t, "length"))
				want := make([]byte, len(got))
				n, err := r.ReadAt(got, offset)
				wantN, wantErr := like.ReadAt(want, offset)
				if n != wantN || err != wantErr || !bytes.Equal(got, want) {
					t.Fatalf("ReadAt(%d, %d) = %d, %v; want %d, %v", len(got), offset, n, err, wantN, wantErr)
				}
			},
		})
	})
}

// A Cursor moves and reads as bytes.Reader does, in any order.
func TestCursorLikeBytes(t *testing.T) {
	t.Parallel()
	k := NewKey()
	plain := noise(500)
	sealed := mustSeal(t, k, nil, plain, small)
	rapid.Check(t, func(t *rapid.T) {
		r, err := newRandom(bytes.NewReader(sealed), int64(len(sealed)), k, nil, small.rotation)
		if err != nil {
			t.Fatal(err)
		}
		c, like := r.Cursor(), bytes.NewReader(plain)
		t.Repeat(map[string]func(*rapid.T){
			"seek": func(t *rapid.T) {
				whence := rapid.IntRange(0, 2).Draw(t, "whence")
				offset := rapid.Int64Range(-600, 600).Draw(t, "offset")
				got, err := c.Seek(offset, whence)
				want, wantErr := like.Seek(offset, whence)
				if got != want || (err == nil) != (wantErr == nil) || err != nil && !fault.Is(err, fault.BadRange) {
					t.Fatalf("Seek(%d, %d) = %d, %v; want %d, %v", offset, whence, got, err, want, wantErr)
				}
			},
			"read": func(t *rapid.T) {
				got := make([]byte, rapid.IntRange(0, 100).Draw(t, "length"))
				n, err := io.ReadFull(c, got)
				want := make([]byte, len(got))
				wantN, wantErr := io.ReadFull(like, want)
				if n != wantN || err != wantErr || !bytes.Equal(got, want) {
					t.Fatalf("read %d bytes: %d, %v; want %d, %v", len(got), n, err, wantN, wantErr)
				}
			},
		})
	})
	if err := iotest.TestReader(mustRandom(t, k, nil, sealed, small.rotation).Cursor(), plain); err != nil {
		t.Error(err)
	}
	if err := iotest.TestReader(io.NewSectionReader(mustRandom(t, k, nil, sealed, small.rotation), 0, 500), plain); err != nil {
		t.Error(err)
	}
}

// Run with -race: one Random, many readers, across changes of the segment key.
func TestRandomConcurrently(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(5000)
	r := mustRandom(t, k, nil, mustSeal(t, k, nil, plain, small), small.rotation)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			got := make([]byte, 100)
			for j := range 200 {
				offset := (i*977 + j*131) % 4900
				if _, err := r.ReadAt(got, int64(offset)); err != nil || !bytes.Equal(got, plain[offset:offset+100]) {
					t.Errorf("at %d: error %v", offset, err)
					return
				}
			}
			if all, err := io.ReadAll(r.Cursor()); err != nil || !bytes.Equal(all, plain) {
				t.Errorf("a Cursor read %d bytes, error %v", len(all), err)
			}
		})
	}
	wg.Wait()
}

// Cut off content shows when it is opened; a change in the middle when it is read, and
// only there.
func TestRandomTampered(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(320)
	sealed := mustSeal(t, k, nil, plain, small)
	for n := range len(sealed) {
		for _, said := range []int{n, len(sealed), len(sealed) + 64} {
			if _, err := newRandom(bytes.NewReader(sealed[:n]), int64(said), k, nil, small.rotation); !fault.Is(err, fault.Corrupt) {
				t.Errorf("cut to %d bytes, said to be %d: error %v, want fault.Corrupt", n, said, err)
			}
		}
	}
	changed := bytes.Clone(sealed)
	changed[headerSize+3*64+20] ^= 1 // the fourth segment: plaintext 96 to 127
	r := mustRandom(t, k, nil, changed, small.rotation)
	got := make([]byte, 200)
	if n, err := r.ReadAt(got, 10); n != 86 || !fault.Is(err, fault.Corrupt) || !bytes.Equal(got[:n], plain[10:96]) {
		t.Errorf("across the change: %d bytes, error %v; want 86 and fault.Corrupt", n, err)
	}
	if !bytes.Equal(got[86:], make([]byte, 200-86)) {
		t.Error("bytes were left behind those that were authenticated")
	}
	if n, err := r.ReadAt(got[:100], 128); n != 100 || err != nil || !bytes.Equal(got[:100], plain[128:228]) {
		t.Errorf("behind the change: %d bytes, error %v", n, err)
	}
	c := r.Cursor()
	for range 2 {
		if _, err := c.Seek(70, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(got); n != 26 || err != nil || !bytes.Equal(got[:n], plain[70:96]) {
			t.Errorf("a Cursor before the changed segment: %d bytes, error %v", n, err)
		}
		if _, err := c.Seek(100, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(got); n != 0 || !fault.Is(err, fault.Corrupt) {
			t.Errorf("a Cursor in the changed segment: %d bytes, error %v", n, err)
		}
	}
	if _, err := r.ReadAt(got, -1); !fault.Is(err, fault.BadRange) {
		t.Errorf("a negative offset: error %v, want fault.BadRange", err)
	}
	if _, err := c.Seek(0, 3); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown whence: error %v, want fault.Invalid", err)
	}
}

// A source that shrinks after opening is corrupt; one that breaks is not.
func TestRandomBrokenSource(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(320)
	src := &changingReaderAt{b: mustSeal(t, k, nil, plain, small)}
	r, err := newRandom(src, int64(len(src.b)), k, nil, small.rotation)
	if err != nil {
		t.Fatal(err)
	}
	src.b = src.b[:200]
	if _, err := r.ReadAt(make([]byte, 10), 300); !fault.Is(err, fault.Corrupt) {
		t.Errorf("a source that was cut off: error %v, want fault.Corrupt", err)
	}
	src.err = errors.New("disk on fire")
	if _, err := r.ReadAt(make([]byte, 10), 300); !errors.Is(err, src.err) || IsCorrupt(err) {
		t.Errorf("a source that broke: error %v", err)
	}
	if _, err := NewRandom(src, 1000, k, nil); !errors.Is(err, src.err) || IsCorrupt(err) {
		t.Errorf("opening a source that broke: error %v", err)
	}
}

type changingReaderAt struct {
	b   []byte
	err error
}

func (r *changingReaderAt) ReadAt(p []byte, offset int64) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	return bytes.NewReader(r.b).ReadAt(p, offset)
}
