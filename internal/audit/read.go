package audit

import (
	"bytes"
	"context"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/customerkey/customerkey/internal/fault"
)

// maxPage bounds one page of entries.
const maxPage = 1000

// Stored is an entry in its place in the log.
type Stored struct {
	Index int64 // from 0, without gaps
	Entry Entry
	Leaf  []byte // the exact bytes that the tree hashes
}

// Entries returns up to limit entries of the tenant's log behind index after (-1: from the
// first), in order. limit is cut to 1000; an empty page is the end. A leaf that does not decode is
// fault.Corrupt and named by its index.
func (l *Log) Entries(ctx context.Context, tenant string, after int64, limit int) ([]Stored, error) {
	if err := checkTenant(tenant); err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "a page has at least one entry")
	}
	leaves, err := l.store.Leaves(ctx, tenant, after, min(limit, maxPage))
	if err != nil {
		return nil, err
	}
	page := make([]Stored, len(leaves))
	for i, leaf := range leaves {
		if page[i], err = leaf.decode(); err != nil {
			return nil, err
		}
	}
	return page, nil
}

func (l Leaf) decode() (Stored, error) {
	e, err := DecodeLeaf(l.Bytes)
	if err != nil {
		return Stored{}, fault.Wrap(fault.Corrupt, err, "entry %d of the log is damaged", l.Index).
			WithHint("run ck audit verify to see what else is")
	}
	return Stored{Index: l.Index, Entry: e, Leaf: l.Bytes}, nil
}

// A Stretch is what [Log.Find] saw of a log.
type Stretch struct {
	Found []Stored // the entries that were wanted, in order
	Last  int64    // index of the last entry that was looked at
	Until time.Time
	Seen  int // entries that were looked at; 0: the end of the log
}

// Find is Entries for those of some actions: it looks at up to limit entries and decodes no
// others, so that a long log can be searched. Until is the latest time of all that it looked at.
// Damage to entries that are not wanted goes unseen: Entries and a [Verifier] find it.
func (l *Log) Find(ctx context.Context, tenant string, after int64, limit int, actions ...string) (Stretch, error) {
	if err := checkTenant(tenant); err != nil {
		return Stretch{}, err
	}
	leaves, err := l.store.Leaves(ctx, tenant, after, min(limit, maxPage))
	if err != nil || len(leaves) == 0 {
		return Stretch{}, err
	}
	s := Stretch{Last: leaves[len(leaves)-1].Index, Seen: len(leaves)}
	for _, leaf := range leaves {
		if at := leaf.time(); at.After(s.Until) {
			s.Until = at
		}
		if !leaf.mayBe(actions) {
			continue
		}
		found, err := leaf.decode()
		if err != nil {
			return Stretch{}, err
		}
		if slices.Contains(actions, found.Entry.Action) {
			s.Found = append(s.Found, found)
		}
	}
	return s, nil
}

// time reads the time of a leaf, which always stands at the same place; the zero time if the leaf
// is damaged.
func (l Leaf) time() time.Time {
	const from = len(`{"v":1,"time":"`)
	if len(l.Bytes) < from+len(leafTime) {
		return time.Time{}
	}
	at, err := time.Parse(leafTime, string(l.Bytes[from:from+len(leafTime)]))
	if err != nil {
		return time.Time{}
	}
	return at
}

// mayBe reports whether the leaf may have one of the actions. It never denies one that has: the
// member stands in the leaf as it is compared here, for actions have nothing to escape.
func (l Leaf) mayBe(actions []string) bool {
	return slices.ContainsFunc(actions, func(action string) bool {
		return bytes.Contains(l.Bytes, []byte(`"action":"`+action+`"`))
	})
}

// Prove returns the proof that the entry at index is in the tree of the first size entries,
// for tlog.CheckRecord. An index or size beyond the log is fault.Invalid.
func (l *Log) Prove(ctx context.Context, tenant string, index, size int64) (tlog.RecordProof, error) {
	if index < 0 || index >= size {
		return nil, fault.New(fault.Invalid, "the entry is not among the first %d", size)
	}
	if err := l.checkSize(ctx, tenant, size); err != nil {
		return nil, err
	}
	return tlog.ProveRecord(size, index, l.hashReader(ctx, tenant))
}

// ProveTree returns the proof that the tree of the first oldSize entries is the beginning of the
// tree of the first newSize, for tlog.CheckTree. 0 < oldSize <= newSize <= the log's size, else
// fault.Invalid.
func (l *Log) ProveTree(ctx context.Context, tenant string, oldSize, newSize int64) (tlog.TreeProof, error) {
	if oldSize < 1 || oldSize > newSize {
		return nil, fault.New(fault.Invalid, "the old size is from 1 to the new one")
	}
	if err := l.checkSize(ctx, tenant, newSize); err != nil {
		return nil, err
	}
	return tlog.ProveTree(newSize, oldSize, l.hashReader(ctx, tenant))
}

func (l *Log) checkSize(ctx context.Context, tenant string, size int64) error {
	if err := checkTenant(tenant); err != nil {
		return err
	}
	latest, err := l.store.Latest(ctx, tenant)
	if err != nil {
		return err
	}
	if size > latest.Size {
		return fault.New(fault.Invalid, "the log has %d entries", latest.Size)
	}
	return nil
}

// hashReader finds tlog's stored hashes in the rows of the entries that completed them: the one
// at a level, number n, belongs to the last entry below it.
func (l *Log) hashReader(ctx context.Context, tenant string) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		entries, levels := make([]int64, len(indexes)), make([]int, len(indexes))
		for i, index := range indexes {
			level, n := tlog.SplitStoredHashIndex(index)
			entries[i], levels[i] = (n+1)<<level-1, level
		}
		rows, err := l.store.Hashes(ctx, tenant, entries)
		if err != nil {
			return nil, err
		}
		hashes := make([]tlog.Hash, len(indexes))
		for i, row := range rows {
			from := levels[i] * tlog.HashSize
			if len(row) < from+tlog.HashSize {
				return nil, fault.New(fault.Corrupt, "the hashes of entry %d are damaged", entries[i])
			}
			hashes[i] = tlog.Hash(row[from : from+tlog.HashSize])
		}
		return hashes, nil
	})
}
