package envelope

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// eachVector calls add with every published vector, and fails if there is none: a fuzz
// target whose seeds moved away finds nothing and says so to nobody.
func eachVector(f *testing.F, add func(name string, sealed []byte)) {
	files, err := filepath.Glob("testdata/vectors/*.sealed")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata/vectors: %v", err)
	}
	for _, file := range files {
		sealed, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		add(strings.TrimSuffix(filepath.Base(file), ".sealed"), sealed)
	}
}

// What parses is written back as the same bytes: one header, one encoding.
func FuzzParseHeader(f *testing.F) {
	eachVector(f, func(_ string, sealed []byte) { f.Add(sealed[:headerSize]) })
	f.Fuzz(func(t *testing.T, in []byte) {
		h, err := parseHeader(in)
		if err != nil {
			if !IsCorrupt(err) {
				t.Errorf("error %v, want fault.Corrupt", err)
			}
			return
		}
		if h.segment < minSegment || h.segment > maxSegment {
			t.Errorf("segments of %d bytes", h.segment)
		}
		if got := h.append(nil); !bytes.Equal(got, in) {
			t.Errorf("one header, two encodings:\n%x\n%x", in, got)
		}
	})
}

// All ways to open agree on every input, with each other and with the reference; what does
// not open is corrupt. The second round gives the input a genuine header, so that the
// bodies behind it are looked at.
func FuzzOpen(f *testing.F) {
	k, raw := vectorKey(f), vectorKey(f).Expose()
	eachVector(f, func(name string, sealed []byte) {
		if len(sealed) < 4096 {
			f.Add(sealed, name)
		}
	})
	f.Fuzz(func(t *testing.T, in []byte, name string) {
		aad := Bind("vector 1", name)
		agree := func(in []byte) {
			want, wantErr := Open(nil, k, aad, in)
			if wantErr != nil {
				if !IsCorrupt(wantErr) || want != nil {
					t.Errorf("Open: %d bytes, error %v, want fault.Corrupt", len(want), wantErr)
				}
			} else if got, err := reference(raw, aad, in, rotation); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the reference does not open it: %v", err)
			}
			for opener, open := range openers {
				got, err := open(k, aad, in, rotation)
				if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, error %v; Open: %d bytes, error %v", opener, len(got), err, len(want), wantErr)
				}
			}
		}
		agree(in)
		if len(in) < headerSize {
			return
		}
		if h, err := parseHeader(in[:headerSize]); err == nil {
			_, tag, err := startMessage(k, aad, &h, rotation)
			if err != nil {
				t.Fatal(err)
			}
			h.tag = tag
			agree(append(h.append(nil), in[headerSize:]...))
		}
	})
}

// A part read by offset is the part of the plaintext, or the message was changed.
func FuzzRandom(f *testing.F) {
	k := vectorKey(f)
	eachVector(f, func(name string, sealed []byte) {
		if len(sealed) < 4096 {
			f.Add(sealed, uint16(64), int64(10), uint16(100), uint32(0), byte(0))
			f.Add([]byte(name), uint16(40), int64(0), uint16(3), uint32(80), byte(1))
		}
	})
	f.Fuzz(func(t *testing.T, plain []byte, segment uint16, offset int64, length uint16, at uint32, flip byte) {
		p := params{segment: max(minSegment, int(segment)), rotation: 2}
		sealed := mustSeal(t, k, nil, plain, p)
		sealed[int(at)%len(sealed)] ^= flip
		r, err := newRandom(bytes.NewReader(sealed), int64(len(sealed)), k, nil, p.rotation)
		if err != nil {
			if flip == 0 || !IsCorrupt(err) {
				t.Errorf("does not open: %v", err)
			}
			return
		}
		got, want := make([]byte, length), make([]byte, length)
		n, err := r.ReadAt(got, offset)
		wantN, wantErr := bytes.NewReader(plain).ReadAt(want, offset)
		switch {
		case IsCorrupt(err):
			if flip == 0 {
				t.Errorf("does not open: %v", err)
			}
		case length == 0: // a read of nothing may or may not notice the end
		case n != wantN || (err == nil) != (wantErr == nil):
			t.Errorf("%d bytes at %d: %d, %v; want %d, %v", length, offset, n, err, wantN, wantErr)
		}
		if n > wantN || !bytes.Equal(got[:n], want[:n]) {
			t.Errorf("%d bytes at %d: gives bytes that were not sealed", length, offset)
		}
	})
}
