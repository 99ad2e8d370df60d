package envelope

import (
	"crypto/hmac"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// Labels set what is derived here apart from what FLOE derives from the same key: its
// inputs begin with a zero byte (the AEAD), ours with a letter. No label begins another.
const (
	deriveLabel = "customerkey derive 1:"
	commitLabel = "customerkey commit 1:"
)

// maxKeptInfo is the largest input buffer, in bytes, that an expander keeps between uses.
const maxKeptInfo = 4 << 10

// CommitSize is the length of a commitment in bytes.
const CommitSize = 32

// Bind returns the canonical associated data for a purpose and its parts: each string
// after its length as a varint. Two different lists never give the same bytes. Name the
// version of the layout in the purpose: Bind("item key 1", tenant, container, item).
func Bind(purpose string, parts ...string) []byte {
	size := binary.MaxVarintLen32 + len(purpose)
	for _, p := range parts {
		size += binary.MaxVarintLen32 + len(p)
	}
	b := appendString(make([]byte, 0, size), purpose)
	for _, p := range parts {
		b = appendString(b, p)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Derive returns the subkey of k for a purpose: 32 bytes of HKDF-Expand-SHA-384 (RFC 5869)
// over a label and Bind(purpose, parts...). Different purposes give independent keys, none
// of which tells anything about k. A key without bytes gives the zero Key.
func (k Key) Derive(purpose string, parts ...string) Key {
	e, err := k.expander()
	if err != nil {
		return Key{}
	}
	defer e.release()
	e.info = append(append(e.info[:0], deriveLabel...), Bind(purpose, parts...)...)
	s := new(secret)
	copy(s.bytes[:], e.expand())
	return Key{s}
}

// Commit returns a commitment to k under binding: 32 bytes that can be stored in the open
// and match no other key. It is how a key from a wrap without associated data (RSA-OAEP)
// is checked after unwrapping. A key without bytes gives nil. Check with VerifyCommit.
func (k Key) Commit(binding []byte) []byte {
	e, err := k.expander()
	if err != nil {
		return nil
	}
	defer e.release()
	e.info = append(append(e.info[:0], commitLabel...), binding...)
	return append([]byte(nil), e.expand()[:CommitSize]...)
}

// VerifyCommit reports, in constant time, whether commitment is that of k under binding.
// It is false for a key without bytes and for anything that is not CommitSize long.
func (k Key) VerifyCommit(binding, commitment []byte) bool {
	want := k.Commit(binding)
	return len(want) == CommitSize && subtle.ConstantTimeCompare(want, commitment) == 1
}

// An expander computes HKDF-Expand-SHA-384 for outputs of at most one block (48 bytes):
// T(1) = HMAC(key, info || 0x01), RFC 5869 section 2.3. It keeps the keyed HMAC state and
// its buffers, which makes a kept key three times as fast as crypto/hkdf; a test holds the
// two equal. Not for concurrent use.
type expander struct {
	from *secret // read-locked until release
	mac  hash.Hash
	used bool   // mac has to be reset before the next use
	info []byte // input of the next expand, set by the caller
	out  []byte
}

// expander returns an expander keyed with k, whose bytes stay in place until release.
func (k Key) expander() (*expander, error) {
	if err := k.lock(); err != nil {
		return nil, err
	}
	if e, ok := k.s.expanders.Get().(*expander); ok {
		return e, nil
	}
	return &expander{from: k.s, mac: hmac.New(sha512.New384, k.s.bytes[:])}, nil
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
