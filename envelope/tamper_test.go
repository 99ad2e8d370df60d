package envelope

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// Nothing that was changed, cut, extended, swapped or moved opens to its end.
func TestTampered(t *testing.T) {
	t.Parallel()
	const payload = 64 - segmentOverhead
	k, aad := NewKey(), Bind("test 1", "a")
	for _, n := range []int{0, 1, payload, payload + 1, 2 * payload, 5*payload + 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			plain := noise(n)
			sealed := mustSeal(t, k, aad, plain, small)
			wantOpens(t, k, aad, sealed, plain, small.rotation)
			corrupt := func(what string, changed []byte) {
				t.Helper()
				wantCorrupt(t, what, k, aad, changed, plain, small.rotation)
			}
			for i := range len(sealed) * 8 {
				changed := bytes.Clone(sealed)
				changed[i/8] ^= 1 << (i % 8)
				corrupt(fmt.Sprintf("bit %d flipped", i), changed)
			}
			for i := range len(sealed) {
				corrupt(fmt.Sprintf("cut to %d bytes", i), sealed[:i])
			}
			for _, more := range [][]byte{{0}, make([]byte, 32), make([]byte, 64), sealed, sealed[headerSize:]} {
				corrupt(fmt.Sprintf("%d bytes appended", len(more)), append(bytes.Clone(sealed), more...))
			}
			for i := headerSize; i < len(sealed); i++ {
				corrupt(fmt.Sprintf("byte %d left out", i), append(bytes.Clone(sealed[:i]), sealed[i+1:]...))
			}
			wantCorrupt(t, "other key", NewKey(), aad, sealed, plain, small.rotation)
			wantCorrupt(t, "other associated data", k, Bind("test 1", "b"), sealed, plain, small.rotation)
			wantCorrupt(t, "no associated data", k, nil, sealed, plain, small.rotation)
			corrupt("header of another message", append(mustSeal(t, k, aad, plain, small)[:headerSize:headerSize], sealed[headerSize:]...))
		})
	}
}

// Segments keep their places, and the final one stays final, also when whoever changes
// them corrects the lengths before them.
func TestTamperedSegments(t *testing.T) {
	t.Parallel()
	k := NewKey()
	plain := noise(6 * (64 - segmentOverhead))
	sealed := mustSeal(t, k, nil, plain, small)
	other := mustSeal(t, k, nil, plain, small)
	segment := func(of []byte, i int) []byte { return of[headerSize+64*i : headerSize+64*(i+1)] }
	marked := func(b []byte, mark uint32) []byte {
		return append(binary.BigEndian.AppendUint32(nil, mark), b[lengthSize:]...)
	}
	build := func(segments ...[]byte) []byte {
		return append(bytes.Clone(sealed[:headerSize]), bytes.Join(segments, nil)...)
	}
	s := func(i int) []byte { return segment(sealed, i) }
	if !bytes.Equal(build(s(0), s(1), s(2), s(3), s(4), s(5)), sealed) {
		t.Fatal("the test takes the message apart wrongly")
	}
	for what, changed := range map[string][]byte{
		"swapped":                   build(s(1), s(0), s(2), s(3), s(4), s(5)),
		"swapped across keys":       build(s(0), s(1), s(2), s(4), s(3), s(5)),
		"swapped by a whole key":    build(s(4), s(1), s(2), s(3), s(0), s(5)),
		"doubled":                   build(s(0), s(0), s(1), s(2), s(3), s(4), s(5)),
		"left out":                  build(s(0), s(1), s(2), s(3), s(5)),
		"first left out":            build(s(1), s(2), s(3), s(4), s(5)),
		"cut, the last made final":  build(s(0), s(1), marked(s(2), 64)),
		"cut, an old final behind":  build(s(0), s(1), s(5)),
		"final made inner":          build(s(0), s(1), s(2), s(3), s(4), marked(s(5), innerMark)),
		"final made inner, doubled": build(s(0), s(1), s(2), s(3), s(4), marked(s(5), innerMark), s(5)),
		"two finals":                build(s(0), s(1), s(2), s(3), s(4), s(5), s(5)),
		"from another message":      build(s(0), s(1), segment(other, 2), s(3), s(4), s(5)),
		"final of another message":  build(s(0), s(1), s(2), s(3), s(4), segment(other, 5)),
		"no segments":               build(),
	} {
		wantCorrupt(t, what, k, nil, changed, plain, small.rotation)
	}
}

// A header that announces what we do not speak is refused, though its tag is genuine.
func TestForeignParameters(t *testing.T) {
	t.Parallel()
	k := NewKey()
	for what, change := range map[string]func(h []byte){
		"AEAD":           func(h []byte) { h[0] = 1 },
		"KDF":            func(h []byte) { h[1] = 1 },
		"IV length":      func(h []byte) { h[9] = 33 },
		"no segments":    func(h []byte) { binary.BigEndian.PutUint32(h[2:], 0) },
		"4 GiB segments": func(h []byte) { binary.BigEndian.PutUint32(h[2:], 1<<32-1) },
	} {
		sealed := mustSeal(t, k, nil, noise(10), content)
		change(sealed)
		e, err := k.expander()
		if err != nil {
			t.Fatal(err)
		}
		e.info = append(append(e.info[:0], sealed[:paramsSize+ivSize]...), "HEADER_TAG:"...)
		copy(sealed[paramsSize+ivSize:], e.expand()[:tagSize])
		e.release()
		wantCorrupt(t, what, k, nil, sealed, nil, rotation)
	}
	for _, segment := range []int{segmentOverhead, maxSegment + 1} { // whole messages otherwise
		m, h, err := newMessage(k, nil, params{segment: segment, rotation: rotation})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := m.sealSegment(h.append(nil), nil, 0, true)
		if err != nil {
			t.Fatal(err)
		}
		wantCorrupt(t, fmt.Sprintf("segments of %d", segment), k, nil, sealed, nil, rotation)
	}
}

// What Open had opened before it failed is gone from the memory behind dst.
func TestOpenLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	k, plain := NewKey(), noise(500)
	sealed := mustSeal(t, k, nil, plain, small)
	dst := append(make([]byte, 0, 1000), "before"...)
	got, err := open(dst, k, nil, sealed, small.rotation)
	if err != nil || !bytes.Equal(got, append([]byte("before"), plain...)) {
		t.Fatalf("does not append: %d bytes, error %v", len(got), err)
	}
	sealed[len(sealed)-1] ^= 1
	if got, err := open(dst, k, nil, sealed, small.rotation); !IsCorrupt(err) || got != nil {
		t.Errorf("a changed message: %d bytes, error %v", len(got), err)
	}
	if behind := dst[len(dst):cap(dst)]; !bytes.Equal(behind, make([]byte, len(behind))) {
		t.Error("plaintext is left behind dst")
	}
	if string(dst) != "before" {
		t.Errorf("dst is %q now", dst)
	}
}
