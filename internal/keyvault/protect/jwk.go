package protect

import (
	"bytes"
	"crypto"

	"github.com/customerkey/customerkey/internal/fault"
)

// A JWK is a key pair from outside, as the members of a JSON web key (RFC 7518 section 6).
// Leading zeros do not matter. Whoever made it calls Destroy.
type JWK struct {
	Type Type

	N, E                []byte // RSA
	P, Q, DP, DQ, QI, D Secret // D also EC

	Curve string // EC
	X, Y  []byte
}

// Destroy clears the private members.
func (j JWK) Destroy() {
	for _, s := range []Secret{j.D, j.P, j.Q, j.DP, j.DQ, j.QI} {
		s.Destroy()
	}
}

// A Pair is a key pair that was checked and may be imported. Its private half cannot be
// printed, as a Secret's bytes cannot.
type Pair struct {
	spec Spec
	key  func() crypto.Signer
}

// Spec says what the pair is.
func (p *Pair) Spec() Spec { return p.spec }

// Pair checks that the members make one sound key pair of a supported size, as row KV-54 asks.
// The error is fault.Invalid and names the member.
func (j JWK) Pair() (*Pair, error) {
	var p *Pair
	var err error
	switch j.Type {
	case RSA:
		p, err = j.rsaPair()
	case EC:
		p, err = j.ecPair()
	default:
		return nil, errMember("kty", "")
	}
	if err != nil {
		return nil, err
	}
	return p, p.try()
}

// try signs and verifies, which a pair that this program may not use (an exponent that is too
// small for approved cryptography) fails.
func (p *Pair) try() error {
	alg := p.spec.anySignature()
	digest := bytes.Repeat([]byte{1}, alg.DigestSize())
	signature, err := sign(p.key(), alg, digest)
	if err != nil { // the cause may quote the key
		return fault.New(fault.Invalid, "The key is not allowed by this deployment")
	}
	if valid, err := Verify(p.key().Public(), alg, digest, signature); err != nil || !valid {
		return errMember("d", "The private key does not belong to the public key.")
	}
	return nil
}

func (j JWK) ecPair() (*Pair, error) {
	if !CurveAllowed(j.Curve) {
		return nil, errMember("crv", "The curves are P-256, P-384, P-521 and, where it is allowed, P-256K.")
	}
	size := coordinate(j.Curve)
	d, fits := padded(j.D.bytes(), size)
	defer clear(d)
	if !fits {
		return nil, errMember("d", "")
	}
	key, err := privateEC(j.Curve, d)
	if err != nil {
		return nil, errMember("d", "")
	}
	point := []byte{4}
	for name, c := range map[string][]byte{"x": j.X, "y": j.Y} {
		if _, fits := padded(c, size); !fits {
			return nil, errMember(name, "")
		}
	}
	x, _ := padded(j.X, size)
	y, _ := padded(j.Y, size)
	point = append(append(point, x...), y...)
	public, err := publicEC(j.Curve, point)
	if err != nil {
		return nil, errMember("x", "The point x, y is not on the curve.")
	}
	if !public.Equal(key.Public()) {
		return nil, errMember("d", "The private key does not belong to the public key.")
	}
	return &Pair{Spec{Type: EC, Curve: j.Curve}, func() crypto.Signer { return key }}, nil
}

// padded returns b without leading zeros in size bytes; it does not fit if it is zero or longer.
func padded(b []byte, size int) (out []byte, fits bool) {
	b = bytes.TrimLeft(b, "\x00")
	if len(b) == 0 || len(b) > size {
		return nil, false
	}
	out = make([]byte, size)
	copy(out[size-len(b):], b)
	return out, true
}

// errMember names a member as the protocol nests it.
func errMember(name, hint string) error {
	e := fault.New(fault.Invalid, "Property key.%s has invalid value", name)
	if hint == "" {
		return e
	}
	return e.WithHint("%s", hint)
}
