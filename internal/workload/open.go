package workload

import (
	"context"
	"io"
	"sync"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// openAttempts is how often an item may be replaced while it is being opened.
const openAttempts = 3

// Head returns what is known about an item, without its content.
//
// Errors: fault.Invalid, Forbidden, NotFound; Denied if the owner of the root keys refuses;
// Corrupt, naming the item, if its metadata does not open; Unavailable.
func (s *Service) Head(ctx context.Context, caller directory.Caller, ref Ref) (Item, error) {
	c, err := s.readable(ctx, caller, ref)
	if err != nil {
		return Item{}, err
	}
	return s.item(ctx, caller, c, ref.Item)
}

// Open returns an item with its content, which the caller must close. ctx covers all reading.
// Header, length and final segment of the content are checked before Open returns, every other
// segment before a byte of it is read. Errors are those of Head.
func (s *Service) Open(ctx context.Context, caller directory.Caller, ref Ref) (*Content, error) {
	c, err := s.readable(ctx, caller, ref)
	if err != nil {
		return nil, err
	}
	row, err := s.row(ctx, c, ref.Item)
	for attempt := 1; err == nil; attempt++ {
		content, failed := s.open(ctx, caller, c, row)
		if !fault.Is(failed, fault.Corrupt) || attempt == openAttempts {
			return content, failed
		}
		// Its blob or its key may be gone because the item was replaced or encrypted anew just now:
		// then look again.
		blob := row.Blob
		if row, err = s.row(ctx, c, ref.Item); err == nil && row.Blob == blob {
			return nil, failed
		}
	}
	return nil, err
}

// readable returns the container of ref for reading the item.
func (s *Service) readable(ctx context.Context, caller directory.Caller, ref Ref) (Container, error) {
	if err := checkItemID(ref.Item); err != nil {
		return Container{}, err
	}
	return s.container(ctx, caller, readItem, ref)
}

// row returns the row of an item.
func (s *Service) row(ctx context.Context, c Container, item string) (Row, error) {
	if c.ID == "" {
		return Row{}, errNoItem(c.ref(item))
	}
	row, err := s.store.Item(ctx, c.Tenant, c.ID, item)
	if fault.Is(err, fault.NotFound) {
		return Row{}, errNoItem(c.ref(item))
	}
	return row, err
}

// item returns an item with its metadata opened. Like Open it looks again if the item was
// encrypted anew meanwhile.
func (s *Service) item(ctx context.Context, caller directory.Caller, c Container, id string) (Item, error) {
	row, err := s.row(ctx, c, id)
	for attempt := 1; err == nil; attempt++ {
		item, failed := s.head(ctx, caller, c, row)
		if !fault.Is(failed, fault.Corrupt) || attempt == openAttempts {
			return item, failed
		}
		blob := row.Blob
		if row, err = s.row(ctx, c, id); err == nil && row.Blob == blob {
			return Item{}, failed
		}
	}
	return Item{}, err
}

// head opens the metadata of a row.
func (s *Service) head(ctx context.Context, caller directory.Caller, c Container, row Row) (Item, error) {
	keys, err := s.opening(ctx, caller, c, row.KeyVersion)
	if err != nil {
		return Item{}, err
	}
	defer keys.Close()
	item, key, err := describe(keys, c, row)
	if err != nil {
		return Item{}, err
	}
	key.Destroy()
	return item, nil
}

// open opens the content of a row.
func (s *Service) open(ctx context.Context, caller directory.Caller, c Container, row Row) (_ *Content, err error) {
	keys, err := s.opening(ctx, caller, c, row.KeyVersion)
	if err != nil {
		return nil, err
	}
	content := &Content{keys: keys}
	defer func() {
		if err != nil {
			content.Close()
		}
	}()
	item, key, err := describe(keys, c, row)
	if err != nil {
		return nil, err
	}
	defer key.Destroy() // what is open goes on without it
	content.Item = item
	if content.blob, err = s.blobs.Open(ctx, row.Blob); err != nil {
		return nil, missingBlob(item.Ref, err)
	}
	sealed := &guardedReader{ctx: ctx, keys: keys, blob: content.blob}
	random, err := envelope.NewRandom(sealed, content.blob.Size(), key, bindContent(c, row.Version))
	if err != nil {
		return nil, damaged(item.Ref, err)
	}
	if random.Size() != item.Size {
		return nil, damaged(item.Ref, fault.New(fault.Corrupt, "the content has %d bytes, its metadata says %d", random.Size(), item.Size))
	}
	content.cursor = random.Cursor()
	return content, nil
}

// missingBlob tells a blob that has been lost from storage that fails.
func missingBlob(ref Ref, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return damaged(ref, fault.Wrap(fault.Corrupt, err, "its blob is missing"))
}

// Content is an open item: an io.ReadSeeker over its plaintext that holds one segment.
//
// Before each segment the lease of the keys is asked, so reading ends soon after the owner of
// the root keys takes them back (fault.Denied). Damage ends it with fault.Corrupt, naming the
// item. Every byte it returns was authenticated.
type Content struct {
	Item Item

	keys   *hierarchy.Opened
	blob   BlobReader
	mu     sync.Mutex // net/http may still read from another goroutine while the handler closes
	cursor *envelope.Cursor
	closed bool
}

// Read reads plaintext from the position on.
func (c *Content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, errClosed()
	}
	n, err := c.cursor.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, damaged(c.Item.Ref, err)
}

// Seek moves the position; before the start is fault.BadRange.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, errClosed()
	}
	return c.cursor.Seek(offset, whence)
}

// Close lets go of the blob and of the keys. Closing twice is harmless.
func (c *Content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.cursor = nil
	c.keys.Close()
	if c.blob == nil {
		return nil
	}
	return c.blob.Close()
}

func errClosed() error { return fault.New(fault.Internal, "the content was closed") }

// A guardedReader reads one sealed segment at a time, each only while the lease of the keys holds.
type guardedReader struct {
	ctx  context.Context
	keys *hierarchy.Opened
	blob io.ReaderAt
}

func (g *guardedReader) ReadAt(p []byte, offset int64) (int, error) {
	if err := g.ctx.Err(); err != nil {
		return 0, err
	}
	if err := g.keys.Alive(g.ctx); err != nil {
		return 0, err
	}
	return g.blob.ReadAt(p, offset)
}
