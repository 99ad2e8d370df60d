package envelope

import "slices"

// Seal appends plaintext, sealed under k with associated data, to dst. It is for what fits
// in memory: metadata, private keys, secrets of the database. The result is the same format
// as a Writer's, SealedSize(len(plaintext)) bytes. dst and plaintext must not overlap.
func Seal(dst []byte, k Key, aad, plaintext []byte) ([]byte, error) {
	return seal(dst, k, aad, plaintext, content)
}

// Open appends the plaintext of sealed to dst. The error is fault.Corrupt if anything in
// sealed, the key or the associated data is not as it was; then no plaintext is returned.
// dst and sealed must not overlap.
func Open(dst []byte, k Key, aad, sealed []byte) ([]byte, error) {
	return open(dst, k, aad, sealed, rotation)
}

func seal(dst []byte, k Key, aad, plaintext []byte, p params) ([]byte, error) {
	m, h, err := newMessage(k, aad, p)
	if err != nil {
		return nil, err
	}
	dst = slices.Grow(dst, int(sealedSize(int64(len(plaintext)), p.segment)))
	dst = h.append(dst)
	for position := uint64(0); ; position++ {
		final := len(plaintext) <= m.payload()
		n := min(len(plaintext), m.payload())
		if dst, err = m.sealSegment(dst, plaintext[:n], position, final); err != nil {
			return nil, err
		}
		if final {
			return dst, nil
		}
		plaintext = plaintext[n:]
	}
}

func open(dst []byte, k Key, aad, sealed []byte, rotation uint) ([]byte, error) {
	if len(sealed) < headerSize {
		return nil, errCorrupt()
	}
	m, err := openMessage(k, aad, sealed[:headerSize], rotation)
	if err != nil {
		return nil, err
	}
	size, err := plainSize(int64(len(sealed)), m.segment)
	if err != nil {
		return nil, err
	}
	start := len(dst)
	dst = slices.Grow(dst, int(size))
	sealed = sealed[headerSize:]
	for position := uint64(0); ; position++ {
		final := len(sealed) <= m.segment
		n := min(len(sealed), m.segment)
		out, err := m.openSegment(dst, sealed[:n], position, final)
		if err != nil {
			clear(dst[start:]) // genuine so far, but not the content that was sealed
			return nil, err
		}
		if final {
			return out, nil
		}
		dst, sealed = out, sealed[n:]
	}
}
