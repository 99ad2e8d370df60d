package audit

import "context"

// A Store keeps the rows of logs. It knows nothing of trees and signatures. Package store
// implements it.
type Store interface {
	// Append runs fn in one transaction that is durable when Append returns nil. fn may run more
	// than once. Two Appends for the same tenant behave as if run one after the other.
	Append(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error

	// Latest returns the newest head of a tenant's log, the zero one if it has no entries.
	Latest(ctx context.Context, tenant string) (Latest, error)

	// Leaves returns up to limit leaves behind index after, in order.
	Leaves(ctx context.Context, tenant string, after int64, limit int) ([]Leaf, error)

	// Hashes returns the hashes stored with each of the given entries; fault.Corrupt if one is
	// missing.
	Hashes(ctx context.Context, tenant string, indexes []int64) ([][]byte, error)
}

// A Tx is what Append may do in its transaction. SetLatest is called before Add, so that two
// nodes that append to one log meet at the row they both change. Add stores entries one after
// the other; an index that is taken is fault.Corrupt.
type Tx interface {
	Latest(ctx context.Context, tenant string) (Latest, error)
	SetLatest(ctx context.Context, tenant string, latest Latest) error
	Add(ctx context.Context, tenant string, first int64, rows []Row) error
}

// A Row is an entry on its way into the store: its leaf, and the tree hashes that it completed,
// 32 bytes each, lowest level first.
type Row struct {
	Leaf   []byte
	Hashes []byte
}

// Latest is the stored end of a log.
type Latest struct {
	Size int64  // entries
	Edge []byte // hashes of the complete subtrees that cover them, largest first, 32 bytes each
	Note string // the signed head
}

// A Leaf is one stored entry.
type Leaf struct {
	Index int64
	Bytes []byte
}
