package protect

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
)

// curves are those of Go's own library; P256K is beside them.
var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// coordinate is how many bytes a coordinate of an allowed curve takes.
func coordinate(curve string) int {
	if curve == P256K {
		return 32
	}
	return fieldSize(curves[curve].Params().BitSize)
}

// generateEC makes a key pair on an allowed curve.
func generateEC(curve string) (crypto.Signer, error) {
	if curve == P256K {
		return newKoblitz()
	}
	return ecdsa.GenerateKey(curves[curve], rand.Reader)
}

// privateEC reads a private key of an allowed curve, as long as a coordinate.
func privateEC(curve string, d []byte) (crypto.Signer, error) {
	if curve == P256K {
		return koblitzFrom(d)
	}
	return ecdsa.ParseRawPrivateKey(curves[curve], d)
}

// An ecPublic is an *ecdsa.PublicKey or a *Koblitz.
type ecPublic interface {
	Equal(x crypto.PublicKey) bool
}

// publicEC reads a point of an allowed curve: 4, X and Y.
func publicEC(curve string, point []byte) (ecPublic, error) {
	if curve == P256K {
		return parseKoblitz(point)
	}
	return ecdsa.ParseUncompressedPublicKey(curves[curve], point)
}

// marshalPrivate returns PKCS #8 DER; the caller clears it.
func marshalPrivate(key crypto.Signer) ([]byte, error) {
	if k, ok := key.(*koblitzPrivate); ok {
		return k.marshal(), nil
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// parsePrivate reads what marshalPrivate returned.
func parsePrivate(der []byte) (any, error) {
	if k, ok := koblitzDER(der); ok {
		return k, nil
	}
	return x509.ParsePKCS8PrivateKey(der)
}
