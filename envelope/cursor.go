package envelope

import (
	"io"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Cursor reads a Random in order from a position of its own; it is the io.ReadSeeker that
// http.ServeContent wants. It keeps the segment it is in, so small reads do not open it
// again and again. Any number of Cursors may read one Random; each is for one goroutine.
type Cursor struct {
	r        *Random
	position int64
	plain    buffer
	index    int64 // segment in plain, -1 if none
}

// Cursor returns a Cursor at the start of the plaintext.
func (r *Random) Cursor() *Cursor { return &Cursor{r: r, index: -1} }

// Read reads plaintext from the position on and moves it. Errors are those of ReadAt.
func (c *Cursor) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.position >= c.r.size {
		return 0, io.EOF
	}
	payload := int64(c.r.m.payload())
	index, skip := c.position/payload, c.position%payload
	if err := c.load(index); err != nil {
		return 0, err
	}
	n := copy(p, c.plain()[skip:c.r.length(index)-segmentOverhead])
	c.position += int64(n)
	return n, nil
}

// load opens the segment into plain, unless it is there already.
func (c *Cursor) load(index int64) error {
	if index == c.index {
		return nil
	}
	if c.plain == nil {
		c.plain = newBuffer(c.r.length(0)) // no segment is longer than the first
	}
	c.index = -1
	if _, err := c.r.segment(c.plain()[:0], index); err != nil {
		return err
	}
	c.index = index
	return nil
}

// Seek moves the position; beyond the end is allowed, before the start is fault.BadRange.
func (c *Cursor) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += c.position
	case io.SeekEnd:
		offset += c.r.size
	default:
		return 0, fault.New(fault.Invalid, "unknown way to seek: %d", whence)
	}
	if offset < 0 {
		return 0, fault.New(fault.BadRange, "the position would be before the start")
	}
	c.position = offset
	return offset, nil
}
