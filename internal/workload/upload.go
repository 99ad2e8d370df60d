package workload

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// cleanupTime bounds the tidying up after a write that failed. What it does not finish, Sweep does.
const cleanupTime = 10 * time.Second

// An upload is content on its way to becoming an item. It ends with finish or drop.
type upload struct {
	service   *Service
	caller    directory.Caller
	container Container
	row       Row // all but item id, metadata and times
	key       envelope.Key
	digest    [sha256.Size]byte
	blob      BlobWriter
}

// upload streams body into a new blob under a new key. On an error nothing is left of it.
//
// The blob is announced by an intent before its first byte. Whatever happens from then on, up
// to kill -9, there is either an item that owns the blob or an intent by which Sweep finds it.
func (s *Service) upload(ctx context.Context, caller directory.Caller, keys *hierarchy.Opened, c Container, body io.Reader) (*upload, error) {
	version, err := newID()
	if err != nil {
		return nil, err
	}
	return s.uploadAs(ctx, caller, keys, c, version, s.maxSize, body)
}

// uploadAs is upload for that version of an item, of up to limit bytes.
func (s *Service) uploadAs(ctx context.Context, caller directory.Caller, keys *hierarchy.Opened, c Container, version string, limit int64, body io.Reader) (_ *upload, err error) {
	u := &upload{service: s, caller: caller, container: c}
	u.row = Row{Tenant: c.Tenant, Container: c.ID, Version: version, KeyVersion: keys.Version()}
	if u.row.Blob, err = newID(); err != nil {
		return nil, err
	}
	if u.key, u.row.ItemKey, err = keys.NewItemKey(bindItemKey(c, u.row.Version)); err != nil {
		return nil, err
	}
	if err = s.store.Intend(ctx, u.intent(s.now().Add(s.patience))); err != nil {
		u.key.Destroy()
		return nil, err
	}
	if err = u.stream(ctx, keys, limit, body); err != nil {
		u.drop(ctx)
		return nil, err
	}
	return u, nil
}

func (u *upload) intent(due time.Time) Intent {
	return Intent{Tenant: u.row.Tenant, Blob: u.row.Blob, Due: due}
}

func (u *upload) stream(ctx context.Context, keys *hierarchy.Opened, limit int64, body io.Reader) (err error) {
	if u.blob, err = u.service.blobs.Create(ctx, u.row.Blob); err != nil {
		return err
	}
	out := &guardedWriter{ctx: ctx, keys: keys, upload: u, extended: u.service.now()}
	sealed, err := envelope.NewWriter(out, u.key, bindContent(u.container, u.row.Version))
	if err != nil {
		return err
	}
	in := &source{body: body, digest: sha256.New(), limit: limit}
	if _, err := sealed.ReadFrom(in); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return err
	}
	u.row.Size = in.size
	in.digest.Sum(u.digest[:0])
	return nil
}

// finish makes the upload an item. On an error the upload is dropped.
func (u *upload) finish(ctx context.Context, id string, o PutOptions) (item Item, created bool, err error) {
	defer func() {
		if err != nil {
			u.drop(ctx)
		}
	}()
	u.row.Item = id
	u.row.Created = u.service.now()
	u.row.Modified = u.row.Created
	item = itemOf(u.container, u.row)
	item.ContentType, item.Digest, item.Name, item.SourceModified = o.ContentType, u.digest, o.Name, o.SourceModified
	if u.row.Metadata, err = sealMetadata(u.key, u.container, u.row.Version, item); err != nil {
		return Item{}, false, err
	}
	if err := u.blob.Commit(); err != nil {
		return Item{}, false, err
	}
	written, created, err := u.put(ctx, o.IfNoneMatch)
	if err != nil {
		return Item{}, false, err
	}
	u.key.Destroy()
	item.Created = written.Created
	return item, created, nil
}

// put writes the row. If the version of the container's key that wraps the item key was
// retired while the content came in, the newest one wraps it instead: the item key itself was
// made for this write and is stored nowhere yet.
func (u *upload) put(ctx context.Context, onlyNew bool) (written Row, created bool, err error) {
	for attempt := 1; ; attempt++ {
		written, created, err = u.service.store.PutItem(ctx, u.row, onlyNew)
		if !isRetired(err) || attempt == moveAttempts {
			return written, created, err
		}
		keys, err := u.service.sealing(ctx, u.caller, u.container)
		if err != nil {
			return written, false, err
		}
		u.row.KeyVersion = keys.Version()
		u.row.ItemKey, err = keys.WrapItemKey(u.key, bindItemKey(u.container, u.row.Version))
		keys.Close()
		if err != nil {
			return written, false, err
		}
	}
}

// drop removes what the upload has left. It works also when ctx has ended.
func (u *upload) drop(ctx context.Context) {
	u.key.Destroy()
	if u.blob != nil {
		u.blob.Abort()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	// A Sweep may have dropped the intent before the blob was committed: announce it again, so
	// that what cannot be removed now is found the next time.
	i := u.intent(u.service.now())
	if u.service.store.Intend(ctx, i) == nil {
		_, _ = u.service.remove(ctx, i)
	}
}

// A guardedWriter passes on one sealed segment at a time, each only while the lease of the keys
// holds and the blob has not been given up.
type guardedWriter struct {
	ctx      context.Context
	keys     *hierarchy.Opened
	upload   *upload
	extended time.Time
}

func (g *guardedWriter) Write(segment []byte) (int, error) {
	if err := g.keys.Alive(g.ctx); err != nil {
		return 0, err
	}
	if err := g.extend(); err != nil {
		return 0, err
	}
	return g.upload.blob.Write(segment)
}

// extend keeps Sweep away from an upload that goes on for long.
func (g *guardedWriter) extend() error {
	s := g.upload.service
	now := s.now()
	if now.Sub(g.extended) < s.patience/4 {
		return nil
	}
	if err := s.store.Extend(g.ctx, g.upload.intent(now.Add(s.patience))); err != nil {
		return err
	}
	g.extended = now
	return nil
}

// A source reads a body, counts and digests it, and ends it at the limit.
type source struct {
	body   io.Reader
	digest hash.Hash
	size   int64
	limit  int64
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.digest.Write(p[:n])
	s.size += int64(n)
	if s.size > s.limit {
		return n, fault.New(fault.TooLarge, "the content is longer than %d bytes, the most one item can hold", s.limit).
			WithHint("split it into several items")
	}
	if err == nil || err == io.EOF || isFault(err) {
		return n, err
	}
	return n, fault.Wrap(fault.Invalid, err, "the body ended before it was complete; nothing was stored").
		WithReason("BodyCut").
		WithHint("send it again")
}
