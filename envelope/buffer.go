package envelope

import "sync"

// pooledSize fits a sealed content segment behind a header, so that the first write of a
// stream carries both.
const pooledSize = headerSize + 64<<10

// A buffer is memory for one segment; calling it gives the memory. It is a function for the
// reason that hidden is one: printing a stream shows no plaintext.
type buffer func() []byte

var buffers = sync.Pool{New: func() any { return makeBuffer(pooledSize) }}

func makeBuffer(n int) buffer {
	b := make([]byte, n)
	return func() []byte { return b }
}

// newBuffer returns a buffer of n bytes; its contents are undefined.
func newBuffer(n int) buffer {
	if n > pooledSize {
		return makeBuffer(n)
	}
	return buffers.Get().(buffer)
}

// free gives the buffer back, after overwriting the first secret bytes. A nil buffer is fine.
func (b buffer) free(secret int) {
	if b == nil {
		return
	}
	clear(b()[:secret])
	if len(b()) == pooledSize {
		buffers.Put(b)
	}
}
