package availability

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// rsaBits is the size of shared keys (CK-17).
const rsaBits = 2048

// Wrap wraps key under an availability key. The associated data says what the key is; the same
// is needed to unwrap it. The result has envelope.WrappedSize bytes under an AES key. Under an
// RSA key it has 256 (RSA-OAEP-256, as under the roots) and carries no associated data: whoever
// unwraps must recognise the key by its commitment.
func (s *Service) Wrap(ctx context.Context, caller directory.Caller, tenant, id string, key envelope.Key, aad []byte) (wrapped []byte, err error) {
	defer s.c.Seal.Enter()() // the key is read here and opened below
	k, err := s.living(ctx, caller, tenant, id, "wrap")
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, caller, tenant, k.Facts, "wrap", audit.Allow); err != nil {
		return nil, err
	}
	if k.Kind.Shared() {
		return s.wrapRSA(k, key)
	}
	clear, err := s.open(k)
	if err != nil {
		return nil, err
	}
	defer clear.Destroy()
	return envelope.WrapKey(clear, key, wrapBinding(tenant, id, aad))
}

// Unwrap opens what Wrap made, once the use is recorded and counted: fault.Corrupt if it was
// changed or, under an AES key, belongs elsewhere. It is fault.Conflict with ReasonDestroyed if the
// key is gone, with ReasonLimit if there were as many uses today as the tenant allows.
func (s *Service) Unwrap(ctx context.Context, caller directory.Caller, u Use, wrapped, aad []byte) (envelope.Key, error) {
	defer s.c.Seal.Enter()()
	k, err := s.living(ctx, caller, u.Tenant, u.Key, "unwrap")
	if err != nil {
		return envelope.Key{}, err
	}
	if err := s.record(ctx, caller, u.Tenant, k.Facts, "unwrap", audit.Allow); err != nil {
		return envelope.Key{}, err
	}
	if err := s.count(ctx, caller, u, k.Facts); err != nil {
		return envelope.Key{}, err
	}
	if k.Kind.Shared() {
		return s.unwrapRSA(k, wrapped)
	}
	clear, err := s.open(k)
	if err != nil {
		return envelope.Key{}, err
	}
	defer clear.Destroy()
	return envelope.UnwrapKey(clear, wrapped, wrapBinding(u.Tenant, u.Key, aad))
}

// living returns a key that was not destroyed; that it was is recorded.
func (s *Service) living(ctx context.Context, caller directory.Caller, tenant, id, verb string) (Key, error) {
	k, err := s.key(ctx, caller, tenant, id)
	if err != nil || k.Destroyed.IsZero() {
		return k, err
	}
	if err := s.record(ctx, caller, tenant, k.Facts, verb, audit.Deny); err != nil {
		return k, err
	}
	return k, fault.New(fault.Conflict, "the availability key was destroyed").WithReason(ReasonDestroyed).
		WithHint("nothing brings it back: the policy depends on its two root keys alone")
}

// fresh makes a key and returns it sealed.
func (s *Service) fresh(f Facts) ([]byte, error) {
	if !f.Kind.Shared() {
		key := envelope.NewKey()
		defer key.Destroy()
		return s.c.Seal.WrapKey(key, f.binding())
	}
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return s.c.Seal.Seal(f.binding(), der)
}

func (s *Service) open(k Key) (envelope.Key, error) {
	key, err := s.c.Seal.UnwrapKey(k.Sealed, k.binding())
	if err != nil {
		return envelope.Key{}, errUnopened(err)
	}
	return key, nil
}

func errUnopened(err error) error {
	return fault.Wrap(fault.Corrupt, err, "the availability key does not open").
		WithHint("the seal or the row is not the one it was made with: put back the availability database and its seal from the same backup")
}

// private opens a shared key. It stays within the call that asked for it.
func (s *Service) private(k Key) (*rsa.PrivateKey, error) {
	der, err := s.c.Seal.Open(k.binding(), k.Sealed)
	if err != nil {
		return nil, errUnopened(err)
	}
	defer clear(der)
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errUnopened(err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errUnopened(nil)
	}
	return private, nil
}

func (s *Service) wrapRSA(k Key, key envelope.Key) ([]byte, error) {
	private, err := s.private(k)
	if err != nil {
		return nil, err
	}
	plain := key.Expose()
	defer clear(plain)
	if len(plain) != envelope.KeySize {
		return nil, fault.New(fault.Internal, "a key without bytes was to be wrapped")
	}
	return rsa.EncryptOAEP(sha256.New(), rand.Reader, &private.PublicKey, plain, nil)
}

func (s *Service) unwrapRSA(k Key, wrapped []byte) (envelope.Key, error) {
	private, err := s.private(k)
	if err != nil {
		return envelope.Key{}, err
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, private, wrapped, nil)
	defer clear(plain)
	if err != nil || len(plain) != envelope.KeySize {
		return envelope.Key{}, fault.Wrap(fault.Corrupt, err, "the wrapped key was changed or is another availability key's")
	}
	return envelope.KeyFromBytes(plain)
}

// wrapBinding is what a key wrapped by an AES availability key is bound to.
func wrapBinding(tenant, id string, aad []byte) []byte {
	return envelope.Bind("under availability key 1", tenant, id, string(aad))
}
