package protect

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// Some tokens do no more than the RSA permutation, so what is around the message is taken off
// here. Whoever learns why an encoded message is bad, by an error or by the time it took, can
// decrypt what is not his (Bleichenbacher 1998, Manger 2001). Hence, in both functions below:
//
//   - no branch, index or length depends on the encoded message before all of it was looked at;
//     loops run over its whole length, which is the modulus's, and choose by subtle;
//   - all causes end in one bit, which is looked at once, at the end;
//   - of a good message its length shows, as it does in the answer.
//
// Both change em.

// unpadOAEP undoes EME-OAEP with an empty label and h for hash and mask (RFC 8017 section 7.1.2).
func unpadOAEP(em []byte, h hash.Hash) (message []byte, ok bool) {
	n := h.Size()
	if len(em) < 2*n+2 {
		return nil, false
	}
	seed, db := em[1:1+n], em[1+n:]
	unmask(seed, db, h)
	unmask(db, seed, h)
	h.Reset()
	good := subtle.ConstantTimeByteEq(em[0], 0) & subtle.ConstantTimeCompare(h.Sum(nil), db[:n])

	// What follows is zeros, a one, the message.
	rest, before, start := db[n:], 1, 0
	for i, b := range rest {
		zero, one := subtle.ConstantTimeByteEq(b, 0), subtle.ConstantTimeByteEq(b, 1)
		start = subtle.ConstantTimeSelect(before&one, i+1, start)
		good &= 1 ^ before&(1^zero)&(1^one)
		before &= 1 ^ one
	}
	if good&(1^before) == 0 {
		return nil, false
	}
	return bytes.Clone(rest[start:]), true
}

// unmask adds the mask MGF1 of seed to b (RFC 8017 appendix B.2.1).
func unmask(b, seed []byte, h hash.Hash) {
	var counter [4]byte
	for i := uint32(0); len(b) > 0; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		h.Reset()
		h.Write(seed)
		h.Write(counter[:])
		done := subtle.XORBytes(b, b, h.Sum(nil))
		b = b[done:]
	}
}

// unpadPKCS1 undoes EME-PKCS1-v1_5: 0, 2, at least eight bytes that are not zero, 0, the message
// (RFC 8017 section 7.2.2).
func unpadPKCS1(em []byte) (message []byte, ok bool) {
	const least = 2 + 8 + 1
	if len(em) < least {
		return nil, false
	}
	good := subtle.ConstantTimeByteEq(em[0], 0) & subtle.ConstantTimeByteEq(em[1], 2)
	before, start := 1, 0
	for i, b := range em[2:] {
		zero := subtle.ConstantTimeByteEq(b, 0)
		start = subtle.ConstantTimeSelect(before&zero, 2+i+1, start)
		before &= 1 ^ zero
	}
	good &= (1 ^ before) & subtle.ConstantTimeLessOrEq(least, start)
	if good == 0 {
		return nil, false
	}
	return bytes.Clone(em[start:]), true
}
