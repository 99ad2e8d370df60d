package protect

import (
	"bytes"
	"crypto"
	"crypto/x509"
)

// MarshalPublic encodes a public key as X.509 has it (SubjectPublicKeyInfo, DER).
func MarshalPublic(pub crypto.PublicKey) ([]byte, error) {
	if k, ok := pub.(*Koblitz); ok {
		point, err := k.Bytes()
		return append(bytes.Clone(koblitzSPKI), point...), err
	}
	return x509.MarshalPKIXPublicKey(pub)
}

// ParsePublic reads what MarshalPublic returned.
func ParsePublic(der []byte) (crypto.PublicKey, error) {
	if point, ok := bytes.CutPrefix(der, koblitzSPKI); ok {
		return parseKoblitz(point)
	}
	return x509.ParsePKIXPublicKey(der)
}
