package holder

import (
	"context"
	"crypto/rand"

	"golang.org/x/crypto/argon2"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// PassphraseSettings say how a key is made from the passphrase: argon2id (RFC 9106).
type PassphraseSettings struct {
	Time    uint32 `json:"time"`           // passes
	Memory  uint32 `json:"memory"`         // KiB
	Threads uint8  `json:"threads"`        //
	Salt    []byte `json:"salt"`           // 16 bytes
	File    string `json:"file,omitempty"` // where the passphrase is read from; "" asks for it
}

// NewPassphraseSettings returns the second recommended option of RFC 9106 section 4, 64 MiB, with a
// fresh salt.
func NewPassphraseSettings() PassphraseSettings {
	s := PassphraseSettings{Time: 3, Memory: 64 << 10, Threads: 4, Salt: make([]byte, 16)}
	rand.Read(s.Salt) // never fails: crypto/rand ends the program instead
	return s
}

// The least that is taken as a new passphrase, in bytes, and what bounds the work that stored
// settings can ask for.
const (
	MinPassphrase = 12
	maxPassphrase = 1024
	maxTime       = 64
	maxMemory     = 4 << 20 // KiB
)

func (s PassphraseSettings) check() error {
	if s.Time < 1 || s.Time > maxTime || s.Memory < 8<<10 || s.Memory > maxMemory || s.Threads < 1 || len(s.Salt) != 16 {
		return fault.New(fault.Invalid, "the stored parameters of the passphrase are out of bounds").
			WithHint("bring the sealing keys back from your backup")
	}
	return nil
}

// A Passphrase holds sealing keys under a key that is made from words in somebody's memory. It
// forgets the words and keeps the key.
type Passphrase struct{ key envelope.Key }

// NewPassphrase takes the time and memory that the settings say. The caller clears words.
func NewPassphrase(s PassphraseSettings, words []byte) (*Passphrase, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if len(words) == 0 || len(words) > maxPassphrase {
		return nil, fault.New(fault.Invalid, "the passphrase is empty or longer than %d bytes", maxPassphrase).WithHint("give the one that was set")
	}
	raw := argon2.IDKey(words, s.Salt, s.Time, s.Memory, s.Threads, envelope.KeySize)
	defer clear(raw)
	key, err := envelope.KeyFromBytes(raw)
	return &Passphrase{key}, err
}

// Wrap implements Holder.
func (p *Passphrase) Wrap(_ context.Context, key envelope.Key, binding []byte) (Held, error) {
	wrapped, err := envelope.WrapKey(p.key, key, binding)
	return Held{Bytes: wrapped}, err
}

// Unwrap implements Holder.
func (p *Passphrase) Unwrap(_ context.Context, h Held, binding []byte) (envelope.Key, error) {
	key, err := envelope.UnwrapKey(p.key, h.Bytes, binding)
	if err != nil {
		return envelope.Key{}, fault.Wrap(fault.Invalid, err, "the passphrase is not the right one").
			WithHint("give the one that was set; if it is right for sure, the sealing keys are damaged: bring them back from your backup")
	}
	return key, nil
}
