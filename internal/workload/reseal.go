package workload

import (
	"context"
	"crypto/sha256"
	"io"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// renewed starts a new version of the container's key under the policy that is in force.
func (s *Service) renewed(ctx context.Context, caller directory.Caller, c Container) (*hierarchy.Opened, error) {
	for attempt := 1; ; attempt++ {
		target, err := s.policies.InForce(ctx, KeyContainer(c))
		if err != nil {
			return nil, err
		}
		keys, err := s.keys.Renew(ctx, caller, KeyContainer(c), target)
		if err == nil {
			return keys, nil
		}
		f := fault.As(err)
		if f.Code != fault.Conflict || f.Reason != hierarchy.ReasonGenerationMoved || attempt == moveAttempts {
			return nil, err
		}
	}
}

// reseal streams the content of a row into a new blob under a new key, reads that back, and
// puts it in the place of the old one, unless the item is another one by then or gone. It
// stays the same version of the item: its content, its times and its entity tag do not change.
func (r *renewal) reseal(ctx context.Context, c Container, keys *hierarchy.Opened, row Row) error {
	old, err := r.s.open(ctx, r.caller, c, row)
	if err != nil {
		return err
	}
	defer old.Close()
	body := &slowReader{ctx: ctx, renewal: r, content: old}
	u, err := r.s.uploadAs(ctx, r.caller, keys, c, row.Version, row.Size, body)
	if err != nil {
		return err
	}
	replaced, err := u.replace(ctx, old.Item, row)
	if err != nil || !replaced {
		u.drop(ctx)
		return err
	}
	u.key.Destroy()
	r.at.Items++
	r.at.Bytes += row.Size
	return r.run.Slow(ctx, leastWeight-row.Size) // what a small item counts for beyond its bytes
}

// replace puts the upload in the place of the row's content, once it has proved to open.
func (u *upload) replace(ctx context.Context, item Item, row Row) (bool, error) {
	if u.digest != item.Digest || u.row.Size != row.Size {
		return false, damaged(item.Ref, fault.New(fault.Corrupt, "the content is not what its metadata says"))
	}
	u.row.Item, u.row.Created, u.row.Modified = row.Item, row.Created, row.Modified
	var err error
	if u.row.Metadata, err = sealMetadata(u.key, u.container, row.Version, item); err != nil {
		return false, err
	}
	if err := u.blob.Commit(); err != nil {
		return false, err
	}
	if err := u.readBack(ctx, item); err != nil {
		return false, err
	}
	return u.service.store.Exchange(ctx, u.row, row.Blob, u.service.now())
}

// readBack reads the blob as a reader will, from the stored key on, and compares the content.
func (u *upload) readBack(ctx context.Context, item Item) error {
	back, err := u.service.open(ctx, u.caller, u.container, u.row)
	if err != nil {
		return unproven(err)
	}
	defer back.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, back); err != nil {
		return unproven(err)
	}
	if [sha256.Size]byte(digest.Sum(nil)) != item.Digest || back.Item.Digest != item.Digest {
		return unproven(fault.New(fault.Corrupt, "another content came back"))
	}
	return nil
}

// unproven says that what was just written does not open: the storage is to blame, not the
// item, which stays as it is.
func unproven(err error) error {
	if !fault.Is(err, fault.Corrupt) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "content that was just written does not read back").
		WithHint("check the storage of the blobs; the items are as they were")
}

// A slowReader reads old content as fast as the operation may go, and keeps its progress.
type slowReader struct {
	ctx     context.Context
	renewal *renewal
	content io.Reader
	read    int64
}

func (s *slowReader) Read(p []byte) (int, error) {
	n, err := s.content.Read(p)
	if n == 0 || err != nil {
		return n, err
	}
	s.read += int64(n)
	if err := s.renewal.run.Slow(s.ctx, int64(n)); err != nil {
		return n, err
	}
	return n, s.renewal.saveSometimes(s.ctx, s.read)
}
