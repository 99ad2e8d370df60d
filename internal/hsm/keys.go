//go:build pkcs11

package hsm

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"

	"github.com/miekg/pkcs11"
)

// Generate implements Token.
func (t *token) Generate(ctx context.Context, id []byte, label string, k Kind) (Public, error) {
	if err := k.check(); err != nil {
		return Public{}, err
	}
	return call(ctx, t, once, theRequest, func(s *session) (Public, error) {
		public, mechanism := k.publicHalf(id, label), uint(pkcs11.CKM_EC_KEY_PAIR_GEN)
		if k.Curve == "" {
			mechanism = pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN
			public = append(public, attribute(pkcs11.CKA_MODULUS_BITS, k.Bits), attribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
		} else {
			public = append(public, k.params())
		}
		pub, private, err := s.lib.GenerateKeyPair(s.handle, plain(mechanism), public, k.privateHalf(id, label))
		if err != nil {
			return Public{}, err
		}
		t.known.put(objectID{pkcs11.CKO_PRIVATE_KEY, string(id)}, private)
		t.known.put(objectID{pkcs11.CKO_PUBLIC_KEY, string(id)}, pub)
		return s.readPublic(pub)
	})
}

// Import implements Token.
func (t *token) Import(ctx context.Context, id []byte, label string, k Kind, private func() Private) error {
	if err := k.check(); err != nil {
		return err
	}
	_, err := call(ctx, t, once, theRequest, func(s *session) (struct{}, error) {
		p := private()
		defer p.destroy()
		half := append(k.privateHalf(id, label), attribute(pkcs11.CKA_PRIVATE_EXPONENT, p.D))
		if k.Curve != "" {
			half[len(half)-1] = attribute(pkcs11.CKA_VALUE, p.D)
			half = append(half, k.params())
		} else {
			half = append(half, k.numbers(p.Public)...)
			half = append(half, attribute(pkcs11.CKA_PRIME_1, p.P), attribute(pkcs11.CKA_PRIME_2, p.Q),
				attribute(pkcs11.CKA_EXPONENT_1, p.DP), attribute(pkcs11.CKA_EXPONENT_2, p.DQ), attribute(pkcs11.CKA_COEFFICIENT, p.QI))
		}
		if _, err := s.lib.CreateObject(s.handle, half); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.addPublic(id, label, k, p.Public)
	})
	return err
}

// addPublic puts a public half beside a private one that is there: a token makes none by itself.
func (s *session) addPublic(id []byte, label string, k Kind, p Public) error {
	_, err := s.lib.CreateObject(s.handle, append(k.publicHalf(id, label), k.numbers(p)...))
	return err
}

// Public implements Token.
func (t *token) Public(ctx context.Context, id []byte) (Public, error) {
	return call(ctx, t, twice, theStored, func(s *session) (Public, error) {
		return with(t, s, objectID{pkcs11.CKO_PUBLIC_KEY, string(id)}, s.readPublic)
	})
}

func (s *session) readPublic(handle pkcs11.ObjectHandle) (Public, error) {
	kind, err := s.lib.GetAttributeValue(s.handle, handle, template{attribute(pkcs11.CKA_KEY_TYPE, nil)})
	if err != nil {
		return Public{}, err
	}
	if bytes.Equal(kind[0].Value, attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA).Value) {
		got, err := s.lib.GetAttributeValue(s.handle, handle, template{attribute(pkcs11.CKA_MODULUS, nil), attribute(pkcs11.CKA_PUBLIC_EXPONENT, nil)})
		if err != nil {
			return Public{}, err
		}
		return Public{N: got[0].Value, E: got[1].Value}, nil
	}
	got, err := s.lib.GetAttributeValue(s.handle, handle, template{attribute(pkcs11.CKA_EC_PARAMS, nil), attribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return Public{}, err
	}
	return parsePoint(got[0].Value, got[1].Value)
}

// parsePoint reads a point, which the standard wants inside an OCTET STRING and some tokens
// give as it is.
func parsePoint(params, point []byte) (Public, error) {
	var inner []byte
	if rest, err := asn1.Unmarshal(point, &inner); err != nil || len(rest) > 0 {
		inner = point
	}
	for name, c := range curves {
		der, err := asn1.Marshal(c.oid)
		if err == nil && bytes.Equal(der, params) && len(inner) == 1+2*c.size && inner[0] == 4 {
			return Public{Curve: name, Point: inner}, nil
		}
	}
	return Public{}, errors.New("hsm: the token's public key is of no known form")
}

// Destroy implements Token.
func (t *token) Destroy(ctx context.Context, id []byte) error {
	_, err := call(ctx, t, twice, theRequest, func(s *session) (struct{}, error) {
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
			o := objectID{class, string(id)}
			t.known.drop(o)
			found, err := s.search(attribute(pkcs11.CKA_CLASS, class), attribute(pkcs11.CKA_ID, id))
			if err != nil {
				return struct{}{}, err
			}
			for _, handle := range found {
				if err := s.lib.DestroyObject(s.handle, handle); err != nil && !is(err, stale) { // stale: another was faster
					return struct{}{}, err
				}
			}
		}
		return struct{}{}, t.present(s) // one that is away has nothing either
	})
	return err
}

func plain(mechanism uint) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}
}
