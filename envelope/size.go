package envelope

// SealedSize returns the length of plain bytes of content once sealed by Seal or a Writer:
// 74 bytes more for the header and 32 more for each segment of 65504 bytes begun. It returns
// -1 for a negative length and for one that no message can hold.
func SealedSize(plain int64) int64 { return sealedSize(plain, content.segment) }

// PlainSize is the inverse of SealedSize. The error is fault.Corrupt if nothing sealed can
// have this length. It trusts the caller that Seal or a Writer of this version made the
// content; Random.Size knows from the content itself.
func PlainSize(sealed int64) (int64, error) { return plainSize(sealed, content.segment) }

func sealedSize(plain int64, segment int) int64 {
	payload := int64(segment - segmentOverhead)
	if plain < 0 || plain > payload*maxSegments {
		return -1
	}
	segments := max(1, (plain+payload-1)/payload) // the final segment exists even if empty
	return headerSize + plain + segments*segmentOverhead
}

// plainSize also accepts an empty final segment after full inner ones, which other
// writers of the format make.
func plainSize(sealed int64, segment int) (int64, error) {
	segments := segmentsIn(sealed, segment)
	plain := sealed - headerSize - segments*segmentOverhead
	rest := sealed - headerSize - (segments-1)*int64(segment) // length of the final segment
	if segments < 1 || segments > maxSegments || rest < segmentOverhead {
		return 0, errCorrupt()
	}
	return plain, nil
}

// segmentsIn returns how many segments a message of that length has.
func segmentsIn(sealed int64, segment int) int64 {
	if sealed < headerSize {
		return 0
	}
	body := sealed - headerSize
	segments := body / int64(segment)
	if body%int64(segment) != 0 {
		segments++
	}
	return segments
}
