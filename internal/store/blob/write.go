package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"

	"github.com/customerkey/customerkey/internal/fault"
)

// Create implements Store.
func (f *Folder) Create(ctx context.Context, id string) (Writer, error) {
	if err := errors.Join(ctx.Err(), CheckID(id)); err != nil {
		return nil, err
	}
	name := tmp + "/" + rand.Text()
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, explain(err, "creating a blob")
	}
	return &writer{ctx: ctx, folder: f, id: id, name: name, file: file}, nil
}

// A writer fills a file in tmp. After a failed Write its bytes have a hole or an end in the wrong
// place, so Commit refuses.
type writer struct {
	ctx    context.Context
	folder *Folder
	id     string
	name   string // of the file in tmp
	file   *os.File
	failed error // of the first Write that failed
	ended  bool  // by Commit or Abort
}

func (w *writer) Write(p []byte) (int, error) {
	if err := errors.Join(w.ctx.Err(), w.failed); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	w.failed = explain(err, "writing a blob")
	return n, w.failed
}

func (w *writer) Commit() error {
	if w.ended {
		return fault.New(fault.Internal, "the blob was committed or aborted before")
	}
	defer w.Abort()
	if err := errors.Join(w.ctx.Err(), w.failed); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return explain(err, "saving a blob")
	}
	err := w.folder.root.Link(w.name, place(w.id))
	if errors.Is(err, fs.ErrExist) {
		return fault.Wrap(fault.Conflict, err, "a blob with this id is there already")
	}
	if err != nil {
		return explain(err, "saving a blob")
	}
	if err := w.folder.sync(shard(w.id)); err != nil {
		// The name may or may not survive a crash: take it away, so that the caller can try again.
		err = errors.Join(err, w.folder.root.Remove(place(w.id)))
		return explain(err, "saving a blob")
	}
	return nil
}

func (w *writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	// Errors leave bytes in tmp at worst, which the next start removes.
	_ = w.file.Close()
	_ = w.folder.root.Remove(w.name)
}
