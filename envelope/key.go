package envelope

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"sync"

	"github.com/customerkey/customerkey/internal/fault"
)

// KeySize is the length of a Key in bytes.
const KeySize = 32

// A Key is 32 secret bytes that cannot be printed, logged or marshalled. Its copies share
// the bytes, so Destroy on one ends all of them. The zero Key holds no bytes: whatever
// needs them refuses it. A Key is safe for concurrent use.
type Key struct {
	s hidden[secret]
}

type secret struct {
	mu        sync.RWMutex // write-locked only to destroy
	destroyed bool
	bytes     [KeySize]byte
	expanders sync.Pool // of *expander keyed with bytes
}

// NewKey returns a random key.
func NewKey() Key {
	s := new(secret)
	rand.Read(s.bytes[:]) // never fails: crypto/rand ends the program instead
	return Key{hide(s)}
}

// KeyFromBytes returns a key with a copy of b, which must be 32 bytes long (fault.Invalid
// otherwise). The caller still owns b, and should clear it.
func KeyFromBytes(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fault.New(fault.Invalid, "a key is %d bytes long, not %d", KeySize, len(b))
	}
	s := new(secret)
	copy(s.bytes[:], b)
	return Key{hide(s)}, nil
}

// Expose returns a copy of the secret bytes, nil if there are none. It is the one way to
// them outside this package; whoever calls it answers for where they go, and clears the copy.
func (k Key) Expose() []byte {
	b, err := k.expose()
	if err != nil {
		return nil
	}
	return b
}

// expose is Expose that says why there are no bytes.
func (k Key) expose() ([]byte, error) {
	s, err := k.lock()
	if err != nil {
		return nil, err
	}
	defer s.mu.RUnlock()
	return bytes.Clone(s.bytes[:]), nil
}

// IsZero reports whether k holds no bytes: it is the zero Key, or was destroyed. A key
// whose 32 bytes are all zero is a key, if a poor one.
func (k Key) IsZero() bool {
	s, err := k.lock()
	if err != nil {
		return true
	}
	s.mu.RUnlock()
	return false
}

// Equal reports, in constant time, whether both keys hold the same bytes. A key without
// bytes equals nothing, not even another one: two failures must not look like a match.
func (k Key) Equal(o Key) bool {
	a, b := k.Expose(), o.Expose()
	defer clear(a)
	defer clear(b)
	return len(a) == KeySize && subtle.ConstantTimeCompare(a, b) == 1
}

// Destroy overwrites the bytes of k and of every copy of it; later use is refused with
// fault.Unavailable. Readers and writers that are already open go on to their end, and
// keys derived from k live on their own. It is the best Go can do, not a guarantee: the
// runtime, and states derived from the key that are not yet collected, may keep traces
// in memory for a while.
func (k Key) Destroy() {
	if k.s == nil {
		return
	}
	s := k.s()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destroyed = true
	clear(s.bytes[:])
	s.expanders = sync.Pool{}
}

// lock returns the bytes of k read-locked, or says why there are none. The caller unlocks mu.
func (k Key) lock() (*secret, error) {
	if k.s == nil {
		return nil, fault.New(fault.Internal, "a key without bytes was used")
	}
	s := k.s()
	s.mu.RLock()
	if s.destroyed {
		s.mu.RUnlock()
		return nil, fault.New(fault.Unavailable, "the key is not held any more").
			WithReason("KeyNotHeld").
			WithHint("try again: the key is then unwrapped afresh, unless its owner has taken it back")
	}
	return s, nil
}
