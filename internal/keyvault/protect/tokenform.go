package protect

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"math"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
)

// fromToken reads a public half, and trusts nothing of it.
func fromToken(p hsm.Public) (crypto.PublicKey, error) {
	bad := fault.New(fault.Corrupt, "the token's public key cannot be read")
	if p.Curve != "" {
		if !CurveAllowed(p.Curve) {
			return nil, fault.New(fault.Invalid, "Keys on the curve %s are not allowed by this deployment", p.Curve)
		}
		pub, err := publicEC(p.Curve, p.Point)
		if err != nil {
			return nil, bad
		}
		return pub, nil
	}
	n, e := integer(p.N), integer(p.E)
	if bits := n.BitLen(); bits != 2048 && bits != 3072 && bits != 4096 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > math.MaxInt32 {
		return nil, bad
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// intoToken is fromToken's other half; nothing for a key of an unknown type.
func intoToken(pub crypto.PublicKey) hsm.Public {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return hsm.Public{N: pub.N.Bytes(), E: exponent(pub)}
	case *Koblitz:
		point, _ := pub.Bytes() // does not fail
		return hsm.Public{Curve: P256K, Point: point}
	case *ecdsa.PublicKey:
		point, err := pub.Bytes()
		if err == nil {
			return hsm.Public{Curve: pub.Curve.Params().Name, Point: point}
		}
	}
	return hsm.Public{}
}

func exponent(pub *rsa.PublicKey) []byte {
	e := uint32(pub.E)
	return integer([]byte{byte(e >> 24), byte(e >> 16), byte(e >> 8), byte(e)}).Bytes()
}

// toToken takes a key pair apart; whoever gets the bytes clears them.
func toToken(key crypto.Signer) hsm.Private {
	p := hsm.Private{Public: intoToken(key.Public())}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		p.D, p.P, p.Q = key.D.Bytes(), key.Primes[0].Bytes(), key.Primes[1].Bytes()
		p.DP, p.DQ, p.QI = key.Precomputed.Dp.Bytes(), key.Precomputed.Dq.Bytes(), key.Precomputed.Qinv.Bytes()
	case *ecdsa.PrivateKey:
		p.D, _ = key.Bytes() // a key that was checked has bytes
	case *koblitzPrivate:
		p.D = key.key().Serialize()
	}
	return p
}

// specOf says what a public half is of.
func specOf(pub crypto.PublicKey) Spec {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return Spec{Type: RSA, Bits: pub.N.BitLen()}
	case *ecdsa.PublicKey:
		return Spec{Type: EC, Curve: pub.Curve.Params().Name}
	case *Koblitz:
		return Spec{Type: EC, Curve: P256K}
	}
	return Spec{}
}
