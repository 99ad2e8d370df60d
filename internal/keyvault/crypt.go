package keyvault

import (
	"context"
	"crypto/rsa"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// A Result is what a cryptographic operation gives, and the version that was used: callers
// keep it with the value, for only that version undoes the operation (KV-45).
type Result struct {
	Key   Key
	Value []byte
}

// Wrap encrypts a symmetric key under a version, the newest if version is "". alg is
// "RSA-OAEP-256", "RSA-OAEP" or "RSA1_5".
func (s *Service) Wrap(ctx context.Context, c directory.Caller, vault, name, version, alg string, value []byte) (Result, error) {
	return s.seal(ctx, c, Wrap, at(vault, name, version), alg, value)
}

// Unwrap undoes Wrap. An expired version still unwraps, a disabled one does not (KV-58).
func (s *Service) Unwrap(ctx context.Context, c directory.Caller, vault, name, version, alg string, value []byte) (Result, error) {
	return s.open(ctx, c, Unwrap, at(vault, name, version), alg, value)
}

// Encrypt is Wrap under another permission, for any short value.
func (s *Service) Encrypt(ctx context.Context, c directory.Caller, vault, name, version, alg string, value []byte) (Result, error) {
	return s.seal(ctx, c, Encrypt, at(vault, name, version), alg, value)
}

// Decrypt undoes Encrypt.
func (s *Service) Decrypt(ctx context.Context, c directory.Caller, vault, name, version, alg string, value []byte) (Result, error) {
	return s.open(ctx, c, Decrypt, at(vault, name, version), alg, value)
}

// seal uses the public half as the protector knows it, not as a row claims it to be: who can
// write rows cannot have keys wrapped for himself.
func (s *Service) seal(ctx context.Context, c directory.Caller, a Action, t Target, alg string, value []byte) (Result, error) {
	return through(ctx, s, c, a, t, func(v *visit) (func() (Result, error), error) {
		if err := s.prepare(v, alg, value); err != nil {
			return nil, err
		}
		if most := v.key.Bits/8 - protect.Algorithm(alg).Overhead(); len(value) > most {
			return nil, naming.Invalid("value").WithHint("%s takes at most %d bytes under this key.", alg, most)
		}
		return func() (Result, error) {
			pub, err := v.holder.Public(ctx, v.key.id(), v.material.Handle)
			if err != nil {
				return Result{}, err
			}
			public, ok := pub.(*rsa.PublicKey)
			if !ok {
				return Result{}, errType()
			}
			sealed, err := protect.Encrypt(public, protect.Algorithm(alg), value)
			return Result{v.key, sealed}, err
		}, nil
	})
}

// open decides before it is known whether the value decrypts: trying is the act.
func (s *Service) open(ctx context.Context, c directory.Caller, a Action, t Target, alg string, value []byte) (Result, error) {
	return through(ctx, s, c, a, t, func(v *visit) (func() (Result, error), error) {
		if err := s.prepare(v, alg, value); err != nil {
			return nil, err
		}
		return func() (Result, error) {
			plain, err := v.holder.Decrypt(ctx, v.key.id(), v.material.Handle, protect.Algorithm(alg), value)
			return Result{v.key, plain}, err
		}, nil
	})
}

// prepare checks the parameters of an operation and notes them.
func (s *Service) prepare(v *visit, alg string, value []byte) error {
	v.entry.Object = v.objectOf(v.key)
	a := protect.Algorithm(alg)
	if !a.Known() {
		return naming.Invalid("alg")
	}
	v.note("alg", alg)
	switch {
	case v.key.Type != protect.RSA:
		return fault.New(fault.Invalid, "Algorithm %s needs an RSA key; this key's type is %s", alg, v.key.Type)
	case !a.Approved() || slices.Contains(s.refuse, a):
		return fault.New(fault.Invalid, "Algorithm %s is not allowed by this deployment", alg).WithHint("Use RSA-OAEP-256.")
	case len(value) == 0:
		return naming.Invalid("value")
	}
	return s.held(v)
}

// held finds who holds the key.
func (s *Service) held(v *visit) (err error) {
	v.holder, err = s.holder(v.material.Protector)
	return err
}

func errType() error {
	return fault.New(fault.Corrupt, "the stored key is not of the type that its row says")
}

func joined(ops []string) string { return strings.Join(ops, " ") }
