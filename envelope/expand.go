package envelope

import (
	"crypto/hmac"
	"crypto/sha512"
	"hash"
)

// maxKeptInfo is the largest input buffer, in bytes, that an expander keeps between uses.
const maxKeptInfo = 4 << 10

// An expander computes HKDF-Expand-SHA-384 for outputs of at most one block (48 bytes):
// T(1) = HMAC(key, info || 0x01), RFC 5869 section 2.3. It keeps the keyed HMAC state and
// its buffers, which makes a kept key three times as fast as crypto/hkdf; a test holds the
// two equal. Not for concurrent use.
type expander struct {
	from *secret // read-locked until release; nil for the key of a message
	mac  hash.Hash
	used bool   // mac has to be reset before the next use
	info []byte // input of the next expand, set by the caller
	out  []byte
}

// expander returns an expander keyed with k, whose bytes stay in place until release.
func (k Key) expander() (*expander, error) {
	s, err := k.lock()
	if err != nil {
		return nil, err
	}
	if e, ok := s.expanders.Get().(*expander); ok {
		return e, nil
	}
	e := newExpander(s.bytes[:])
	e.from = s
	return e, nil
}

// newExpander returns an expander keyed with key, which is at least 14 bytes long.
func newExpander(key []byte) *expander {
	return &expander{mac: hmac.New(sha512.New384, key)}
}

// release gives the expander back. The last output is overwritten, an unusually large
// input buffer is not kept.
func (e *expander) release() {
	clear(e.out)
	if cap(e.info) > maxKeptInfo {
		e.info = nil
	}
	e.from.expanders.Put(e)
	e.from.mu.RUnlock()
}

// expand returns the 48 bytes for e.info, valid until the next call.
func (e *expander) expand() []byte {
	if e.used {
		e.mac.Reset()
	}
	e.used = true
	e.info = append(e.info, 1)
	e.mac.Write(e.info)
	e.out = e.mac.Sum(e.out[:0])
	return e.out
}
