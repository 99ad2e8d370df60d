//go:build pkcs11

package hsm

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"

	"github.com/miekg/pkcs11"

	"github.com/customerkey/customerkey/internal/fault"
)

// What leaves a token wrapped says which of its AES keys it is under:
//
//	1 ‖ CKA_ID of the AES key, 16 bytes ‖ nonce, 12 bytes ‖ ciphertext and tag   (Wrap: AES-256-GCM)
//	1 ‖ CKA_ID of the AES key, 16 bytes ‖ wrapped PKCS #8                        (Export: RFC 5649)
const (
	wrapLayout = 1
	idSize     = 16
	nonceSize  = 12
	tagBits    = 128
)

// What an AES key is for.
var (
	forData = []uint{pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT}
	forKeys = []uint{pkcs11.CKA_WRAP, pkcs11.CKA_UNWRAP}
)

// A secret is an AES key of the token.
type secret struct {
	id     []byte
	handle pkcs11.ObjectHandle
}

// newest returns an AES key of the label, of several that with the greatest id, and makes one
// where there is none. Two made at once do no harm: what is wrapped names its key.
func (s *session) newest(label string, use []uint) (secret, error) {
	found, err := s.search(s.secretTemplate(label, use)...)
	if err != nil {
		return secret{}, err
	}
	var best secret
	for _, handle := range found {
		got, err := s.lib.GetAttributeValue(s.handle, handle, template{attribute(pkcs11.CKA_ID, nil)})
		if err != nil {
			return secret{}, err
		}
		if id := got[0].Value; len(id) == idSize && bytes.Compare(id, best.id) > 0 {
			best = secret{id, handle}
		}
	}
	if best.id != nil {
		return best, nil
	}
	best.id = make([]byte, idSize)
	rand.Read(best.id)
	best.handle, err = s.lib.GenerateKey(s.handle, plain(pkcs11.CKM_AES_KEY_GEN), append(s.secretTemplate(label, use),
		attribute(pkcs11.CKA_ID, best.id), attribute(pkcs11.CKA_VALUE_LEN, 32), attribute(pkcs11.CKA_PRIVATE, true),
		attribute(pkcs11.CKA_SENSITIVE, true), attribute(pkcs11.CKA_EXTRACTABLE, false)))
	return best, err
}

// secretTemplate finds AES keys by label, and is the beginning of a new one.
func (s *session) secretTemplate(label string, use []uint) template {
	t := template{
		attribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		attribute(pkcs11.CKA_TOKEN, true), attribute(pkcs11.CKA_LABEL, label),
	}
	for _, u := range use {
		t = append(t, attribute(u, true))
	}
	return t
}

// named returns the AES key that wrapped bytes name, and what follows.
func (s *session) named(label string, use []uint, wrapped []byte) (secret, []byte, error) {
	if len(wrapped) < 1+idSize || wrapped[0] != wrapLayout {
		return secret{}, nil, errWrapped()
	}
	id, rest := wrapped[1:1+idSize], wrapped[1+idSize:]
	found, err := s.search(append(s.secretTemplate(label, use), attribute(pkcs11.CKA_ID, id))...)
	if err != nil {
		return secret{}, nil, err
	}
	if len(found) == 0 {
		return secret{}, nil, errNoObject
	}
	return secret{id, found[0]}, rest, nil
}

// prefix begins what is wrapped under k.
func (k secret) prefix() []byte { return append([]byte{wrapLayout}, k.id...) }

func errWrapped() error {
	return fault.New(fault.Corrupt, "the wrapped bytes are of no form that this program knows")
}

// Wrap implements Token.
func (t *token) Wrap(ctx context.Context, label string, plaintext, aad []byte) ([]byte, error) {
	plaintext = bytes.Clone(plaintext) // the call may outlive its caller
	return call(ctx, t, twice, theRequest, func(s *session) ([]byte, error) {
		key, err := s.newest(label, forData)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, nonceSize)
		rand.Read(nonce)
		params := pkcs11.NewGCMParams(nonce, aad, tagBits)
		defer params.Free()
		if err := s.lib.EncryptInit(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, key.handle); err != nil {
			return nil, err
		}
		sealed, err := s.lib.Encrypt(s.handle, plaintext)
		if err != nil {
			return nil, err
		}
		clear(plaintext)
		if used := params.IV(); len(used) == nonceSize { // some tokens take their own
			nonce = used
		}
		return slices.Concat(key.prefix(), nonce, sealed), nil
	})
}

// Unwrap implements Token.
func (t *token) Unwrap(ctx context.Context, label string, wrapped, aad []byte) ([]byte, error) {
	return call(ctx, t, twice, theStored, func(s *session) ([]byte, error) {
		key, rest, err := s.named(label, forData, wrapped)
		if err != nil {
			return nil, err
		}
		if len(rest) < nonceSize+tagBits/8 {
			return nil, errWrapped()
		}
		params := pkcs11.NewGCMParams(rest[:nonceSize], aad, tagBits)
		defer params.Free()
		if err := s.lib.DecryptInit(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, key.handle); err != nil {
			return nil, err
		}
		return s.lib.Decrypt(s.handle, rest[nonceSize:])
	})
}

// Export implements Token.
func (t *token) Export(ctx context.Context, id []byte, under string) ([]byte, error) {
	return call(ctx, t, twice, theRequest, func(s *session) ([]byte, error) {
		key, err := s.newest(under, forKeys)
		if err != nil {
			return nil, err
		}
		return with(t, s, objectID{pkcs11.CKO_PRIVATE_KEY, string(id)}, func(private pkcs11.ObjectHandle) ([]byte, error) {
			wrapped, err := s.lib.WrapKey(s.handle, plain(pkcs11.CKM_AES_KEY_WRAP_PAD), key.handle, private)
			return slices.Concat(key.prefix(), wrapped), err
		})
	})
}

// Adopt implements Token.
func (t *token) Adopt(ctx context.Context, id []byte, label string, k Kind, pub Public, under string, wrapped []byte) error {
	if err := k.check(); err != nil {
		return err
	}
	_, err := call(ctx, t, once, theBackup, func(s *session) (struct{}, error) {
		key, rest, err := s.named(under, forKeys, wrapped)
		if err != nil {
			return struct{}{}, err
		}
		if len(rest) == 0 {
			return struct{}{}, errWrapped()
		}
		if _, err := s.lib.UnwrapKey(s.handle, plain(pkcs11.CKM_AES_KEY_WRAP_PAD), key.handle, rest, k.privateHalf(id, label)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.addPublic(id, label, k, pub)
	})
	return err
}
