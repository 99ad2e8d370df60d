package envelope

import (
	"crypto/subtle"
	"encoding/binary"
)

// Labels set what is derived here apart from what FLOE derives from the same key: its
// inputs begin with a zero byte (the AEAD), ours with a letter. No label begins another.
const (
	deriveLabel = "customerkey derive 1:"
	commitLabel = "customerkey commit 1:"
)

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
	return Key{hide(s)}
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
