package protect

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // what crypto.SHA256 and the two below stand for
	_ "crypto/sha512"
	"math/big"

	"github.com/customerkey/customerkey/internal/fault"
)

// A SignatureAlgorithm signs a digest (RFC 7518 section 3): RSxxx is RSASSA-PKCS1-v1_5, PSxxx
// RSASSA-PSS with a salt as long as the hash, ESxxx ECDSA on the one curve that goes with it.
type SignatureAlgorithm string

// A scheme is what a signature algorithm stands for.
type scheme struct {
	hash  crypto.Hash
	pss   bool
	curve string // EC; "" for RSA
}

var schemes = map[SignatureAlgorithm]scheme{
	"RS256": {hash: crypto.SHA256},
	"RS384": {hash: crypto.SHA384},
	"RS512": {hash: crypto.SHA512},
	"PS256": {hash: crypto.SHA256, pss: true},
	"PS384": {hash: crypto.SHA384, pss: true},
	"PS512": {hash: crypto.SHA512, pss: true},
	"ES256": {hash: crypto.SHA256, curve: "P-256"},
	"ES384": {hash: crypto.SHA384, curve: "P-384"},
	"ES512": {hash: crypto.SHA512, curve: "P-521"},

	"ES256K": {hash: crypto.SHA256, curve: P256K}, // RFC 8812
}

// Known reports whether a names an algorithm of this package.
func (a SignatureAlgorithm) Known() bool { return schemes[a].hash != 0 }

// DigestSize is how many bytes a signs: exactly the hash's (row KV-50). a must be known.
func (a SignatureAlgorithm) DigestSize() int { return schemes[a].hash.Size() }

// Fits reports whether keys of a type, and for EC of a curve, sign with a.
func (a SignatureAlgorithm) Fits(t Type, curve string) bool {
	s, ok := schemes[a]
	return ok && (t == RSA && s.curve == "" || t == EC && s.curve == curve && curve != "")
}

// check finds the scheme and holds the digest to its length and the deployment to what it allows.
func (a SignatureAlgorithm) check(digest []byte) (scheme, error) {
	s, ok := schemes[a]
	if !ok {
		return s, fault.New(fault.Invalid, "Algorithm %.32s is not known", string(a))
	}
	if len(digest) != s.hash.Size() {
		return s, fault.New(fault.Invalid, "%s signs a digest of %d bytes", a, s.hash.Size())
	}
	if s.curve != "" && !CurveAllowed(s.curve) {
		return s, fault.New(fault.Invalid, "Algorithm %s is not allowed by this deployment", a)
	}
	return s, nil
}

// sign signs a digest. An EC signature is r || s, each as long as the curve's field.
func sign(key crypto.Signer, a SignatureAlgorithm, digest []byte) ([]byte, error) {
	s, err := a.check(digest)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if s.curve != "" {
			break
		}
		if s.pss {
			return rsa.SignPSS(rand.Reader, key, s.hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(nil, key, s.hash, digest)
	case *ecdsa.PrivateKey:
		if s.curve != key.Curve.Params().Name {
			break
		}
		r, t, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "signing failed")
		}
		size := fieldSize(key.Params().BitSize)
		signature := make([]byte, 2*size)
		r.FillBytes(signature[:size])
		t.FillBytes(signature[size:])
		return signature, nil
	case *koblitzPrivate:
		if s.curve == P256K {
			return key.Sign(nil, digest, s.hash)
		}
	}
	return nil, errUnfit(a)
}

// Verify reports whether signature is one of digest under a public key; a signature of the
// wrong length is none. The error is fault.Invalid for a digest of the wrong length, and for
// a key that a does not fit.
func Verify(pub crypto.PublicKey, a SignatureAlgorithm, digest, signature []byte) (bool, error) {
	s, err := a.check(digest)
	if err != nil {
		return false, err
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if s.curve != "" {
			break
		}
		if s.pss {
			return rsa.VerifyPSS(pub, s.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil, nil
		}
		return rsa.VerifyPKCS1v15(pub, s.hash, digest, signature) == nil, nil
	case *ecdsa.PublicKey:
		if s.curve != pub.Curve.Params().Name {
			break
		}
		size := fieldSize(pub.Params().BitSize)
		if len(signature) != 2*size {
			return false, nil
		}
		r, t := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(pub, digest, r, t), nil
	case *Koblitz:
		if s.curve == P256K {
			return pub.verify(digest, signature), nil
		}
	}
	return false, errUnfit(a)
}

// fieldSize is how many bytes a coordinate of a curve takes.
func fieldSize(bits int) int { return (bits + 7) / 8 }

func errUnfit(a SignatureAlgorithm) error {
	return fault.New(fault.Invalid, "Algorithm %s does not fit this key", a)
}
