package audit

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/customerkey/customerkey/internal/fault"
)

// A tree is as much of a Merkle tree as appending needs: its size, and the hashes of the
// complete subtrees that cover it, largest first, one for each bit set in size.
type tree struct {
	size int64
	edge []tlog.Hash
}

// add appends a leaf and returns the hashes it completed, lowest level first: the one at level
// k covers the 2^k leaves that end with this one (tlog's stored hashes of the record).
func (t *tree) add(leaf []byte) []tlog.Hash {
	h := tlog.RecordHash(leaf)
	done := []tlog.Hash{h}
	for range bits.TrailingZeros64(^uint64(t.size)) {
		last := len(t.edge) - 1
		h = tlog.NodeHash(t.edge[last], h)
		t.edge = t.edge[:last]
		done = append(done, h)
	}
	t.edge = append(t.edge, h)
	t.size++
	return done
}

// root returns the hash of the whole tree; that of the empty one is the hash of nothing (RFC 6962).
func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	last := len(t.edge) - 1
	h := t.edge[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return h
}

// joinHashes returns hashes as they are stored: one behind the other.
func joinHashes(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// newTree returns the tree of a stored size and edge.
func newTree(size int64, edge []byte) (*tree, error) {
	t := &tree{size: size}
	if size < 0 || len(edge) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return nil, fault.New(fault.Corrupt, "the edge of the tree does not fit its size")
	}
	for ; len(edge) > 0; edge = edge[tlog.HashSize:] {
		t.edge = append(t.edge, tlog.Hash(edge[:tlog.HashSize]))
	}
	return t, nil
}
