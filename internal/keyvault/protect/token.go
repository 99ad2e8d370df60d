package protect

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
)

// TokenPrefix begins the name of every Token protector; the token's label follows, for keys of
// another token are not in this one.
const TokenPrefix = "pkcs11:"

// tokenPurpose begins what the id of a key pair in a token is made of. The handle is
//
//	1 ‖ 16 random bytes
//
// and names the objects whose CKA_ID is SHA-256(Bind(tokenPurpose, tenant, vault, key, version,
// handle)): under another id, in another row, it names nothing.
const tokenPurpose = "vault private key in a token 1"

const (
	tokenLayout = 1
	handleSize  = 17
)

// keepPublic bounds the public halves that are remembered: of 4096 about 3 MiB.
const keepPublic = 4096

// TokenConfig is what a Token protector needs.
type TokenConfig struct {
	Token hsm.Token // required
	Label string    // required: the token's

	// Reserve is required. It keeps a handle before anything is made under it, so that whatever
	// happens next someone knows what to destroy.
	Reserve func(ctx context.Context, id ID, handle []byte) error
}

// A Token keeps private keys in a hardware security module, which makes and uses them; no
// private half is ever in this process but one that is imported. Where the module does no more
// than the RSA permutation, padding is taken off here (unpad.go).
type Token struct {
	token   hsm.Token
	name    string
	reserve func(ctx context.Context, id ID, handle []byte) error
	public  *cache[crypto.PublicKey]
}

// NewToken returns a Token protector.
func NewToken(c TokenConfig) (*Token, error) {
	if c.Token == nil || c.Label == "" || c.Reserve == nil {
		return nil, errors.New("protect: Token, Label and Reserve are required")
	}
	return &Token{token: c.Token, name: TokenPrefix + c.Label, reserve: c.Reserve, public: newCache[crypto.PublicKey](keepPublic)}, nil
}

// Name is TokenPrefix and the token's label.
func (t *Token) Name() string { return t.name }

// Generate has the token make a key pair.
func (t *Token) Generate(ctx context.Context, id ID, spec Spec) ([]byte, crypto.PublicKey, error) {
	if err := spec.check(); err != nil {
		return nil, nil, err
	}
	handle, err := t.next(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	made, err := t.token.Generate(ctx, id.object(handle), id.label(), spec.kind())
	if err != nil {
		return nil, nil, err
	}
	pub, err := fromToken(made)
	return handle, pub, err
}

// Import puts a key pair from outside into the token.
func (t *Token) Import(ctx context.Context, id ID, pair *Pair) ([]byte, crypto.PublicKey, error) {
	handle, err := t.next(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	err = t.token.Import(ctx, id.object(handle), id.label(), pair.spec.kind(), func() hsm.Private { return toToken(pair.key()) })
	return handle, pair.key().Public(), err
}

// next returns a handle that is reserved.
func (t *Token) next(ctx context.Context, id ID) ([]byte, error) {
	handle := make([]byte, handleSize)
	rand.Read(handle)
	handle[0] = tokenLayout
	return handle, t.reserve(ctx, id, handle)
}

// Public returns the public half that the token has.
func (t *Token) Public(ctx context.Context, id ID, handle []byte) (crypto.PublicKey, error) {
	if pub, ok := t.public.get(id); ok {
		return pub, nil
	}
	if err := checkHandle(handle); err != nil {
		return nil, err
	}
	found, err := t.token.Public(ctx, id.object(handle))
	if err != nil {
		return nil, err
	}
	pub, err := fromToken(found)
	if err != nil {
		return nil, err
	}
	t.public.put(id, pub)
	return pub, nil
}

// Destroy removes the key pair from the token.
func (t *Token) Destroy(ctx context.Context, id ID, handle []byte) error {
	t.Forget(id)
	return t.token.Destroy(ctx, id.object(handle))
}

// Forget drops the public half.
func (t *Token) Forget(id ID) { t.public.drop(id) }

// object is the CKA_ID of what a handle names.
func (id ID) object(handle []byte) []byte {
	sum := sha256.Sum256(envelope.Bind(tokenPurpose, id.Tenant, id.Vault, id.Key, id.Version, string(handle)))
	return sum[:]
}

// label is for the people who look into the token.
func (id ID) label() string { return "customerkey " + id.Vault + "/" + id.Key + "/" + id.Version }

func checkHandle(handle []byte) error {
	if len(handle) != handleSize || handle[0] != tokenLayout {
		return fault.New(fault.Corrupt, "the stored handle is not one of a token")
	}
	return nil
}

// check refuses what no protector makes.
func (s Spec) check() error {
	if s.Type == RSA && (s.Bits == 2048 || s.Bits == 3072 || s.Bits == 4096) || s.Type == EC && CurveAllowed(s.Curve) {
		return nil
	}
	return fault.New(fault.Invalid, "Key type %s with size %d, curve %q is not supported", s.Type, s.Bits, s.Curve)
}

func (s Spec) kind() hsm.Kind {
	if s.Type == EC {
		return hsm.Kind{Curve: s.Curve}
	}
	return hsm.Kind{Bits: s.Bits}
}
