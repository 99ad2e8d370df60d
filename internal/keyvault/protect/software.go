package protect

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/headroom"
	"github.com/customerkey/customerkey/internal/seal"
)

// sealPurpose begins the associated data of a sealed private key. The handle of a Software
// protector, version 1, is
//
//	Seal.Seal(Bind(sealPurpose, tenant, vault, key, version), PKCS #8 DER)
const sealPurpose = "vault private key 1"

// defaultKeep bounds the keys held open: 256 of RSA-4096 take about 3 MiB.
const defaultKeep = 256

// SoftwareConfig is what a Software protector needs.
type SoftwareConfig struct {
	Seal *seal.Seal // required: the seal of the vault database
	Keep int        // how many opened private keys are kept in memory; 256 if zero
}

// Software keeps private keys sealed under the vault database's seal and uses them in
// this process. Opening a key costs 0.1 ms (RSA 2048) to 0.5 ms (RSA 4096), so the ones used
// last stay open, at most Keep.
type Software struct {
	seal   *seal.Seal
	open   *cache[crypto.Signer]
	making places // for key pairs that are being made
	using  places // for private keys that are being used
}

// NewSoftware returns a Software protector.
func NewSoftware(c SoftwareConfig) (*Software, error) {
	if c.Seal == nil {
		return nil, errors.New("protect: Seal is required")
	}
	if c.Keep <= 0 {
		c.Keep = defaultKeep
	}
	n := headroom.Processors()
	return &Software{seal: c.Seal, open: newCache[crypto.Signer](c.Keep), making: newPlaces(n), using: newPlaces(n)}, nil
}

// SoftwareName is the name of the Software protector.
const SoftwareName = "software"

// Name is SoftwareName.
func (s *Software) Name() string { return SoftwareName }

// Generate makes a key pair. An RSA 4096 pair takes a second of one core, so no more are made
// at once than there are cores; a ctx that ends while waiting returns its error.
func (s *Software) Generate(ctx context.Context, id ID, spec Spec) ([]byte, crypto.PublicKey, error) {
	leave, err := s.making.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	key, err := generate(spec)
	if err != nil {
		return nil, nil, err
	}
	return s.kept(id, key)
}

// Import seals a key pair from outside as Generate seals its own.
func (s *Software) Import(_ context.Context, id ID, pair *Pair) ([]byte, crypto.PublicKey, error) {
	return s.kept(id, pair.key())
}

func (s *Software) kept(id ID, key crypto.Signer) ([]byte, crypto.PublicKey, error) {
	handle, err := s.keep(id, key)
	if err != nil {
		return nil, nil, err
	}
	return handle, key.Public(), nil
}

func generate(spec Spec) (crypto.Signer, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	if spec.Type == EC {
		return generateEC(spec.Curve)
	}
	return rsa.GenerateKey(rand.Reader, spec.Bits)
}

// Public opens the key and returns its public half.
func (s *Software) Public(_ context.Context, id ID, handle []byte) (crypto.PublicKey, error) {
	key, err := s.key(id, handle)
	if err != nil {
		return nil, err
	}
	return key.Public(), nil
}

// Decrypt decrypts under an RSA key. No more private keys are used at once than there are
// processors; a ctx that ends while waiting returns its error.
func (s *Software) Decrypt(ctx context.Context, id ID, handle []byte, alg Algorithm, ciphertext []byte) ([]byte, error) {
	key, err := s.key(id, handle)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fault.New(fault.Invalid, "Algorithm %s needs an RSA key", alg)
	}
	leave, err := s.using.take(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return decrypt(private, alg, ciphertext)
}

// Sign signs a digest, and waits as Decrypt does.
func (s *Software) Sign(ctx context.Context, id ID, handle []byte, alg SignatureAlgorithm, digest []byte) ([]byte, error) {
	key, err := s.key(id, handle)
	if err != nil {
		return nil, err
	}
	leave, err := s.using.take(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return sign(key, alg, digest)
}

// Destroy does what Forget does: the private half goes with its handle.
func (s *Software) Destroy(_ context.Context, id ID, _ []byte) error {
	s.Forget(id)
	return nil
}

// Forget closes the key if it is open.
func (s *Software) Forget(id ID) { s.open.drop(id) }

// key returns the opened key. Two goroutines may open the same one at once, which is harmless.
func (s *Software) key(id ID, handle []byte) (crypto.Signer, error) {
	if key, ok := s.open.get(id); ok {
		return key, nil
	}
	der, err := s.seal.Open(id.bind(), handle)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	parsed, err := parsePrivate(der)
	if err != nil {
		return nil, fault.New(fault.Corrupt, "the stored private key cannot be read") // the cause may quote key bytes
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fault.New(fault.Corrupt, "the stored private key is of an unknown type")
	}
	s.open.put(id, key)
	return key, nil
}

func (id ID) bind() []byte {
	return envelope.Bind(sealPurpose, id.Tenant, id.Vault, id.Key, id.Version)
}

// Shelf returns the private keys in rows, whose parts are tenant, vault, key and version, for
// being re-sealed. Their handles are those of a Software protector.
func Shelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("private keys", rows, func(p []string) []byte { return ID{p[0], p[1], p[2], p[3]}.bind() })
}
