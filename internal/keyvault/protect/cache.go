package protect

import (
	"container/list"
	"crypto"
	"sync"
)

// A cache holds the private keys used last. It never outranks a stored row: it is asked only
// with a handle in hand that was just read.
type cache struct {
	mu   sync.Mutex
	most int
	used *list.List // of *opened, the one used last in front
	byID map[ID]*list.Element
}

type opened struct {
	id  ID
	key crypto.Signer
}

func newCache(most int) *cache {
	return &cache{most: most, used: list.New(), byID: map[ID]*list.Element{}}
}

func (c *cache) get(id ID) (crypto.Signer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return nil, false
	}
	c.used.MoveToFront(e)
	return e.Value.(*opened).key, true
}

func (c *cache) put(id ID, key crypto.Signer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byID[id]; ok {
		return
	}
	c.byID[id] = c.used.PushFront(&opened{id, key})
	if c.used.Len() > c.most {
		c.remove(c.used.Back())
	}
}

func (c *cache) drop(id ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[id]; ok {
		c.remove(e)
	}
}

// remove takes e out; mu is held.
func (c *cache) remove(e *list.Element) {
	c.used.Remove(e)
	delete(c.byID, e.Value.(*opened).id)
}
