package envelope

import (
	"errors"
	"fmt"
	"io"
)

var errClosed = errors.New("envelope: write to a closed Writer")

// A Writer seals a stream. It holds two segments in memory, whatever the length of the
// content. Not for concurrent use.
type Writer struct {
	dst      io.Writer
	m        *message
	plain    buffer // held back: a segment is inner only once a byte follows it
	n        int    // bytes in plain
	used     int    // most bytes that an emitted plain has held
	out      buffer
	pending  int // bytes of header at the start of out, not written yet
	position uint64
	err      error // sticky; errClosed after Close
}

// NewWriter returns a Writer that seals what is written to it under k with associated data,
// and writes the result to dst. Nothing reaches dst before the first segment is full or
// Close is called.
func NewWriter(dst io.Writer, k Key, aad []byte) (*Writer, error) {
	return newWriter(dst, k, aad, content)
}

func newWriter(dst io.Writer, k Key, aad []byte, p params) (*Writer, error) {
	m, h, err := newMessage(k, aad, p)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		dst:     dst,
		m:       m,
		plain:   newBuffer(p.segment),
		out:     newBuffer(headerSize + p.segment),
		pending: headerSize,
	}
	h.append(w.out()[:0])
	return w, nil
}

// Write seals p. An error is final: the content stays cut off and will not open.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	payload, written := w.m.payload(), 0
	for len(p) > 0 {
		n := 0
		if w.n == 0 && len(p) > payload { // an inner segment for sure: no need to copy it
			n = payload
			if err := w.emit(p[:n], false); err != nil {
				return written, err
			}
		} else {
			if err := w.makeRoom(); err != nil {
				return written, err
			}
			n = copy(w.plain()[w.n:payload], p)
			w.n += n
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

// ReadFrom seals everything src has; io.Copy calls it. It does not Close.
func (w *Writer) ReadFrom(src io.Reader) (int64, error) {
	if w.err != nil {
		return 0, w.err
	}
	payload, total := w.m.payload(), int64(0)
	for empty := 0; empty < maxEmptyReads; empty++ {
		// One byte more than fits shows that a full segment is an inner one.
		n, err := src.Read(w.plain()[w.n : payload+1])
		if n > 0 {
			empty = 0
		}
		w.n += n
		total += int64(n)
		if w.n > payload {
			extra := w.plain()[payload]
			if err := w.makeRoom(); err != nil {
				return total, err
			}
			w.plain()[0], w.n = extra, 1
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
	return total, io.ErrNoProgress
}

// Close seals and writes the final segment; it does not close dst. Content without it is
// cut off and never opens to its end, so close only what is complete: when the source of
// the content failed, drop the Writer instead. Closing twice is harmless.
func (w *Writer) Close() error {
	if errors.Is(w.err, errClosed) {
		return nil
	}
	if w.err != nil {
		return w.err
	}
	if err := w.emit(w.plain()[:w.n], true); err != nil {
		return err
	}
	_ = w.fail(errClosed)
	return nil
}

// makeRoom emits plain as an inner segment if it is full. The caller has a byte to follow.
func (w *Writer) makeRoom() error {
	payload := w.m.payload()
	if w.n < payload {
		return nil
	}
	w.n, w.used = 0, payload+1 // ReadFrom is one byte ahead
	return w.emit(w.plain()[:payload], false)
}

// emit seals one segment and writes it, behind the header if that is still pending.
func (w *Writer) emit(plain []byte, final bool) error {
	sealed, err := w.m.sealSegment(w.out()[:w.pending], plain, w.position, final)
	if err != nil {
		return w.fail(err)
	}
	w.pending = 0
	w.position++
	n, err := w.dst.Write(sealed)
	if err == nil && n < len(sealed) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return w.fail(fmt.Errorf("writing sealed bytes: %w", err))
	}
	return nil
}

// fail makes err the answer to every later call, gives the memory back, and returns err.
func (w *Writer) fail(err error) error {
	w.plain.free(max(w.n, w.used))
	w.out.free(0)
	w.plain, w.out, w.err = nil, nil, err
	return err
}
