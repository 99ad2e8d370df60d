package keyvault

import (
	"context"
	"crypto"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A JWK is a key pair on its way in, and a Secret each member of its private half: faces read
// them, and have no other business with where private keys live.
type (
	JWK    = protect.JWK
	Secret = protect.Secret
)

// NewSecret takes b over: it is cleared by Destroy.
func NewSecret(b []byte) Secret { return protect.NewSecret(b) }

// ImportKey makes a key, or a new version of a live one, from a key pair that was made
// elsewhere (KV-21), after it was checked (KV-54). Of n, Type is required; size, curve and
// exponent are the pair's. The caller destroys jwk afterwards.
func (s *Service) ImportKey(ctx context.Context, c directory.Caller, vault, name string, n NewKey, jwk JWK) (Key, error) {
	return through(ctx, s, c, ImportKey, Target{Vault: vault, Name: name}, func(v *visit) (func() (Key, error), error) {
		if err := v.vault.checkType(n.Type); err != nil {
			return nil, err
		}
		pair, err := n.pair(jwk)
		if err != nil {
			return nil, err
		}
		k, err := n.key(v, pair.Spec())
		if err != nil {
			return nil, err
		}
		v.describe(k)
		return func() (Key, error) {
			return s.add(ctx, k, func(p protect.Protector) ([]byte, crypto.PublicKey, error) { return p.Import(ctx, k.id(), pair) })
		}, nil
	})
}

func (n NewKey) pair(jwk JWK) (*protect.Pair, error) {
	switch jwk.Type, _ = splitType(n.Type); jwk.Type {
	case "":
		return nil, naming.Invalid("key.kty")
	case protect.RSA, protect.EC:
		return jwk.Pair()
	}
	return nil, errKeyType(n.Type)
}
