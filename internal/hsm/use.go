//go:build pkcs11

package hsm

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RSA-OAEP of the key vault protocol is defined over SHA-1
	"crypto/sha256"
	"hash"
	"math/big"

	"github.com/miekg/pkcs11"
)

// mechanism is how PKCS #11 names m, with its parameters.
func (m Mechanism) mechanism() []*pkcs11.Mechanism {
	oaep := func(hash, mask uint) []*pkcs11.Mechanism {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_OAEP, pkcs11.NewOAEPParams(hash, mask, pkcs11.CKZ_DATA_SPECIFIED, nil))}
	}
	pss := func(hash, mask, salt uint) []*pkcs11.Mechanism {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pkcs11.NewPSSParams(hash, mask, salt))}
	}
	switch m {
	case OAEP1:
		return oaep(pkcs11.CKM_SHA_1, pkcs11.CKG_MGF1_SHA1)
	case OAEP256:
		return oaep(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256)
	case PKCS1:
		return plain(pkcs11.CKM_RSA_PKCS)
	case PSS256:
		return pss(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, 32)
	case PSS384:
		return pss(pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384, 48)
	case PSS512:
		return pss(pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512, 64)
	case ECDSA:
		return plain(pkcs11.CKM_ECDSA)
	}
	return plain(pkcs11.CKM_RSA_X_509)
}

// Decrypt implements Token.
func (t *token) Decrypt(ctx context.Context, id []byte, m Mechanism, in []byte) ([]byte, error) {
	return call(ctx, t, twice, theCiphertext, func(s *session) ([]byte, error) {
		return with(t, s, objectID{pkcs11.CKO_PRIVATE_KEY, string(id)}, func(key pkcs11.ObjectHandle) ([]byte, error) {
			return s.decrypt(key, m, in)
		})
	})
}

func (s *session) decrypt(key pkcs11.ObjectHandle, m Mechanism, in []byte) ([]byte, error) {
	if err := s.lib.DecryptInit(s.handle, m.mechanism(), key); err != nil {
		return nil, err
	}
	return s.lib.Decrypt(s.handle, in)
}

// Sign implements Token.
func (t *token) Sign(ctx context.Context, id []byte, m Mechanism, in []byte) ([]byte, error) {
	return call(ctx, t, twice, theRequest, func(s *session) ([]byte, error) {
		return with(t, s, objectID{pkcs11.CKO_PRIVATE_KEY, string(id)}, func(key pkcs11.ObjectHandle) ([]byte, error) {
			if err := s.lib.SignInit(s.handle, m.mechanism(), key); err != nil {
				return nil, err
			}
			return s.lib.Sign(s.handle, in)
		})
	})
}

// Can implements Token.
func (t *token) Can(ctx context.Context, m Mechanism) (bool, error) {
	return call(ctx, t, twice, theRequest, func(*session) (bool, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.can[m], nil
	})
}

// probe finds out by which mechanisms a token decrypts, with a key pair that ends with the
// session. What a token lists it cannot always do: SoftHSM lists OAEP and takes SHA-1 alone. Of
// a token that makes no such key pair it is said that it can do none.
func probe(s *session) (map[Mechanism]bool, error) {
	k := Kind{Bits: 2048}
	pub, private, err := s.lib.GenerateKeyPair(s.handle, plain(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN),
		template{
			attribute(pkcs11.CKA_TOKEN, false), attribute(pkcs11.CKA_ENCRYPT, true),
			attribute(pkcs11.CKA_MODULUS_BITS, k.Bits), attribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}),
		},
		template{
			attribute(pkcs11.CKA_TOKEN, false), attribute(pkcs11.CKA_PRIVATE, true),
			attribute(pkcs11.CKA_SENSITIVE, true), attribute(pkcs11.CKA_DECRYPT, true),
		})
	can := map[Mechanism]bool{}
	if err != nil {
		return can, ifGone(err)
	}
	numbers, err := s.readPublic(pub)
	if err != nil {
		return nil, err
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(numbers.N), E: 65537}
	for m, encrypt := range map[Mechanism]func(message []byte) ([]byte, error){
		RawRSA:  func(message []byte) ([]byte, error) { return permute(key, message), nil },
		OAEP1:   oaepOf(key, sha1.New),
		OAEP256: oaepOf(key, sha256.New),
	} {
		message := bytes.Repeat([]byte{5}, 32)
		sealed, err := encrypt(message)
		if err != nil {
			continue // this program may not
		}
		plain, err := s.decrypt(private, m, sealed)
		if isGone(err) {
			return nil, err
		}
		can[m] = err == nil && bytes.Equal(bytes.TrimLeft(plain, "\x00"), message)
	}
	_ = s.lib.DestroyObject(s.handle, private) // they end with the session at the latest
	_ = s.lib.DestroyObject(s.handle, pub)
	return can, nil
}

func ifGone(err error) error {
	if isGone(err) {
		return err
	}
	return nil
}

func oaepOf(key *rsa.PublicKey, h func() hash.Hash) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) { return rsa.EncryptOAEP(h(), rand.Reader, key, message, nil) }
}

// permute is the RSA permutation with the public key, of a message that is no secret.
func permute(key *rsa.PublicKey, message []byte) []byte {
	m := new(big.Int).SetBytes(message)
	return m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
}
