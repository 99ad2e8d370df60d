package envelope

import (
	"encoding/binary"
	"io"
)

// maxEmptyReads is how many reads in a row may bring nothing before a source counts as stuck.
const maxEmptyReads = 100

// A Reader opens a stream segment by segment and returns only plaintext that was
// authenticated. It holds two segments in memory. Not for concurrent use.
type Reader struct {
	src      io.Reader
	m        *message
	sealed   buffer // one segment; grows with what really arrives
	plain    buffer // plaintext of the last segment
	from, to int    // what of plain has not been read yet
	position uint64
	err      error // sticky; io.EOF after the final segment
}

// NewReader reads the header from src and returns a Reader for the plaintext. The error is
// fault.Corrupt if the header is not one made under k with this associated data. src must
// end where the sealed content ends.
func NewReader(src io.Reader, k Key, aad []byte) (*Reader, error) {
	return newReader(src, k, aad, rotation)
}

func newReader(src io.Reader, k Key, aad []byte, rotation uint) (*Reader, error) {
	head := make([]byte, headerSize)
	n, err := readFull(src, head)
	if err != nil {
		return nil, err
	}
	m, err := openMessage(k, aad, head[:n], rotation)
	if err != nil {
		return nil, err
	}
	return &Reader{src: src, m: m}, nil
}

// Read reads plaintext. io.EOF comes only after an authenticated final segment with nothing
// behind it; what was cut off, changed or extended ends with fault.Corrupt, and an error of
// the source is returned wrapped.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.from == r.to {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.plain()[r.from:r.to])
	r.consume(n)
	return n, nil
}

// WriteTo writes all remaining plaintext to dst; io.Copy calls it.
func (r *Reader) WriteTo(dst io.Writer) (int64, error) {
	var total int64
	for {
		if r.from < r.to {
			n, err := dst.Write(r.plain()[r.from:r.to])
			if err == nil && n < r.to-r.from {
				err = io.ErrShortWrite
			}
			r.consume(n)
			total += int64(n)
			if err != nil {
				return total, err
			}
		}
		if r.err == io.EOF {
			return total, nil
		}
		if r.err != nil {
			return total, r.err
		}
		r.next()
	}
}

// consume marks n bytes as read. After the last ones the memory is given back.
func (r *Reader) consume(n int) {
	r.from += n
	if r.from == r.to && r.err != nil {
		r.release()
	}
}

// next opens the next segment into plain, or sets err. After the final segment it does both.
func (r *Reader) next() {
	if r.plain == nil {
		r.sealed, r.plain = newBuffer(0), newBuffer(0)
	}
	n, err := r.fill()
	if err != nil {
		r.fail(err)
		return
	}
	final := n < r.m.segment || !isInner(r.sealed()) // a full segment may be either
	if final && n == r.m.segment {
		if err := r.atEnd(); err != nil {
			r.fail(err)
			return
		}
	}
	if len(r.plain()) < n {
		r.plain.free(len(r.plain()))
		r.plain = newBuffer(n)
	}
	plain, err := r.m.openSegment(r.plain()[:0], r.sealed()[:n], r.position, final)
	if err != nil {
		r.fail(err)
		return
	}
	r.position++
	r.from, r.to = 0, len(plain)
	if final {
		r.err = io.EOF
		r.consume(0)
	}
}

// fill reads one segment into sealed, or what is left before the end of src, and returns
// its length. The buffer at most doubles ahead of what has arrived, so a header that
// announces large segments does not cost more memory than its input is long.
func (r *Reader) fill() (int, error) {
	n := 0
	for n < r.m.segment {
		if n == len(r.sealed()) {
			larger := newBuffer(min(2*n, r.m.segment))
			copy(larger(), r.sealed())
			r.sealed.free(0)
			r.sealed = larger
		}
		part := r.sealed()[n:min(len(r.sealed()), r.m.segment)]
		got, err := readFull(r.src, part)
		if err != nil {
			return 0, err
		}
		n += got
		if got < len(part) {
			break
		}
	}
	return n, nil
}

// atEnd checks that nothing follows.
func (r *Reader) atEnd() error {
	n, err := readFull(r.src, make([]byte, 1))
	if err == nil && n > 0 {
		err = errCorrupt()
	}
	return err
}

func (r *Reader) fail(err error) {
	r.err = err
	r.from = r.to
	r.release()
}

// release gives the memory back.
func (r *Reader) release() {
	if r.plain == nil {
		return
	}
	used := r.to
	if r.position > 1 {
		used = len(r.plain())
	}
	r.plain.free(used)
	r.sealed.free(0)
	r.plain, r.sealed = nil, nil
}

// isInner reports whether a segment of at least four bytes says that it is not the final one.
func isInner(sealed []byte) bool { return binary.BigEndian.Uint32(sealed) == innerMark }

// readFull fills b and returns its length, or fewer bytes if src ends before. Unlike
// io.ReadFull it cannot take a source that broke (io.ErrUnexpectedEOF of an HTTP body) for
// one that ended: that is an error.
func readFull(src io.Reader, b []byte) (int, error) {
	n := 0
	for empty := 0; n < len(b); empty++ {
		if empty == maxEmptyReads {
			return n, errSource(io.ErrNoProgress)
		}
		got, err := src.Read(b[n:])
		n += got
		if got > 0 {
			empty = 0
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return n, errSource(err)
		}
	}
	return n, nil
}
