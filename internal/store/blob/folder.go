package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Folder is a Store in a local folder:
//
//	<folder>/00/ ... <folder>/ff/   blobs, each in the folder named after the last two digits of its id
//	<folder>/tmp/                   blobs being written; what a killed program left is removed at the next start
//
// The last digits are random in every kind of id in use, the first ones are a clock in some. The
// 256 folders are made at the start, so that writing a blob flushes two things: the file, and
// the folder that gets its name.
//
// A blob is a file of exactly its bytes, mode 0600. It gets its name by a hard link, which
// unlike a rename fails when the name is taken. A folder has one program at a time.
type Folder struct {
	root *os.Root
}

const tmp = "tmp"

// OpenFolder opens the folder at path, made if missing (readable by its owner only), and
// removes what an earlier program left half written.
func OpenFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, explain(err, "opening the blob folder")
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, explain(err, "opening the blob folder")
	}
	f := &Folder{root: root}
	if err := f.prepare(); err != nil {
		root.Close()
		return nil, explain(err, "preparing the blob folder")
	}
	return f, nil
}

// prepare makes the folders inside, durably, and empties tmp.
func (f *Folder) prepare() error {
	if err := f.root.RemoveAll(tmp); err != nil {
		return err
	}
	if err := f.root.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	for n := range 256 {
		if err := f.root.Mkdir(fmt.Sprintf("%02x", n), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return f.sync(".")
}

// Close lets go of the folder. Readers and Writers that are open stay usable until closed.
func (f *Folder) Close() error { return f.root.Close() }

// shard returns the folder that holds id.
func shard(id string) string { return id[len(id)-2:] }

// place returns the path of id inside the folder.
func place(id string) string { return shard(id) + "/" + id }

// Open implements Store.
func (f *Folder) Open(ctx context.Context, id string) (Reader, error) {
	if err := errors.Join(ctx.Err(), CheckID(id)); err != nil {
		return nil, err
	}
	file, err := f.root.Open(place(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.NotFound, err, "the blob is not there")
	}
	if err != nil {
		return nil, explain(err, "opening a blob")
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() { // put there by someone else
		err = errors.New("not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, explain(err, "opening a blob")
	}
	return &reader{File: file, size: info.Size()}, nil
}

type reader struct {
	*os.File
	size int64
}

func (r *reader) Size() int64 { return r.size }

// Delete implements Store.
func (f *Folder) Delete(ctx context.Context, id string) error {
	if err := errors.Join(ctx.Err(), CheckID(id)); err != nil {
		return err
	}
	err := f.root.Remove(place(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = f.sync(shard(id))
	}
	return explain(err, "deleting a blob")
}

// sync makes the names in a folder durable.
func (f *Folder) sync(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // no such call; NTFS logs its names
	}
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
