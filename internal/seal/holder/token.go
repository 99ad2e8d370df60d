package holder

import (
	"context"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
)

// TokenSettings say which key of which PKCS #11 token.
type TokenSettings struct {
	Module string `json:"module"`  // path of the module, a shared library
	Token  string `json:"token"`   // label of the token
	PIN    string `json:"pinFile"` // path of the file with the user's PIN
	Key    string `json:"key"`     // label of the AES key in it, which is made if there is none
}

// A Token holds sealing keys under an AES key that never leaves a PKCS #11 token.
type Token struct {
	token hsm.Token
	label string
}

// NewToken opens the token. It is not connected yet, and may be away.
func NewToken(s TokenSettings) (*Token, error) {
	t, err := hsm.Open(hsm.Config{Module: s.Module, Label: s.Token, PINFile: s.PIN, Sessions: 1})
	if err != nil {
		return nil, err
	}
	return &Token{t, s.Key}, nil
}

// Close gives the token up.
func (t *Token) Close() error { return t.token.Close() }

// Wrap implements Holder.
func (t *Token) Wrap(ctx context.Context, key envelope.Key, binding []byte) (Held, error) {
	plain := key.Expose()
	defer clear(plain)
	wrapped, err := t.token.Wrap(ctx, t.label, plain, binding)
	return Held{Under: t.label, Bytes: wrapped}, err
}

// Unwrap implements Holder.
func (t *Token) Unwrap(ctx context.Context, h Held, binding []byte) (envelope.Key, error) {
	plain, err := t.token.Unwrap(ctx, h.Under, h.Bytes, binding)
	if fault.Is(err, fault.Corrupt) || fault.Is(err, fault.Invalid) && fault.As(err).Reason == "" {
		return envelope.Key{}, fault.Wrap(fault.Invalid, err, "the token does not have the key that holds the sealing keys, or they are damaged").
			WithHint("plug the right token in, or bring the sealing keys back from your backup")
	}
	if err != nil {
		return envelope.Key{}, err
	}
	defer clear(plain)
	return envelope.KeyFromBytes(plain)
}
