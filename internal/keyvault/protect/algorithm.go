package protect

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RSA-OAEP of the key vault protocol is defined over SHA-1; sound within OAEP
	"crypto/sha256"
	"hash"

	"github.com/customerkey/customerkey/internal/fault"
)

// An Algorithm encrypts short values under a key pair: the same ones wrap keys and encrypt
// (RFC 7518 section 4; RSA-OAEP-256 is RSAES-OAEP with SHA-256 for hash and mask).
type Algorithm string

const (
	OAEP256 Algorithm = "RSA-OAEP-256"
	OAEP    Algorithm = "RSA-OAEP" // SHA-1
	PKCS1   Algorithm = "RSA1_5"
)

// Known reports whether a names an algorithm of this package.
func (a Algorithm) Known() bool { return a == OAEP256 || a == OAEP || a == PKCS1 }

// Approved reports whether this program may use a at all: with GODEBUG=fips140=only the
// standard library refuses SHA-1 and PKCS #1 v1.5 encryption.
func (a Algorithm) Approved() bool { return a == OAEP256 || a.Known() && !fips140.Enforced() }

// Overhead is how many bytes shorter than the modulus the longest plaintext is (row KV-48).
func (a Algorithm) Overhead() int {
	switch a {
	case OAEP256:
		return 2*sha256.Size + 2
	case OAEP:
		return 2*sha1.Size + 2
	default:
		return 11
	}
}

func (a Algorithm) hash() hash.Hash {
	if a == OAEP256 {
		return sha256.New()
	}
	return sha1.New() //nolint:gosec // see the import
}

// Encrypt encrypts plaintext under a public key. The error is fault.Invalid for an algorithm
// that may not be used and for a plaintext longer than the modulus less Overhead.
func Encrypt(pub *rsa.PublicKey, a Algorithm, plaintext []byte) ([]byte, error) {
	if !a.Approved() {
		return nil, errAlgorithm(a)
	}
	if len(plaintext) > pub.Size()-a.Overhead() {
		return nil, fault.New(fault.Invalid, "Property value is too long for this key and algorithm")
	}
	if a == PKCS1 {
		return rsa.EncryptPKCS1v15(rand.Reader, pub, plaintext) //nolint:staticcheck // for outside clients, row KV-49
	}
	return rsa.EncryptOAEP(a.hash(), rand.Reader, pub, plaintext, nil)
}

// decrypt is Encrypt's other half. The time it takes and the error it returns are the same
// for every ciphertext that does not decrypt.
func decrypt(key *rsa.PrivateKey, a Algorithm, ciphertext []byte) ([]byte, error) {
	if !a.Approved() {
		return nil, errAlgorithm(a)
	}
	if len(ciphertext) != key.Size() {
		return nil, errDecrypt()
	}
	var plaintext []byte
	var err error
	if a == PKCS1 {
		plaintext, err = rsa.DecryptPKCS1v15(nil, key, ciphertext) //nolint:staticcheck // for outside clients, row KV-49
	} else {
		plaintext, err = rsa.DecryptOAEP(a.hash(), nil, key, ciphertext, nil)
	}
	if err != nil {
		return nil, errDecrypt() // the cause stays here: it would make an oracle of the log
	}
	return plaintext, nil
}

func errAlgorithm(a Algorithm) error {
	return fault.New(fault.Invalid, "Algorithm %s is not allowed by this deployment", a).WithHint("use RSA-OAEP-256")
}

func errDecrypt() error {
	return fault.New(fault.Invalid, "Property value cannot be decrypted with this key and algorithm")
}
