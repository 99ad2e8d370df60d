package envelope

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/customerkey/customerkey/internal/fault"
	"pgregory.net/rapid"
)

// Whatever way the bytes are handed to a Writer, the message is as if sealed at once.
func TestWriterLikeSeal(t *testing.T) {
	t.Parallel()
	k, aad := NewKey(), Bind("test 1")
	rapid.Check(t, func(t *rapid.T) {
		p := params{segment: rapid.IntRange(minSegment, 80).Draw(t, "segment"), rotation: 2}
		var plain, sealed bytes.Buffer
		w, err := newWriter(&sealed, k, aad, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 200), 0, 8).Draw(t, "chunks") {
			part := noise(n)
			plain.Write(part)
			var got int64
			if rapid.Bool().Draw(t, "copy") {
				got, err = io.Copy(w, iotest.HalfReader(bytes.NewReader(part)))
			} else {
				var n int
				n, err = w.Write(part)
				got = int64(n)
			}
			if err != nil || got != int64(n) {
				t.Fatalf("took %d bytes of %d, error %v", got, n, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := sealedSize(int64(plain.Len()), p.segment); int64(sealed.Len()) != want {
			t.Fatalf("%d bytes sealed to %d, at once it is %d", plain.Len(), sealed.Len(), want)
		}
		for name, open := range openers {
			got, err := open(k, aad, sealed.Bytes(), p.rotation)
			if err != nil || !bytes.Equal(got, plain.Bytes()) {
				t.Fatalf("%s: %d bytes, error %v; want %d", name, len(got), err, plain.Len())
			}
		}
	})
}

// Whatever way the source hands out its bytes, the Reader keeps the rules of io.Reader.
func TestReaderSources(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(1000)
	sealed := mustSeal(t, k, nil, plain, small)
	for name, source := range map[string]func(io.Reader) io.Reader{
		"one byte":   iotest.OneByteReader,
		"half":       iotest.HalfReader,
		"data + EOF": iotest.DataErrReader,
	} {
		r, err := newReader(source(bytes.NewReader(sealed)), k, nil, small.rotation)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, plain); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: behind the end: %d, %v", name, n, err)
		}
	}
}

// A source that breaks is not the same as bytes that do not open: the first may be tried
// again. This includes the io.ErrUnexpectedEOF of an HTTP body that was cut off.
func TestBrokenSource(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(200)
	sealed := mustSeal(t, k, nil, plain, small)
	for _, broken := range []error{errors.New("disk on fire"), io.ErrUnexpectedEOF} {
		for n := range len(sealed) {
			src := io.MultiReader(bytes.NewReader(sealed[:n]), iotest.ErrReader(broken))
			r, err := newReader(src, k, nil, small.rotation)
			if err == nil {
				var got []byte
				got, err = io.ReadAll(r)
				if !bytes.HasPrefix(plain, got) {
					t.Fatalf("broken after %d bytes: gives bytes that were not sealed", n)
				}
				if _, again := r.Read(make([]byte, 1)); again != err {
					t.Errorf("broken after %d bytes: first %v, then %v", n, err, again)
				}
			}
			if !errors.Is(err, broken) || IsCorrupt(err) {
				t.Errorf("broken after %d bytes: error %v, want %v", n, err, broken)
			}
		}
	}
	stuck := io.MultiReader(bytes.NewReader(sealed[:100]), stuckReader{})
	if r, err := newReader(stuck, k, nil, small.rotation); err != nil {
		t.Error(err)
	} else if _, err := io.ReadAll(r); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a stuck source: error %v, want io.ErrNoProgress", err)
	}
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

// What a Writer wrote before Close never opens to its end.
func TestUnclosedWriter(t *testing.T) {
	t.Parallel()
	k := NewKey()
	for n := range 200 {
		plain := noise(n)
		var sealed bytes.Buffer
		w, err := newWriter(&sealed, k, nil, small)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		wantCorrupt(t, "not closed", k, nil, sealed.Bytes(), plain, small.rotation)
	}
}

func TestWriterAfterClose(t *testing.T) {
	t.Parallel()
	var sealed bytes.Buffer
	w, err := NewWriter(&sealed, NewKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{1}); err == nil {
		t.Error("a closed Writer writes")
	}
	if _, err := io.Copy(w, strings.NewReader("x")); err == nil {
		t.Error("a closed Writer copies")
	}
	if err := w.Close(); err != nil || sealed.Len() != int(SealedSize(0)) {
		t.Errorf("the second Close: error %v, %d bytes sealed", err, sealed.Len())
	}
}

