package protect

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"errors"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/customerkey/customerkey/internal/fault"
)

// P256K is the curve secp256k1 (RFC 8812), which Go's own library has not. It is not approved
// cryptography, and its arithmetic does not take the same time for every private key.
const P256K = "P-256K"

// CurveAllowed reports whether keys of a curve can be made and used here: with
// GODEBUG=fips140=only P-256K cannot.
func CurveAllowed(curve string) bool {
	if curve == P256K {
		return !fips140.Enforced()
	}
	return curves[curve] != nil
}

// A Koblitz is a public key on P-256K.
type Koblitz struct{ point *secp256k1.PublicKey }

// Bytes returns the point as ecdsa.PublicKey does: 4, X and Y.
func (p *Koblitz) Bytes() ([]byte, error) { return p.point.SerializeUncompressed(), nil }

// Equal reports whether x is the same key.
func (p *Koblitz) Equal(x crypto.PublicKey) bool {
	o, ok := x.(*Koblitz)
	return ok && p.point.IsEqual(o.point)
}

func parseKoblitz(point []byte) (*Koblitz, error) {
	p, err := secp256k1.ParsePubKey(point)
	if err != nil || len(point) != 65 || point[0] != 4 {
		return nil, errors.New("protect: not a point of P-256K")
	}
	return &Koblitz{p}, nil
}

func (p *Koblitz) verify(digest, signature []byte) bool {
	var r, s secp256k1.ModNScalar
	if len(signature) != 64 || r.SetByteSlice(signature[:32]) || s.SetByteSlice(signature[32:]) || r.IsZero() || s.IsZero() {
		return false
	}
	return ecdsa.NewSignature(&r, &s).Verify(digest, p.point)
}

// A koblitzPrivate is the private half. The function keeps it from being printed.
type koblitzPrivate struct{ key func() *secp256k1.PrivateKey }

func newKoblitz() (*koblitzPrivate, error) {
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a key could not be made")
	}
	return &koblitzPrivate{func() *secp256k1.PrivateKey { return key }}, nil
}

// koblitzFrom reads the 32 bytes of a private key.
func koblitzFrom(d []byte) (*koblitzPrivate, error) {
	var scalar secp256k1.ModNScalar
	if len(d) != 32 || scalar.SetByteSlice(d) || scalar.IsZero() {
		return nil, errors.New("protect: not a private key of P-256K")
	}
	key := secp256k1.NewPrivateKey(&scalar)
	return &koblitzPrivate{func() *secp256k1.PrivateKey { return key }}, nil
}

// Public implements crypto.Signer.
func (k *koblitzPrivate) Public() crypto.PublicKey { return &Koblitz{k.key().PubKey()} }

// Sign implements crypto.Signer; the signature is r || s.
func (k *koblitzPrivate) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	signature := ecdsa.Sign(k.key(), digest)
	r, s := signature.R(), signature.S()
	rb, sb := r.Bytes(), s.Bytes()
	return append(rb[:], sb[:]...), nil
}

// The encodings of X.509 and PKCS #8 (RFC 5280, RFC 5915) with the curve's object identifier
// 1.3.132.0.10: everything has one length, so that what surrounds d and the point is fixed.
var (
	koblitzSPKI = []byte("\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a\x03\x42\x00")
	koblitzPKCS = []byte("\x30\x81\x84\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a" +
		"\x04\x6d\x30\x6b\x02\x01\x01\x04\x20")
	koblitzThen = []byte("\xa1\x44\x03\x42\x00")
)

// marshal returns PKCS #8 DER; the caller clears it.
func (k *koblitzPrivate) marshal() []byte {
	d := k.key().Serialize()
	defer clear(d)
	return bytes.Join([][]byte{koblitzPKCS, d, koblitzThen, k.key().PubKey().SerializeUncompressed()}, nil)
}

// koblitzDER reads what marshal returned, if der is that.
func koblitzDER(der []byte) (*koblitzPrivate, bool) {
	rest, ok := bytes.CutPrefix(der, koblitzPKCS)
	if !ok || len(rest) != 32+len(koblitzThen)+65 {
		return nil, false
	}
	key, err := koblitzFrom(rest[:32])
	return key, err == nil
}
