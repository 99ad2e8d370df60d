package envelope

import (
	"encoding/binary"
)

// Lengths of the parts of a message in bytes, see the package comment.
const (
	paramsSize = 10
	ivSize     = 32
	tagSize    = 32
	headerSize = paramsSize + ivSize + tagSize

	lengthSize      = 4                    // before each segment: its length, or innerMark
	segmentOverhead = lengthSize + 12 + 16 // length, nonce, tag

	minSegment = segmentOverhead + 1 // an inner segment holds at least one byte
	maxSegment = 1 << 20             // what we are willing to hold in memory

	maxSegments = 1 << 40 // AEAD_MAX_SEGMENTS
	innerMark   = 0xFFFFFFFF
)

// A header is what a message begins with. Parsing checks its form only; whether it is
// genuine shows when the tag is compared (openMessage).
//
//	0   1  AEAD, 0
//	1   1  KDF, 0
//	2   4  length of a sealed segment, big-endian
//	6   4  length of the IV, 32
//	10 32  IV
//	42 32  tag
type header struct {
	segment int // minSegment <= segment <= maxSegment
	iv      [ivSize]byte
	tag     [tagSize]byte
}

// parseHeader reads a header from exactly headerSize bytes. It refuses parameters we do not
// speak and segments larger than maxSegment, so that no header can make us allocate more.
func parseHeader(b []byte) (header, error) {
	var h header
	if len(b) != headerSize {
		return h, errCorrupt()
	}
	segment := binary.BigEndian.Uint32(b[2:])
	if segment < minSegment || segment > maxSegment {
		return h, errCorrupt()
	}
	h.segment = int(segment)
	copy(h.iv[:], b[paramsSize:])
	copy(h.tag[:], b[paramsSize+ivSize:])
	if b[0] != 0 || b[1] != 0 || binary.BigEndian.Uint32(b[6:]) != ivSize {
		return h, errCorrupt()
	}
	return h, nil
}

// appendPrefix appends parameters and IV, which begin the header and the input of every
// key derivation of the message.
func (h *header) appendPrefix(b []byte) []byte {
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(h.segment))
	b = binary.BigEndian.AppendUint32(b, ivSize)
	return append(b, h.iv[:]...)
}

// append appends the whole header.
func (h *header) append(b []byte) []byte {
	return append(h.appendPrefix(b), h.tag[:]...)
}
