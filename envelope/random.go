package envelope

import (
	"errors"
	"io"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Random reads sealed content by offset. Each segment it needs is read and opened by
// itself, so a read costs what it covers, rounded up to segments. Safe for concurrent use
// if the source is; use a Cursor to read a longer range in order.
type Random struct {
	src      io.ReaderAt
	m        *message
	segments int64
	last     int // length of the final segment, sealed
	size     int64
}

// NewRandom opens sealed content of sealedSize bytes. It checks the header and the final
// segment before it returns, so content that was cut off shows before the first byte is
// read: fault.Corrupt, as for a wrong key or associated data.
func NewRandom(src io.ReaderAt, sealedSize int64, k Key, aad []byte) (*Random, error) {
	return newRandom(src, sealedSize, k, aad, rotation)
}

func newRandom(src io.ReaderAt, sealedSize int64, k Key, aad []byte, rotation uint) (*Random, error) {
	if sealedSize < headerSize+segmentOverhead {
		return nil, errCorrupt()
	}
	head := make([]byte, headerSize)
	if err := readFullAt(src, head, 0); err != nil {
		return nil, err
	}
	m, err := openMessage(k, aad, head, rotation)
	if err != nil {
		return nil, err
	}
	size, err := plainSize(sealedSize, m.segment)
	if err != nil {
		return nil, err
	}
	r := &Random{src: src, m: m, segments: segmentsIn(sealedSize, m.segment), size: size}
	r.last = int(sealedSize - headerSize - (r.segments-1)*int64(m.segment))

	plain := newBuffer(r.last)
	defer plain.free(r.last)
	if _, err := r.segment(plain()[:0], r.segments-1); err != nil {
		return nil, err
	}
	return r, nil
}

// Size returns the length of the plaintext in bytes.
func (r *Random) Size() int64 { return r.size }

// ReadAt reads plaintext from offset on. As io.ReaderAt asks, it returns io.EOF if it
// reaches the end before p is full. Every byte it returns was authenticated; the first
// segment that does not open ends the read with fault.Corrupt.
func (r *Random) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fault.New(fault.BadRange, "the offset is negative")
	}
	n := 0
	for n < len(p) {
		if offset >= r.size {
			return n, io.EOF
		}
		got, err := r.readSegment(p[n:], offset)
		if err != nil {
			return n, err
		}
		n += got
		offset += int64(got)
	}
	return n, nil
}

// readSegment copies what the segment at offset holds from there on, as far as p reaches.
func (r *Random) readSegment(p []byte, offset int64) (int, error) {
	payload := int64(r.m.payload())
	index, skip := offset/payload, int(offset%payload)
	if length := r.length(index) - segmentOverhead; skip == 0 && len(p) >= length {
		out, err := r.segment(p[:0:length], index)
		return len(out), err
	}
	plain := newBuffer(r.length(index))
	out, err := r.segment(plain()[:0], index)
	n := 0
	if err == nil {
		n = copy(p, out[skip:])
	}
	plain.free(len(out))
	return n, err
}

// segment opens one segment into dst, which has room for it.
func (r *Random) segment(dst []byte, index int64) ([]byte, error) {
	sealed := newBuffer(r.length(index))
	defer sealed.free(0)
	b := sealed()[:r.length(index)]
	if err := readFullAt(r.src, b, headerSize+index*int64(r.m.segment)); err != nil {
		return nil, err
	}
	return r.m.openSegment(dst, b, uint64(index), index == r.segments-1)
}

// length returns the sealed length of a segment.
func (r *Random) length(index int64) int {
	if index == r.segments-1 {
		return r.last
	}
	return r.m.segment
}

// readFullAt fills b from offset. A source shorter than it was said to be is fault.Corrupt.
func readFullAt(src io.ReaderAt, b []byte, offset int64) error {
	n, err := src.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errCorrupt()
	}
	return errSource(err)
}
