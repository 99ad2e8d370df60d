package directory

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// A KeyState says what an issuer key is used for. All three are published.
type KeyState string

const (
	CurrentKey KeyState = "current" // signs; there is exactly one
	NextKey    KeyState = "next"    // published so that verifiers know it when it becomes current
	RetiredKey KeyState = "retired" // verifies what it signed, until that has expired
)

// An IssuerKey is a key that signs tokens, as it is stored.
type IssuerKey struct {
	ID      string // the kid, a GUID
	State   KeyState
	Sealed  []byte // PKCS #8, under Config.Seal with Bind("issuer key 1", ID)
	Created time.Time
	Since   time.Time // when it came to its state
}

// keyring holds the opened issuer keys. Another node may change the rows, so it is read
// again now and then.
type keyring struct {
	mu     sync.Mutex
	read   time.Time
	public jose.JSONWebKeySet
	signer jose.Signer
}

const keyringLife = time.Minute

// forget makes the next use read the rows again.
func (k *keyring) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read = time.Time{}
}

// Keys returns the public keys that verify this service's tokens (row KV-130), making the
// first one if there is none.
func (s *Service) Keys(ctx context.Context) (jose.JSONWebKeySet, error) {
	public, _, err := s.issuerKeys(ctx)
	return public, err
}

func (s *Service) issuerKeys(ctx context.Context) (jose.JSONWebKeySet, jose.Signer, error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	now := s.now()
	if age := now.Sub(s.keys.read); s.keys.signer != nil && age >= 0 && age < keyringLife {
		return s.keys.public, s.keys.signer, nil
	}
	defer s.seal.Enter()() // what is read here is opened here
	rows, err := s.store.IssuerKeys(ctx)
	if err == nil && !hasCurrent(rows) {
		rows, err = s.firstIssuerKey(ctx)
	}
	if err != nil {
		return jose.JSONWebKeySet{}, nil, fmt.Errorf("reading the issuer keys: %w", err)
	}
	public, signer, err := s.openKeys(rows)
	if err != nil {
		return jose.JSONWebKeySet{}, nil, err
	}
	s.keys.read, s.keys.public, s.keys.signer = now, public, signer
	return public, signer, nil
}

func hasCurrent(rows []IssuerKey) bool {
	for _, k := range rows {
		if k.State == CurrentKey {
			return true
		}
	}
	return false
}

// firstIssuerKey makes the current key. Where two nodes do so at once, one row wins and
// both use it.
func (s *Service) firstIssuerKey(ctx context.Context) ([]IssuerKey, error) {
	k, err := s.freshKey(CurrentKey)
	if err != nil {
		return nil, err
	}
	if err := s.store.AddIssuerKey(ctx, k); err != nil && !fault.Is(err, fault.Conflict) {
		return nil, err
	}
	return s.store.IssuerKeys(ctx)
}

// freshKey makes a key in a state. It is good for nothing before its row is stored.
func (s *Service) freshKey(state KeyState) (IssuerKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return IssuerKey{}, err
	}
	now := s.now()
	k := IssuerKey{ID: uuid.NewString(), State: state, Created: now, Since: now}
	k.Sealed, err = s.sealKey(k.ID, private)
	return k, err
}

func (s *Service) sealKey(id string, private *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return s.seal.Seal(issuerKeyBinding(id), der)
}

// openKeys opens every row. The public halves come out of the sealed ones: whoever can
// write the table cannot slip in a key of his own.
func (s *Service) openKeys(rows []IssuerKey) (public jose.JSONWebKeySet, signer jose.Signer, err error) {
	for _, row := range rows {
		private, err := s.openKey(row)
		if err != nil {
			return public, nil, err
		}
		public.Keys = append(public.Keys, jose.JSONWebKey{Key: private.Public(), KeyID: row.ID, Algorithm: "RS256", Use: "sig"})
		if row.State == CurrentKey {
			signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: private, KeyID: row.ID}}
			if signer, err = jose.NewSigner(signing, (&jose.SignerOptions{}).WithType("JWT")); err != nil {
				return public, nil, err
			}
		}
	}
	if signer == nil {
		return public, nil, errors.New("directory: no current issuer key")
	}
	return public, signer, nil
}

func (s *Service) openKey(row IssuerKey) (*rsa.PrivateKey, error) {
	der, err := s.seal.Open(issuerKeyBinding(row.ID), row.Sealed)
	if err != nil {
		return nil, fmt.Errorf("opening issuer key %s: %w", row.ID, err)
	}
	defer clear(der)
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "issuer key %s cannot be read", row.ID)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fault.New(fault.Corrupt, "issuer key %s is not an RSA key", row.ID)
	}
	return private, nil
}

func issuerKeyBinding(id string) []byte { return envelope.Bind("issuer key 1", id) }

// IssuerKeyShelf returns the issuer keys in rows, whose part is their id, for being re-sealed.
func IssuerKeyShelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("issuer keys", rows, func(p []string) []byte { return issuerKeyBinding(p[0]) })
}
