//go:build pkcs11

package hsm

import (
	"sync"

	"github.com/miekg/pkcs11"
)

// maxHandles bounds what is remembered: finding a handle again costs a search in the token.
const maxHandles = 4096

// handles remembers where objects are, for the epoch.
type handles struct {
	mu   sync.Mutex
	byID map[objectID]pkcs11.ObjectHandle
}

// An objectID names an object by its class (CKO_...) and CKA_ID.
type objectID struct {
	class uint
	id    string
}

func (h *handles) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byID = map[objectID]pkcs11.ObjectHandle{}
}

func (h *handles) get(o objectID) (pkcs11.ObjectHandle, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	handle, ok := h.byID[o]
	return handle, ok
}

func (h *handles) put(o objectID, handle pkcs11.ObjectHandle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.byID) >= maxHandles {
		clear(h.byID)
	}
	h.byID[o] = handle
}

func (h *handles) drop(o objectID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byID, o)
}

// with runs fn on an object. A handle that is none any more is looked up once again.
func with[T any](t *token, s *session, o objectID, fn func(pkcs11.ObjectHandle) (T, error)) (T, error) {
	if handle, ok := t.known.get(o); ok {
		got, err := fn(handle)
		if !is(err, stale) {
			return got, err
		}
		t.known.drop(o)
	}
	var none T
	found, err := s.search(pkcs11.NewAttribute(pkcs11.CKA_CLASS, o.class), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(o.id)))
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, errNoObject
	}
	t.known.put(o, found[0])
	return fn(found[0])
}

// search returns the objects that have all attributes, at most 64.
func (s *session) search(attributes ...*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := s.lib.FindObjectsInit(s.handle, attributes); err != nil {
		return nil, err
	}
	found, _, err := s.lib.FindObjects(s.handle, 64)
	if final := s.lib.FindObjectsFinal(s.handle); err == nil {
		err = final
	}
	return found, err
}