// A failing destination or source ends the Writer; Close must not make the part look whole.
func TestWriterFails(t *testing.T) {
	t.Parallel()
	k, plain, full := NewKey(), noise(500), errors.New("disk full")
	for n := range int(sealedSize(500, small.segment)) {
		for _, short := range []bool{false, true} {
			dst := &fullWriter{room: n, err: full}
			want := full
			if short {
				dst.err, want = nil, io.ErrShortWrite
			}
			w, err := newWriter(dst, k, nil, small)
			if err != nil {
				t.Fatal(err)
			}
			if n%2 == 0 {
				_, err = w.Write(plain)
			} else {
				_, err = w.ReadFrom(bytes.NewReader(plain))
			}
			if err == nil {
				err = w.Close()
			}
			if !errors.Is(err, want) {
				t.Fatalf("room for %d: error %v, want %v", n, err, want)
			}
			if _, err := w.Write(plain); !errors.Is(err, want) {
				t.Fatalf("room for %d: a later Write says %v", n, err)
			}
			if err := w.Close(); !errors.Is(err, want) {
				t.Fatalf("room for %d: a later Close says %v", n, err)
			}
			wantCorrupt(t, "full disk", k, nil, dst.got, plain, small.rotation)
		}
	}
	w, err := newWriter(io.Discard, k, nil, small)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.ReadFrom(io.MultiReader(bytes.NewReader(plain), iotest.ErrReader(full))); n != 500 || !errors.Is(err, full) {
		t.Errorf("a failing source: %d bytes, error %v", n, err)
	}
	if _, err := w.ReadFrom(stuckReader{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a stuck source: error %v", err)
	}
}

// fullWriter takes room bytes, then fails, or writes short if err is nil.
type fullWriter struct {
	room int
	err  error
	got  []byte
}

func (w *fullWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room-len(w.got))
	w.got = append(w.got, p[:n]...)
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

// The destination of WriteTo may fail; the Reader goes on where it stopped.
func TestWriteToFails(t *testing.T) {
	t.Parallel()
	k, plain, full := NewKey(), noise(500), errors.New("disk full")
	sealed := mustSeal(t, k, nil, plain, small)
	for n := range len(plain) {
		r, err := newReader(bytes.NewReader(sealed), k, nil, small.rotation)
		if err != nil {
			t.Fatal(err)
		}
		dst, want := &fullWriter{room: n, err: full}, full
		if n%2 == 0 { // a writer that breaks the rules of io.Writer
			dst.err, want = nil, io.ErrShortWrite
		}
		if got, err := r.WriteTo(dst); got != int64(n) || !errors.Is(err, want) {
			t.Fatalf("room for %d: wrote %d, error %v", n, got, err)
		}
		rest, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(append(dst.got, rest...), plain) {
			t.Fatalf("room for %d: %d bytes and %d more, error %v", n, len(dst.got), len(rest), err)
		}
	}
}

// A genuine header may announce the largest segments before an input of a few bytes; a
// foreign one is refused before anything is allocated for it.
func TestHostileHeaderAllocatesLittle(t *testing.T) {
	k := NewKey()
	large := params{segment: maxSegment, rotation: rotation}
	sealed, foreign := mustSeal(t, k, nil, noise(100), large), mustSeal(t, NewKey(), nil, noise(100), large)
	long := mustSeal(t, k, nil, noise(2*maxSegment), large)[:pooledSize+1000]
	for name, open := range openers {
		for what, input := range map[string][]byte{"whole": sealed, "cut off": sealed[:150], "foreign": foreign, "long": long} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := open(k, nil, input, rotation)
			runtime.ReadMemStats(&after)
			if (err == nil) != (what == "whole") {
				t.Errorf("%s, %s: error %v", name, what, err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 8*pooledSize {
				t.Errorf("%s, %s: allocated %d bytes for %d", name, what, got, len(input))
			}
		}
	}
}

// A stream needs the memory of two segments, whatever its length.
func TestStreamMemoryIsBounded(t *testing.T) {
	k := NewKey()
	const size = 32 << 20
	in, out := io.Pipe()
	go func() {
		w, err := NewWriter(out, k, nil)
		if err == nil {
			_, err = io.CopyN(w, zeros{}, size)
		}
		if err == nil {
			err = w.Close()
		}
		out.CloseWithError(err)
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := NewReader(in, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r)
	if err != nil || n != size {
		t.Fatalf("read %d bytes, error %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size/16 {
		t.Errorf("allocated %d bytes for a stream of %d", got, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// The hint says what to do, and nothing says which check failed.
func TestCorruptSaysOneThing(t *testing.T) {
	t.Parallel()
	k := NewKey()
	sealed := mustSeal(t, k, nil, noise(100), small)
	said := map[string]bool{}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 0x40
		_, err := open(nil, k, nil, changed, small.rotation)
		said[err.Error()+fault.As(err).Hint] = true
		_, err = open(nil, k, nil, sealed[:i], small.rotation)
		said[err.Error()+fault.As(err).Hint] = true
		if !IsCorrupt(err) || fault.As(err).Hint == "" {
			t.Fatalf("cut to %d bytes: %v has no hint", i, err)
		}
	}
	if len(said) != 1 {
		t.Errorf("there are %d different errors: %v", len(said), said)
	}
}
