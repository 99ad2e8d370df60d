package hsm

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// Config names a token.
type Config struct {
	Module   string        // required: path of the PKCS #11 library
	Label    string        // required: label of the token
	PINFile  string        // required: file with the user's PIN in its first line; read at each log-in
	Sessions int           // how many calls run at once; 8 if zero
	Patience time.Duration // how long a call may take; 30 s if zero
}

const (
	defaultSessions = 8
	defaultPatience = 30 * time.Second
)

func (c Config) check() (Config, error) {
	if c.Module == "" || c.Label == "" || c.PINFile == "" {
		return c, fault.New(fault.Invalid, "A token needs a module, a label and a file with its PIN").WithReason(ReasonSetup)
	}
	if c.Sessions <= 0 {
		c.Sessions = defaultSessions
	}
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	return c, nil
}

// Reasons of the faults that tell an administrator's mistake from a token that is away: with
// them trying again does not help.
const (
	ReasonSetup = "TokenSetup" // the library cannot be loaded, the PIN cannot be read
	ReasonPIN   = "TokenPIN"   // the token refuses the PIN; it is not tried again until its file changes
)

// A Kind is a kind of key pair.
type Kind struct {
	Bits  int    // RSA: of the modulus; the exponent is 65537. 0 for EC
	Curve string // EC: "P-256", "P-384", "P-521" or "P-256K"
}

// A Public is the public half of a key pair: numbers in big-endian bytes.
type Public struct {
	N, E  []byte // RSA
	Curve string // EC
	Point []byte // EC: 4 ‖ X ‖ Y
}

// A Private is a key pair from outside on its way into a token. It is only ever passed in a
// function, which whatever prints values does not call, and cleared by the package that called it.
type Private struct {
	Public
	D, P, Q, DP, DQ, QI []byte // RSA; of EC D, as long as the curve's order
}

// A Mechanism is what a private key can be asked to do.
type Mechanism int

const (
	RawRSA  Mechanism = iota // decrypt: the RSA permutation alone (RFC 8017 section 5.1.2)
	OAEP1                    // decrypt: RSAES-OAEP with SHA-1
	OAEP256                  // decrypt: RSAES-OAEP with SHA-256 for hash and mask
	PKCS1                    // sign: RSASSA-PKCS1-v1_5 of a DigestInfo in DER
	PSS256                   // sign: RSASSA-PSS of a digest, salt as long as it
	PSS384
	PSS512
	ECDSA // sign: r ‖ s, each as long as the curve's order
)

// A Token is an open token. It is safe for concurrent use.
//
// Errors: fault.Unavailable where the token cannot be reached; fault.Invalid
// for what it refuses to do or a ciphertext that it does not decrypt; fault.Corrupt for a key
// that is not in it and for wrapped bytes that do not unwrap. The context's own error where
// that ended.
type Token interface {
	// Check connects to the token if that was not done, and asks it for its state.
	Check(ctx context.Context) error
	// Model says what the token is, in the words of who made it.
	Model(ctx context.Context) (string, error)

	// Generate makes a key pair. It is never tried twice: after an error there may be one.
	Generate(ctx context.Context, id []byte, label string, k Kind) (Public, error)
	// Import puts a key pair in.
	Import(ctx context.Context, id []byte, label string, k Kind, private func() Private) error
	// Public reads the public half.
	Public(ctx context.Context, id []byte) (Public, error)
	// Can reports whether the token decrypts by a mechanism, which was found out by doing it.
	Can(ctx context.Context, m Mechanism) (bool, error)
	// Decrypt uses the private key. Of RawRSA the result is as long as the modulus.
	Decrypt(ctx context.Context, id []byte, m Mechanism, in []byte) ([]byte, error)
	// Sign uses the private key.
	Sign(ctx context.Context, id []byte, m Mechanism, in []byte) ([]byte, error)
	// Export wraps the private half under the token's AES key of a label (RFC 5649).
	Export(ctx context.Context, id []byte, under string) ([]byte, error)
	// Adopt takes in what Export wrapped, with its public half. The caller knows that nobody has changed
	// it: a token that does not say that the bytes are wrong is taken to be away, and nobody is told that
	// his backup is bad.
	Adopt(ctx context.Context, id []byte, label string, k Kind, pub Public, under string, wrapped []byte) error
	// Destroy removes what has the id, for ever; there may be nothing.
	Destroy(ctx context.Context, id []byte) error

	// Wrap seals a short plaintext under the token's AES key of a label (AES-256-GCM, random
	// nonce), which is made if there is none. Unwrap opens it with the same aad.
	Wrap(ctx context.Context, label string, plaintext, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, label string, wrapped, aad []byte) ([]byte, error)

	// Close gives the sessions up. Calls that are under way end first.
	Close() error
}
