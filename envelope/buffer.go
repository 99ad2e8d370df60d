package envelope

import "sync"

// pooledSize fits a sealed content segment behind a header, so that the first write of a
// stream carries both.
const pooledSize = headerSize + 64<<10

// A buffer is memory for one segment. Streams hold it behind a pointer, so that printing
// a stream prints an address and no plaintext.
type buffer struct {
	b []byte
}

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, pooledSize)} }}

// newBuffer returns a buffer of n bytes; its contents are undefined.
func newBuffer(n int) *buffer {
	if n > pooledSize {
		return &buffer{make([]byte, n)}
	}
	return buffers.Get().(*buffer)
}

// free gives the buffer back, after overwriting the first secret bytes. A nil buffer is fine.
func (b *buffer) free(secret int) {
	if b == nil {
		return
	}
	clear(b.b[:secret])
	if len(b.b) == pooledSize {
		buffers.Put(b)
	}
}
