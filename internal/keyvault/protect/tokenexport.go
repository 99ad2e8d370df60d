package protect

import (
	"bytes"
	"context"
	"crypto"
	"encoding/binary"
	"slices"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// backupLabel names the token's AES key under which private halves leave it.
const backupLabel = "customerkey backups"

// exportToken begins the plaintext of a private half from a token, where exportLayout begins
// one from software:
//
//	2 ‖ length of the public half, 2 bytes ‖ public half (SubjectPublicKeyInfo) ‖ what hsm.Token.Export returns
//
// The token's own wrapping says nothing of whose key it is; what is around it does.
const exportToken = 2

// Export has the token wrap the private half under an AES key of its own, and seals that. Only
// this token, or one that shares its AES key, takes it back.
func (t *Token) Export(ctx context.Context, id ID, handle []byte, to envelope.Key) ([]byte, error) {
	pub, err := t.Public(ctx, id, handle)
	if err != nil {
		return nil, err
	}
	der, err := MarshalPublic(pub)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the public key cannot be encoded")
	}
	wrapped, err := t.token.Export(ctx, id.object(handle), backupLabel)
	if err != nil {
		return nil, err
	}
	plain := slices.Concat(binary.BigEndian.AppendUint16([]byte{exportToken}, uint16(len(der))), der, wrapped)
	return envelope.Seal(nil, to, id.bindExport(), plain)
}

// Adopt has the token take back what it wrapped, and sees it sign before it is believed.
func (t *Token) Adopt(ctx context.Context, id ID, spec Spec, from envelope.Key, sealed []byte) ([]byte, crypto.PublicKey, error) {
	plain, err := envelope.Open(nil, from, id.bindExport(), sealed)
	if err != nil {
		return nil, nil, err
	}
	pub, wrapped, ok := splitExport(plain)
	if !ok || spec.check() != nil || specOf(pub) != spec {
		return nil, nil, errExported()
	}
	handle, err := t.next(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if err := t.token.Adopt(ctx, id.object(handle), id.label(), spec.kind(), intoToken(pub), backupLabel, wrapped); err != nil {
		return nil, nil, err
	}
	alg := spec.anySignature()
	digest := bytes.Repeat([]byte{1}, alg.DigestSize())
	signature, err := t.Sign(ctx, id, handle, alg, digest)
	if err != nil {
		return nil, nil, err
	}
	if valid, err := Verify(pub, alg, digest, signature); err != nil || !valid {
		return nil, nil, errExported()
	}
	return handle, pub, nil
}

func splitExport(plain []byte) (pub crypto.PublicKey, wrapped []byte, ok bool) {
	if len(plain) < 3 || plain[0] != exportToken {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(plain[1:]))
	if len(plain) < 3+n {
		return nil, nil, false
	}
	pub, err := ParsePublic(plain[3 : 3+n])
	return pub, plain[3+n:], err == nil
}

// anySignature is an algorithm that fits.
func (s Spec) anySignature() SignatureAlgorithm {
	for a, scheme := range schemes {
		if s.Type == EC && scheme.curve == s.Curve {
			return a
		}
	}
	return "PS256"
}

func errExported() error {
	return fault.New(fault.Corrupt, "the exported private key cannot be read")
}
