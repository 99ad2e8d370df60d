package protect

import (
	"container/list"
	"sync"
)

// A cache holds the keys used last. It never outranks a stored row: it is asked only
// with a handle in hand that was just read.
type cache[K any] struct {
	mu   sync.Mutex
	most int
	used *list.List // of *opened[K], the one used last in front
	byID map[ID]*list.Element
}

type opened[K any] struct {
	id  ID
	key K
}

func newCache[K any](most int) *cache[K] {
	return &cache[K]{most: most, used: list.New(), byID: map[ID]*list.Element{}}
}

func (c *cache[K]) get(id ID) (key K, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return key, false
	}
	c.used.MoveToFront(e)
	return e.Value.(*opened[K]).key, true
}

func (c *cache[K]) put(id ID, key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byID[id]; ok {
		return
	}
	c.byID[id] = c.used.PushFront(&opened[K]{id, key})
	if c.used.Len() > c.most {
		c.remove(c.used.Back())
	}
}

func (c *cache[K]) drop(id ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byID[id]; ok {
		c.remove(e)
	}
}

// remove takes e out; mu is held.
func (c *cache[K]) remove(e *list.Element) {
	c.used.Remove(e)
	delete(c.byID, e.Value.(*opened[K]).id)
}
