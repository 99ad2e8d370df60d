// Package protect is where private keys live.
//
// A [Protector] makes key pairs and uses their private halves; it never hands one out but
// sealed, for backups. What
// it returns for keeping, the handle, is opaque to everyone else: for [Software] the sealed
// private key itself, for a hardware module a reference into it. The rules of the vault
// (who may use which key, when) are not known here: a protector does what it is told.
package protect

import (
	"context"
	"crypto"

	"github.com/customerkey/customerkey/envelope"
)

// A Type is a kind of key pair, spelt as in a JSON web key.
type Type string

const (
	RSA Type = "RSA"
	EC  Type = "EC"
)

// A Spec says which key pair to make.
type Spec struct {
	Type  Type
	Bits  int    // RSA: 2048, 3072 or 4096; exponent 65537
	Curve string // EC: "P-256", "P-384", "P-521" or P256K
}

// An ID names one version of a key. Handles are bound to it: one that was moved to another
// row does not open. Vault and Key are in lower case, so that spelling does not matter.
type ID struct {
	Tenant, Vault, Key, Version string
}

// A Protector holds private keys. It is safe for concurrent use.
//
// Errors: fault.Invalid for what the key cannot do or a ciphertext that does not decrypt (one
// message for every cause, row KV-48), fault.Corrupt for a handle that is not what was kept
// under this id, fault.Unavailable where what holds the keys cannot be reached.
type Protector interface {
	// Name tells protectors apart in stored rows; it never changes.
	Name() string
	// Generate makes a key pair for id. The handle is to be kept; without it the key is lost.
	Generate(ctx context.Context, id ID, spec Spec) (handle []byte, pub crypto.PublicKey, err error)
	// Import keeps a key pair from outside for id, as Generate keeps what it made.
	Import(ctx context.Context, id ID, pair *Pair) (handle []byte, pub crypto.PublicKey, err error)
	// Public returns the public half as the protector knows it, whatever a stored row claims.
	Public(ctx context.Context, id ID, handle []byte) (crypto.PublicKey, error)
	// Decrypt decrypts under the private key, in constant time.
	Decrypt(ctx context.Context, id ID, handle []byte, alg Algorithm, ciphertext []byte) ([]byte, error)
	// Sign signs a digest of the algorithm's length under the private key.
	Sign(ctx context.Context, id ID, handle []byte, alg SignatureAlgorithm, digest []byte) ([]byte, error)
	// Export returns the private half sealed under to, for a backup; fault.Invalid for a key
	// that cannot leave. It opens for the same tenant, key and version, in any vault.
	Export(ctx context.Context, id ID, handle []byte, to envelope.Key) (sealed []byte, err error)
	// Adopt keeps what Export sealed as the private half of id, which must be as spec says.
	Adopt(ctx context.Context, id ID, spec Spec, from envelope.Key, sealed []byte) (handle []byte, pub crypto.PublicKey, err error)
	// Destroy removes what is held of id outside of the handle, for ever; there may be nothing.
	Destroy(ctx context.Context, id ID, handle []byte) error
	// Forget drops what is held in memory of id. To be called when its key is destroyed.
	Forget(id ID)
}
