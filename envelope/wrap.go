package envelope

// wrapping are the parameters of a wrapped key: one segment that the key fills exactly.
var wrapping = params{segment: KeySize + segmentOverhead, rotation: rotation}

// WrappedSize is the length of a wrapped key in bytes.
const WrappedSize = headerSize + segmentOverhead + KeySize

// WrapKey seals key under kek. The associated data names what the key is for, whose it is
// and its version; without them it does not unwrap. The result is WrappedSize bytes.
func WrapKey(kek, key Key, aad []byte) ([]byte, error) {
	plain, err := key.expose()
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return seal(nil, kek, aad, plain, wrapping)
}

// UnwrapKey opens what WrapKey made. The error is fault.Corrupt if the bytes, the key above
// or the associated data are not the same.
func UnwrapKey(kek Key, wrapped, aad []byte) (Key, error) {
	if len(wrapped) != WrappedSize {
		return Key{}, errCorrupt()
	}
	h, err := parseHeader(wrapped[:headerSize])
	if err != nil {
		return Key{}, err
	}
	if h.segment != wrapping.segment { // 32 bytes of content are not a wrapped key
		return Key{}, errCorrupt()
	}
	plain, err := open(make([]byte, 0, KeySize), kek, aad, wrapped, rotation)
	if err != nil {
		return Key{}, err
	}
	defer clear(plain)
	return KeyFromBytes(plain)
}
