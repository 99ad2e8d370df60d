package protect

import (
	"context"
	"crypto"
	"crypto/rsa"
	"slices"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
)

// Decrypt decrypts under an RSA key. What can be wrong with the ciphertext has one error.
func (t *Token) Decrypt(ctx context.Context, id ID, handle []byte, alg Algorithm, ciphertext []byte) ([]byte, error) {
	if !alg.Approved() {
		return nil, errAlgorithm(alg)
	}
	found, err := t.Public(ctx, id, handle)
	if err != nil {
		return nil, err
	}
	pub, ok := found.(*rsa.PublicKey)
	if !ok {
		return nil, fault.New(fault.Invalid, "Algorithm %s needs an RSA key", alg)
	}
	if len(ciphertext) != pub.Size() || integer(ciphertext).Cmp(pub.N) >= 0 {
		return nil, errDecrypt()
	}
	m, err := t.mechanism(ctx, alg)
	if err != nil {
		return nil, err
	}
	out, err := t.token.Decrypt(ctx, id.object(handle), m, ciphertext)
	if fault.Is(err, fault.Invalid) {
		return nil, errDecrypt() // the cause stays here: it would make an oracle of the log
	}
	if err != nil || m != hsm.RawRSA {
		return out, err
	}
	defer clear(out)
	if len(out) != pub.Size() {
		return nil, fault.New(fault.Internal, "the token's answer is too short")
	}
	plaintext, ok := alg.unpad(out)
	if !ok {
		return nil, errDecrypt()
	}
	return plaintext, nil
}

// mechanism chooses who takes the padding off: the token where it was seen to, except that of
// PKCS #1 v1.5, of which too many tokens tell what is wrong with it.
func (t *Token) mechanism(ctx context.Context, alg Algorithm) (hsm.Mechanism, error) {
	if m, ok := map[Algorithm]hsm.Mechanism{OAEP256: hsm.OAEP256, OAEP: hsm.OAEP1}[alg]; ok {
		if can, err := t.token.Can(ctx, m); err != nil || can {
			return m, err
		}
	}
	can, err := t.token.Can(ctx, hsm.RawRSA)
	if err == nil && !can {
		err = fault.New(fault.Invalid, "Algorithm %s is not supported by the hardware security module", alg)
	}
	return hsm.RawRSA, err
}

func (a Algorithm) unpad(em []byte) ([]byte, bool) {
	if a == PKCS1 {
		return unpadPKCS1(em)
	}
	return unpadOAEP(em, a.hash())
}

// Sign signs a digest.
func (t *Token) Sign(ctx context.Context, id ID, handle []byte, alg SignatureAlgorithm, digest []byte) ([]byte, error) {
	s, err := alg.check(digest)
	if err != nil {
		return nil, err
	}
	pub, err := t.Public(ctx, id, handle)
	if err != nil {
		return nil, err
	}
	spec := specOf(pub)
	if !alg.Fits(spec.Type, spec.Curve) {
		return nil, errUnfit(alg)
	}
	m, in := s.inToken(digest)
	signature, err := t.token.Sign(ctx, id.object(handle), m, in)
	if err != nil {
		return nil, err
	}
	if spec.Type == EC && len(signature) != 2*coordinate(spec.Curve) || spec.Type == RSA && len(signature) != spec.Bits/8 {
		return nil, fault.New(fault.Internal, "the token's signature has a wrong length")
	}
	return signature, nil
}

// inToken is how a token is asked for a signature, and for one of what.
func (s scheme) inToken(digest []byte) (hsm.Mechanism, []byte) {
	switch {
	case s.curve != "":
		return hsm.ECDSA, digest
	case s.pss:
		return map[crypto.Hash]hsm.Mechanism{crypto.SHA256: hsm.PSS256, crypto.SHA384: hsm.PSS384, crypto.SHA512: hsm.PSS512}[s.hash], digest
	}
	return hsm.PKCS1, slices.Concat(digestInfo[s.hash], digest)
}

// digestInfo is what stands before a digest in DER (RFC 8017 section 9.2, note 1): the object
// identifiers 2.16.840.1.101.3.4.2.1 to 3.
var digestInfo = map[crypto.Hash][]byte{
	crypto.SHA256: []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
	crypto.SHA384: []byte("\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"),
	crypto.SHA512: []byte("\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"),
}
