package workload

import (
	"context"
	"io"
)

// Blobs keeps sealed content. Ids are GUIDs. A blob is written once and never changed. Errors
// are faults: NotFound for a blob that is not there, Unavailable when the storage fails.
type Blobs interface {
	// Create starts a blob, which is there only once Commit has returned nil.
	Create(ctx context.Context, id string) (BlobWriter, error)
	// Open reads a blob. One that is deleted meanwhile may become unreadable.
	Open(ctx context.Context, id string) (BlobReader, error)
	// Delete removes a blob; one that is not there is fine.
	Delete(ctx context.Context, id string) error
}

// A BlobWriter takes the bytes of one new blob.
type BlobWriter interface {
	io.Writer
	Commit() error // durable when nil; called at most once
	Abort()        // drops the bytes; does nothing after Commit
}

// A BlobReader reads anywhere in one blob, from many goroutines.
type BlobReader interface {
	io.ReaderAt
	io.Closer
	Size() int64
}
