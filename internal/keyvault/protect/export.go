package protect

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/binary"
	"math"
	"math/big"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// exportPurpose begins the associated data of an exported private half. Its plaintext is a
// byte 1 and
//
//	RSA  exponent, 4 bytes ‖ first prime ‖ second prime, each half as long as the modulus
//	EC   scalar, as long as the curve's order
//
// which is a third of PKCS #8: backups of 500 versions have to fit into a request.
const exportPurpose = "exported private key 1"

const exportLayout = 1

// Export seals a private half under another key. The vault is not part of what it is bound
// to: a backup is restored into another one.
func (s *Software) Export(_ context.Context, id ID, handle []byte, to envelope.Key) ([]byte, error) {
	key, err := s.key(id, handle)
	if err != nil {
		return nil, err
	}
	plain, err := shorten(key)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return envelope.Seal(nil, to, id.bindExport(), plain)
}

// Adopt keeps what Export sealed.
func (s *Software) Adopt(_ context.Context, id ID, spec Spec, from envelope.Key, sealed []byte) ([]byte, crypto.PublicKey, error) {
	plain, err := envelope.Open(nil, from, id.bindExport(), sealed)
	if err != nil {
		return nil, nil, err
	}
	defer clear(plain)
	key, err := lengthen(spec, plain)
	if err != nil {
		return nil, nil, err
	}
	return s.kept(id, key)
}

// keep seals a private key as the handle of id.
func (s *Software) keep(id ID, key crypto.Signer) ([]byte, error) {
	der, err := marshalPrivate(key)
	if err != nil {
		return nil, fault.New(fault.Internal, "the private key cannot be encoded") // the cause may quote key bytes
	}
	defer clear(der)
	return s.seal.Seal(id.bind(), der)
}

func (id ID) bindExport() []byte {
	return envelope.Bind(exportPurpose, id.Tenant, id.Key, id.Version)
}

func shorten(key crypto.Signer) ([]byte, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		half := k.Size() / 2
		if len(k.Primes) != 2 || k.Primes[0].BitLen() > half*8 || k.Primes[1].BitLen() > half*8 || k.E > math.MaxInt32 {
			return nil, fault.New(fault.Invalid, "The key has a form that cannot be exported")
		}
		plain := make([]byte, 5+2*half)
		plain[0] = exportLayout
		binary.BigEndian.PutUint32(plain[1:], uint32(k.E))
		k.Primes[0].FillBytes(plain[5 : 5+half])
		k.Primes[1].FillBytes(plain[5+half:])
		return plain, nil
	case *ecdsa.PrivateKey:
		scalar, err := k.Bytes()
		if err != nil {
			return nil, fault.New(fault.Internal, "the private key cannot be encoded")
		}
		defer clear(scalar)
		return append([]byte{exportLayout}, scalar...), nil
	case *koblitzPrivate:
		scalar := k.key().Serialize()
		defer clear(scalar)
		return append([]byte{exportLayout}, scalar...), nil
	}
	return nil, fault.New(fault.Invalid, "The key is of a type that cannot be exported")
}

// lengthen makes the key again, and trusts nothing of it: who sealed it may have erred.
func lengthen(spec Spec, plain []byte) (crypto.Signer, error) {
	bad := errExported()
	if len(plain) == 0 || plain[0] != exportLayout {
		return nil, bad
	}
	switch spec.Type {
	case RSA:
		if key, ok := fromPrimes(spec.Bits, plain[1:]); ok {
			return key, nil
		}
	case EC:
		if !CurveAllowed(spec.Curve) {
			return nil, bad
		}
		if key, err := privateEC(spec.Curve, plain[1:]); err == nil {
			return key, nil
		}
	}
	return nil, bad
}

func fromPrimes(bits int, b []byte) (*rsa.PrivateKey, bool) {
	if bits != 2048 && bits != 3072 && bits != 4096 || len(b) != 4+bits/8 {
		return nil, false
	}
	e := int64(binary.BigEndian.Uint32(b))
	p, q := new(big.Int).SetBytes(b[4:4+bits/16]), new(big.Int).SetBytes(b[4+bits/16:])
	n := new(big.Int).Mul(p, q)
	if n.BitLen() != bits || e < 3 || e > math.MaxInt32 {
		return nil, false
	}
	one := big.NewInt(1)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	lcm := new(big.Int).Mul(p1, q1)
	lcm.Div(lcm, new(big.Int).GCD(nil, nil, p1, q1))
	d := new(big.Int).ModInverse(big.NewInt(e), lcm)
	if d == nil {
		return nil, false
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e)}, D: d, Primes: []*big.Int{p, q}}
	key.Precompute()
	key.Precompute()
	return key, key.Validate() == nil
}
