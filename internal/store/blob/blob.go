// Package blob keeps the sealed bytes that are too big for rows: one write, many reads, no change.
//
// A blob has an id that the program makes, and is created whole or not at all: [Writer.Commit]
// makes it visible and durable in one step, and never replaces another. Nothing here knows
// what a blob holds, who owns it or whether a row still needs it; whoever creates blobs keeps
// count of them in rows.
//
// [Folder] keeps blobs in a local folder. Package blobtest holds the suite that every Store passes.
package blob

import (
	"context"
	"io"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Store keeps blobs. It is safe for concurrent use. An id is 8 to 64 lower-case hex digits,
// with dashes as in a GUID; another one is fault.Invalid. Trouble of the disk or the network is
// fault.Unavailable.
type Store interface {
	// Create starts a blob. Nothing is visible before Commit. ctx covers the life of the Writer.
	Create(ctx context.Context, id string) (Writer, error)

	// Open gives access to the bytes of a blob; fault.NotFound if there is none. A blob deleted
	// meanwhile may stay readable until Close. ctx covers the life of the Reader.
	Open(ctx context.Context, id string) (Reader, error)

	// Delete removes a blob for good before it returns. One that is absent is fine.
	Delete(ctx context.Context, id string) error

	// List returns up to limit blobs in an order of the store's own that does not change, those
	// that come behind the id after ("" for the first page). An empty page is the end. A blob
	// that is created or deleted meanwhile may be in a page or not.
	List(ctx context.Context, after string, limit int) ([]Info, error)
}

// A Writer takes the bytes of one new blob. It is for one goroutine.
type Writer interface {
	io.Writer

	// Commit makes the blob durable and visible under its id, or leaves nothing: with
	// fault.Conflict if the id is taken. It may be called once.
	Commit() error

	// Abort drops what was written. After Commit, or another Abort, it does nothing, so that it
	// can be deferred.
	Abort()
}

// A Reader reads anywhere in one blob. It is safe for concurrent use.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// Info is what a store knows about a blob.
type Info struct {
	ID       string
	Size     int64 // bytes
	Modified time.Time
}

const (
	minID = 8
	maxID = 64
)

// CheckID returns fault.Invalid for an id that no store takes.
func CheckID(id string) error {
	if len(id) < minID || len(id) > maxID {
		return fault.New(fault.Invalid, "a blob id has %d to %d characters", minID, maxID)
	}
	for i, c := range []byte(id) {
		dash := c == '-' && i >= 2 && i < len(id)-2 // the ends may name folders
		if !dash && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return fault.New(fault.Invalid, "a blob id has lower-case hex digits and dashes only")
		}
	}
	return nil
}
