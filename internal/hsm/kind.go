//go:build pkcs11

package hsm

import (
	"encoding/asn1"

	"github.com/miekg/pkcs11"

	"github.com/customerkey/customerkey/internal/fault"
)

// A curve is how a token names one: the object identifier in DER (RFC 5480, RFC 8812).
var curves = map[string]struct {
	oid  asn1.ObjectIdentifier
	size int // of a coordinate, in bytes
}{
	"P-256":  {asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, 32},
	"P-384":  {asn1.ObjectIdentifier{1, 3, 132, 0, 34}, 48},
	"P-521":  {asn1.ObjectIdentifier{1, 3, 132, 0, 35}, 66},
	"P-256K": {asn1.ObjectIdentifier{1, 3, 132, 0, 10}, 32},
}

type template = []*pkcs11.Attribute

var attribute = pkcs11.NewAttribute

func errKind() error {
	return fault.New(fault.Invalid, "The hardware security module does not hold keys of this type and size")
}

// check refuses kinds that are not of this package.
func (k Kind) check() error {
	if _, ok := curves[k.Curve]; !ok && (k.Curve != "" || k.Bits == 0) {
		return errKind()
	}
	return nil
}

func (k Kind) keyType() *pkcs11.Attribute {
	if k.Curve != "" {
		return attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC)
	}
	return attribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA)
}

// params is the attribute that names the curve; encoding a constant does not fail.
func (k Kind) params() *pkcs11.Attribute {
	der, _ := asn1.Marshal(curves[k.Curve].oid)
	return attribute(pkcs11.CKA_EC_PARAMS, der)
}

// privateHalf is what every private key is: in the token, only for who is logged in, never
// readable, and wrapped at most.
func (k Kind) privateHalf(id []byte, label string) template {
	t := template{
		attribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), k.keyType(),
		attribute(pkcs11.CKA_TOKEN, true), attribute(pkcs11.CKA_PRIVATE, true),
		attribute(pkcs11.CKA_SENSITIVE, true), attribute(pkcs11.CKA_EXTRACTABLE, true),
		attribute(pkcs11.CKA_ID, id), attribute(pkcs11.CKA_LABEL, label), attribute(pkcs11.CKA_SIGN, true),
	}
	if k.Curve == "" {
		t = append(t, attribute(pkcs11.CKA_DECRYPT, true))
	}
	return t
}

// publicHalf is what every public key is, but for its numbers.
func (k Kind) publicHalf(id []byte, label string) template {
	return template{
		attribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), k.keyType(),
		attribute(pkcs11.CKA_TOKEN, true), attribute(pkcs11.CKA_PRIVATE, false),
		attribute(pkcs11.CKA_ID, id), attribute(pkcs11.CKA_LABEL, label), attribute(pkcs11.CKA_VERIFY, true),
	}
}

// numbers are the attributes of a public half that say which one it is.
func (k Kind) numbers(p Public) template {
	if k.Curve == "" {
		return template{attribute(pkcs11.CKA_MODULUS, p.N), attribute(pkcs11.CKA_PUBLIC_EXPONENT, p.E)}
	}
	der, _ := asn1.Marshal(p.Point)
	return template{k.params(), attribute(pkcs11.CKA_EC_POINT, der)}
}

// destroy clears the private half.
func (p Private) destroy() {
	for _, b := range [][]byte{p.D, p.P, p.Q, p.DP, p.DQ, p.QI} {
		clear(b)
	}
}
