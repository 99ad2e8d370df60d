package seal

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	layout  = 1
	bare    = 0 // how a FLOE message without our prefix begins
	idSize  = 16
	prefix  = 1 + idSize
	binding = "sealed 1"
)

// An ID names a sealing key: the first 16 bytes, in hex, of a commitment to it over
// Bind("sealing key 1"). Nobody finds another key of the same id, so who keeps ids can tell
// whether the keys that he is given are the right ones.
type ID string

// IDOf returns the id of a key.
func IDOf(key envelope.Key) ID {
	return ID(hex.EncodeToString(key.Commit(envelope.Bind("sealing key 1"))[:idSize]))
}

// Valid reports whether id has the form of one.
func (id ID) Valid() bool {
	raw, err := hex.DecodeString(string(id))
	return err == nil && len(raw) == idSize && hex.EncodeToString(raw) == string(id)
}

// A Seal seals and opens the secrets of one database. It is safe for concurrent use. It prints
// as its ids: the keys in it are unprintable.
type Seal struct {
	gate Gate
	mu   sync.Mutex // held to change keys
	keys atomic.Pointer[keys]
}

// keys is never changed: a change makes another one.
type keys struct {
	current ID
	byID    map[ID]envelope.Key
}

// New returns a Seal under current, which also opens what is sealed under the former keys.
func New(current envelope.Key, former ...envelope.Key) (*Seal, error) {
	k := &keys{byID: map[ID]envelope.Key{}}
	for _, key := range append(slices.Clone(former), current) {
		if key.IsZero() {
			return nil, errors.New("seal: a sealing key without bytes")
		}
		k.current = IDOf(key)
		k.byID[k.current] = key
	}
	s := new(Seal)
	s.keys.Store(k)
	return s, nil
}

// Of returns a Seal of one key, which must not be the zero Key.
func Of(key envelope.Key) *Seal {
	s, err := New(key)
	if err != nil {
		panic(err) // the caller's mistake, as with a nil map
	}
	return s
}

// Enter passes the gate of this seal: until the caller leaves, what he has read opens, and what he
// seals he may store. It is for work that no request has asked for; requests pass a Gate that is
// common to all seals.
func (s *Seal) Enter() (leave func()) { return s.gate.Enter() }

// Current returns the id of the key that new things are sealed under.
func (s *Seal) Current() ID { return s.keys.Load().current }

// Former returns the ids of the other keys, sorted.
func (s *Seal) Former() []ID {
	k := s.keys.Load()
	ids := slices.Sorted(maps.Keys(k.byID))
	return slices.DeleteFunc(ids, func(id ID) bool { return id == k.current })
}

// Renew makes key the current one; the one before it becomes a former one.
func (s *Seal) Renew(key envelope.Key) {
	s.change(func(k *keys) {
		k.current = IDOf(key)
		k.byID[k.current] = key
	})
}

// Retire destroys a former key: what is still sealed under it is lost. The current one stays.
func (s *Seal) Retire(id ID) {
	s.change(func(k *keys) {
		if id != k.current {
			k.byID[id].Destroy()
			delete(k.byID, id)
		}
	})
}

func (s *Seal) change(fn func(*keys)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.keys.Load()
	k := &keys{current: old.current, byID: maps.Clone(old.byID)}
	fn(k)
	s.keys.Store(k)
}

// Seal seals plaintext under the current key. The binding says what the thing is and whose (see
// envelope.Bind); without it nothing opens.
func (s *Seal) Seal(bound, plaintext []byte) ([]byte, error) {
	k := s.keys.Load()
	raw, err := hex.DecodeString(string(k.current))
	if err != nil {
		return nil, err
	}
	return envelope.Seal(append([]byte{layout}, raw...), k.byID[k.current], bind(k.current, bound), plaintext)
}

// Open opens what Seal sealed, under whichever key it names. The error is fault.Corrupt if the
// bytes or the binding are not as they were; with Reason "SealNotHeld" if their key is not here.
func (s *Seal) Open(bound, sealed []byte) ([]byte, error) {
	k := s.keys.Load()
	if len(sealed) > 0 && sealed[0] == bare {
		return k.openBare(bound, sealed)
	}
	id, ok := Under(sealed)
	if !ok {
		return nil, fault.New(fault.Corrupt, "the sealed bytes are damaged")
	}
	key, held := k.byID[id]
	if !held {
		return nil, fault.New(fault.Corrupt, "it is sealed under the sealing key %s, which is not here", id).
			WithReason("SealNotHeld").
			WithHint("put back databases and sealing keys from the same backup")
	}
	return envelope.Open(nil, key, bind(id, bound), sealed[prefix:])
}

// openBare opens a message that names no key. Each message commits to its key, so trying says
// which one it is.
func (k *keys) openBare(bound, sealed []byte) (plaintext []byte, err error) {
	for _, id := range slices.Sorted(maps.Keys(k.byID)) {
		if plaintext, err = envelope.Open(nil, k.byID[id], bound, sealed); err == nil {
			return plaintext, nil
		}
	}
	return nil, err
}

// Under returns the id of the key that sealed bytes name; false for those that name none.
func Under(sealed []byte) (ID, bool) {
	if len(sealed) < prefix || sealed[0] != layout {
		return "", false
	}
	return ID(hex.EncodeToString(sealed[1:prefix])), true
}

// Fresh reports whether sealed names the current key: a rotation has nothing to do with it.
func (s *Seal) Fresh(sealed []byte) bool {
	id, ok := Under(sealed)
	return ok && id == s.Current()
}

// Reseal opens sealed and seals its content under the current key.
func (s *Seal) Reseal(bound, sealed []byte) ([]byte, error) {
	plain, err := s.Open(bound, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return s.Seal(bound, plain)
}

// WrapKey is Seal for a key.
func (s *Seal) WrapKey(key envelope.Key, bound []byte) ([]byte, error) {
	plain := key.Expose()
	defer clear(plain)
	if len(plain) != envelope.KeySize {
		return nil, fault.New(fault.Internal, "a key without bytes was to be sealed")
	}
	return s.Seal(bound, plain)
}

// UnwrapKey opens what WrapKey sealed.
func (s *Seal) UnwrapKey(sealed, bound []byte) (envelope.Key, error) {
	plain, err := s.Open(bound, sealed)
	if err != nil {
		return envelope.Key{}, err
	}
	defer clear(plain)
	return envelope.KeyFromBytes(plain)
}

func bind(id ID, bound []byte) []byte { return envelope.Bind(binding, string(id), string(bound)) }
