// Package holder keeps sealing keys where a thief of the disk does not find them.
//
// A sealing key is 32 random bytes. What is stored of it is what a [Holder] made of them: only
// that holder gives them back. There are four: a [File] with a key, a [Passphrase], a key in
// another key [Vault], and a key in a PKCS#11 [Token]. Each is asked at start, and again when a
// sealing key is renewed; none is asked by a request.
//
// [Settings] are stored beside the sealing keys and say which holder it is. They hold no secret.
package holder

import (
	"context"

	"github.com/customerkey/customerkey/envelope"
)

// A Holder wraps sealing keys to be stored and unwraps them. It is safe for concurrent use.
//
// The binding names what the key is for; where a holder can, a key held for another purpose does
// not unwrap. An RSA wrap carries none: whoever unwraps compares the key's id, too.
//
// One that is an io.Closer is closed when it is not needed any more.
//
// Errors: fault.Invalid for a holder that is not the one that wrapped, fault.Denied where its
// owner refuses, fault.Unavailable where it cannot be reached now.
type Holder interface {
	Wrap(ctx context.Context, key envelope.Key, binding []byte) (Held, error)
	Unwrap(ctx context.Context, h Held, binding []byte) (envelope.Key, error)
}

// A Saver is a Holder that must be made durable before what it has wrapped is stored.
type Saver interface{ Save() error }

// Held is a sealing key as its holder gives it out, to be stored.
type Held struct {
	Under string `json:"under,omitempty"` // which of the holder's keys: the id of its version in a vault, its label in a token
	Bytes []byte `json:"bytes"`
}

// A Kind is a kind of holder.
type Kind string

const (
	KindFile       Kind = "file"
	KindPassphrase Kind = "passphrase"
	KindVault      Kind = "vault"
	KindToken      Kind = "pkcs11"
)

// Kinds are all of them, in the order in which they are told.
var Kinds = []Kind{KindFile, KindPassphrase, KindVault, KindToken}

// Settings say which holder keeps the sealing keys, and where it is. Of the members those of the
// kind are set.
type Settings struct {
	Kind       Kind                `json:"kind"`
	File       *FileSettings       `json:"file,omitempty"`
	Passphrase *PassphraseSettings `json:"passphrase,omitempty"`
	Vault      *VaultSettings      `json:"vault,omitempty"`
	Token      *TokenSettings      `json:"pkcs11,omitempty"`
}

// String says in a few words where the sealing keys are held.
func (s Settings) String() string {
	switch {
	case s.Kind == KindFile && s.File != nil:
		return "the file " + s.File.Path
	case s.Kind == KindPassphrase:
		return "a passphrase"
	case s.Kind == KindVault && s.Vault != nil:
		return "the key " + s.Vault.Key
	case s.Kind == KindToken && s.Token != nil:
		return "the key " + s.Token.Key + " in the token " + s.Token.Token
	}
	return "nothing known"
}
