package store

import (
	"sync"
	"sync/atomic"
)

// memoryBytes bounds what one memory holds, as its users count it.
const memoryBytes = 16 << 20

// A memory keeps rows that were read, until anything in the database changes: then it forgets
// all of them. It is for the few reads that every request makes. Nothing that was changed is
// answered from it: a read that begins when a write has returned finds what was written.
//
// It serves only a database that no other process writes; over PostgreSQL every read asks the
// server. What it gives is shared: nobody may change what a map or a slice in it holds.
type memory[K comparable, V any] struct {
	db *DB

	mu    sync.RWMutex
	state uint64 // of the database when known was read
	known map[K]V
	bytes int
}

// recall returns what is known under key, or what read returns, which also says how many bytes
// that takes. Errors are not remembered.
func (m *memory[K, V]) recall(key K, read func() (v V, bytes int, err error)) (V, error) {
	state, still := m.db.changes.state()
	if !still {
		v, _, err := read()
		return v, err
	}
	m.mu.RLock()
	v, ok := m.known[key]
	ok = ok && m.state == state
	m.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, bytes, err := read()
	if err == nil {
		m.keep(state, key, v, bytes)
	}
	return v, err
}

// keep remembers what was read after the database was seen in that state.
func (m *memory[K, V]) keep(state uint64, key K, v V, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state < m.state {
		return
	}
	if state > m.state || m.known == nil || m.bytes+bytes > memoryBytes {
		m.state, m.known, m.bytes = state, map[K]V{}, 0
	}
	if _, ok := m.known[key]; !ok {
		m.known[key] = v
		m.bytes += bytes
	}
}

// changes counts the writes of a database.
type changes struct {
	shared  bool // others may write too, uncounted
	running atomic.Int64
	begun   atomic.Uint64
}

// state returns a number that differs after each write. still is false while one is running,
// and where others may write: then what is read may be out of date at once.
func (c *changes) state() (n uint64, still bool) {
	n = c.begun.Load() // before running: a write that begins now raises it, or is seen running
	return n, !c.shared && c.running.Load() == 0
}

// begin counts a write and returns what ends it. In between it takes effect.
func (c *changes) begin() (end func()) {
	c.running.Add(1)
	c.begun.Add(1)
	return func() { c.running.Add(-1) }
}
