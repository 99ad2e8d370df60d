package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"sync/atomic"
)

// messageKeySize is KDF_KEY_LEN: the key from which a message's segment keys derive.
const messageKeySize = 48

// rotation is AEAD_ROTATION_MASK: 2^rotation segments share one AES key.
const rotation = 20

// params are the choices made when a message is sealed. The rotation stands here for the
// known-answer tests, which use a smaller one; nothing else does.
type params struct {
	segment  int // length of a sealed segment in bytes
	rotation uint
}

// content are the parameters of everything but wrapped keys. Measured (BenchmarkSegment, two
// cores with VAES): all of 16 KiB to 1 MiB seal at 4.6 to 5.9 GB/s a core, 16 KiB slowest
// and 256 KiB a tenth faster than 64 KiB. Reading a single byte costs 3.6, 14, 130 and 640 us
// at 16, 64, 256 KiB and 1 MiB (above 64 KiB with allocating the buffer, which is not
// pooled), and each stream holds two segments in memory.
var content = params{segment: 64 << 10, rotation: rotation}

// A message is the state of one FLOE message, the same for sealing and opening. It is safe
// for concurrent use.
type message struct {
	segment  int
	rotation uint
	key      hidden[[messageKeySize]byte]
	prefix   []byte // parameters and IV
	aad      []byte
	current  atomic.Pointer[segmentKey] // the segment key used last
}

// A segmentKey seals the 2^rotation segments from position first on.
type segmentKey struct {
	first uint64
	aead  cipher.AEAD
}

// newMessage starts sealing: it returns the state and the header to be written first
// (startEncryption in the specification).
func newMessage(k Key, aad []byte, p params) (*message, header, error) {
	h := header{segment: p.segment}
	rand.Read(h.iv[:])
	m, tag, err := startMessage(k, aad, &h, p.rotation)
	if err != nil {
		return nil, header{}, err
	}
	h.tag = tag
	return m, h, nil
}

// openMessage starts opening: it returns the state if the header is genuine for this key
// and associated data (startDecryption in the specification).
func openMessage(k Key, aad, head []byte, rotation uint) (*message, error) {
	h, err := parseHeader(head)
	if err != nil {
		return nil, err
	}
	m, tag, err := startMessage(k, aad, &h, rotation)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(tag[:], h.tag[:]) != 1 {
		return nil, errCorrupt()
	}
	return m, nil
}

// startMessage derives the header tag and the message key from k.
func startMessage(k Key, aad []byte, h *header, rotation uint) (*message, [tagSize]byte, error) {
	var tag [tagSize]byte
	e, err := k.expander()
	if err != nil {
		return nil, tag, err
	}
	defer e.release()

	fixed := make([]byte, 0, paramsSize+ivSize+len(aad))
	fixed = append(h.appendPrefix(fixed), aad...)
	m := &message{
		segment:  h.segment,
		rotation: rotation,
		key:      hide(new([messageKeySize]byte)),
		prefix:   fixed[:paramsSize+ivSize],
		aad:      fixed[paramsSize+ivSize:],
	}
	e.info = m.appendInfo(e.info[:0], "HEADER_TAG:")
	copy(tag[:], e.expand())
	e.info = m.appendInfo(e.info[:0], "MESSAGE_KEY:")
	copy(m.key()[:], e.expand())
	return m, tag, nil
}

// appendInfo appends the derivation input for a purpose.
func (m *message) appendInfo(b []byte, purpose string) []byte {
	return append(append(append(b, m.prefix...), purpose...), m.aad...)
}

// payload returns how many bytes of plaintext an inner segment holds.
func (m *message) payload() int { return m.segment - segmentOverhead }

// aeadAt returns the cipher for the segment at position. Two goroutines may derive the same
// one at once, which is harmless.
func (m *message) aeadAt(position uint64) (cipher.AEAD, error) {
	first := position >> m.rotation << m.rotation
	if c := m.current.Load(); c != nil && c.first == first {
		return c.aead, nil
	}
	e := newExpander(m.key()[:])
	e.info = make([]byte, 0, len(m.prefix)+len("DEK:")+8+len(m.aad)+1)
	e.info = append(append(e.info, m.prefix...), "DEK:"...)
	e.info = append(binary.BigEndian.AppendUint64(e.info, first), m.aad...)
	key := e.expand()
	defer clear(key)
	block, err := aes.NewCipher(key[:KeySize])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	m.current.Store(&segmentKey{first, aead})
	return aead, nil
}

// sealSegment appends the sealed segment at position to dst. An inner segment takes exactly
// payload bytes, the final one at most as many.
func (m *message) sealSegment(dst, plain []byte, position uint64, final bool) ([]byte, error) {
	if position >= maxSegments || !final && position == maxSegments-1 {
		return nil, errTooLong()
	}
	aead, err := m.aeadAt(position)
	if err != nil {
		return nil, err
	}
	mark := uint32(innerMark)
	if final {
		mark = uint32(len(plain) + segmentOverhead)
	}
	dst = binary.BigEndian.AppendUint32(dst, mark)
	return aead.Seal(dst, nil, plain, segmentAAD(position, final)), nil
}

// openSegment appends the plaintext of the segment at position to dst. On error it returns
// no plaintext, and leaves none behind dst.
func (m *message) openSegment(dst, sealed []byte, position uint64, final bool) ([]byte, error) {
	if len(sealed) < segmentOverhead || len(sealed) > m.segment || position >= maxSegments {
		return nil, errCorrupt()
	}
	mark := uint32(innerMark)
	if final {
		mark = uint32(len(sealed))
	} else if len(sealed) != m.segment {
		return nil, errCorrupt()
	}
	if binary.BigEndian.Uint32(sealed) != mark {
		return nil, errCorrupt()
	}
	aead, err := m.aeadAt(position)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(dst, nil, sealed[lengthSize:], segmentAAD(position, final))
	if err != nil {
		return nil, errCorrupt()
	}
	return plain, nil
}

// segmentAAD is what a segment's tag covers besides the ciphertext.
func segmentAAD(position uint64, final bool) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 9), position)
	if final {
		return append(b, 1)
	}
	return append(b, 0)
}
