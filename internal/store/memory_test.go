package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// counted is a read that counts how often it was made.
func counted(n *int, v string, bytes int, err error) func() (string, int, error) {
	return func() (string, int, error) { *n++; return v, bytes, err }
}

func TestMemory(t *testing.T) {
	t.Parallel()
	db := &DB{}
	m := memory[string, string]{db: db}
	reads := 0
	recall := func(key, now string, bytes int, want string, wantReads int) {
		t.Helper()
		reads = 0
		if got, err := m.recall(key, counted(&reads, now, bytes, nil)); err != nil || got != want || reads != wantReads {
			t.Errorf("%s = %q, %v by %d reads, want %q by %d", key, got, err, reads, want, wantReads)
		}
	}
	recall("a", "1", 1, "1", 1)
	recall("a", "2", 1, "1", 0)
	recall("b", "1", 1, "1", 1)

	end := db.changes.begin()
	recall("a", "during", 1, "during", 1) // and not kept
	end()
	recall("a", "after", 1, "after", 1)
	recall("a", "later", 1, "after", 0)
	recall("b", "after", 1, "after", 1)

	if _, err := m.recall("c", counted(&reads, "", 1, errors.New("no"))); err == nil {
		t.Error("no error")
	}
	recall("c", "there", 1, "there", 1)

	recall("large", "1", memoryBytes, "1", 1) // pushes the others out
	recall("a", "again", 1, "again", 1)
	if m.bytes > memoryBytes || len(m.known) != 1 {
		t.Errorf("%d bytes in %d entries", m.bytes, len(m.known))
	}

	db.changes.shared = true
	recall("a", "elsewhere", 1, "elsewhere", 1)
	recall("a", "elsewhere again", 1, "elsewhere again", 1)
}

// TestMemoryOvertaken: what was read before a write is not remembered as if read after it.
func TestMemoryOvertaken(t *testing.T) {
	t.Parallel()
	m := memory[string, string]{db: &DB{}}
	_, err := m.recall("a", func() (string, int, error) {
		m.db.changes.begin()()
		return "old", 1, nil
	})
	reads := 0
	got, err2 := m.recall("a", counted(&reads, "new", 1, nil))
	if err != nil || err2 != nil || got != "new" {
		t.Errorf("%q, %v %v", got, err, err2)
	}
	m.keep(0, "a", "old", 1) // by one who began before
	if got, _ := m.recall("a", counted(&reads, "newest", 1, nil)); got != "new" || reads != 1 {
		t.Errorf("%q by %d reads", got, reads)
	}
}

// TestMemoryIsNeverBehind: while others write, nobody reads less than what was written
// before he began.
func TestMemoryIsNeverBehind(t *testing.T) {
	t.Parallel()
	m := memory[int, int64]{db: &DB{}}
	var row, told atomic.Int64 // what a read finds, and what writes that have returned wrote
	var mu sync.Mutex          // one write at a time
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 2000 {
				mu.Lock()
				end := m.db.changes.begin()
				n := row.Add(1)
				end()
				told.Store(n)
				mu.Unlock()
			}
		})
		all.Go(func() {
			for i := range 5000 {
				least := told.Load()
				got, err := m.recall(i%3, func() (int64, int, error) { return row.Load(), 1, nil })
				if err != nil || got < least {
					t.Errorf("read %d, %v although %d was written before", got, err, least)
					return
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkRecall(b *testing.B) {
	m := memory[versionName, string]{db: &DB{}}
	name := versionName{"tenant", "vault", "name", "version"}
	for b.Loop() {
		if _, err := m.recall(name, func() (string, int, error) { return "v", 1, nil }); err != nil {
			b.Fatal(fmt.Errorf("recalling: %w", err))
		}
	}
}
