package protect

import (
	"crypto"
	"crypto/rsa"
	"math"
	"math/big"
)

var one = big.NewInt(1)

// rsaPair checks sizes first, so that what follows costs no more than signing a few times,
// whatever was sent.
func (j JWK) rsaPair() (*Pair, error) {
	n, e := integer(j.N), integer(j.E)
	bits := n.BitLen()
	if bits != 2048 && bits != 3072 && bits != 4096 {
		return nil, errMember("n", "The modulus has 2048, 3072 or 4096 bits.")
	}
	if e.Cmp(big.NewInt(2)) <= 0 || e.Cmp(big.NewInt(math.MaxInt32)) > 0 || e.Bit(0) == 0 {
		return nil, errMember("e", "The exponent is odd, greater than 2 and less than 2^31.")
	}
	d, p, q := integer(j.D.bytes()), integer(j.P.bytes()), integer(j.Q.bytes())
	if d.Sign() == 0 || d.Cmp(n) >= 0 {
		return nil, errMember("d", "")
	}
	if err := checkPrimes(n, p, q); err != nil {
		return nil, err
	}
	if err := j.checkExponents(e, d, p, q); err != nil {
		return nil, err
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}
	key.Precompute()
	if key.Validate() != nil { // the cause may quote the key
		return nil, errMember("d", "The members do not make one key.")
	}
	return &Pair{Spec{Type: RSA, Bits: bits}, func() crypto.Signer { return key }}, nil
}

// checkPrimes: n = p * q, two different primes half as long as n.
func checkPrimes(n, p, q *big.Int) error {
	for name, prime := range map[string]*big.Int{"p": p, "q": q} {
		if prime.BitLen() != n.BitLen()/2 || prime.Bit(0) == 0 {
			return errMember(name, "p and q are primes half as long as the modulus.")
		}
	}
	if new(big.Int).Mul(p, q).Cmp(n) != 0 || p.Cmp(q) == 0 {
		return errMember("n", "The modulus is the product of p and q, which differ.")
	}
	if !p.ProbablyPrime(8) {
		return errMember("p", "p is not a prime.")
	}
	if !q.ProbablyPrime(8) {
		return errMember("q", "q is not a prime.")
	}
	return nil
}

// checkExponents: e * d = 1 modulo p-1 and q-1, and the members for the Chinese remainder
// theorem are what follows from the others, where they are given.
func (j JWK) checkExponents(e, d, p, q *big.Int) error {
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	product := new(big.Int).Mul(e, d)
	for _, m := range []*big.Int{p1, q1} {
		if new(big.Int).Mod(product, m).Cmp(one) != 0 {
			return errMember("d", "The private exponent does not undo the public one.")
		}
	}
	for _, m := range []struct {
		name  string
		given Secret
		want  *big.Int
	}{
		{"dp", j.DP, new(big.Int).Mod(d, p1)}, {"dq", j.DQ, new(big.Int).Mod(d, q1)}, {"qi", j.QI, new(big.Int).ModInverse(q, p)},
	} {
		if !m.given.IsZero() && integer(m.given.bytes()).Cmp(m.want) != 0 {
			return errMember(m.name, "It does not follow from the other members.")
		}
	}
	return nil
}

func integer(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
