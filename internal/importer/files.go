package importer

import (
	"io"
	"iter"
	"mime"
	"os"
	"path/filepath"
)

// Files finds the regular files below the folder root; each keeps its path relative to root,
// with slashes, as its id. A single file keeps its name.
func Files(root string) iter.Seq[Thing] {
	return func(yield func(Thing) bool) {
		for path, err := range walk(root) {
			if !yield(fileThing(root, path, err)) {
				return
			}
		}
	}
}

func fileThing(root, path string, err error) Thing {
	if err != nil {
		return Thing{From: path, Err: err}
	}
	info, err := os.Lstat(path)
	if err != nil {
		return Thing{From: path, Err: err}
	}
	id, err := filepath.Rel(root, path)
	if err != nil {
		return Thing{From: path, Err: err}
	}
	if id == "." {
		id = filepath.Base(path)
	}
	return Thing{
		From: path, ID: filepath.ToSlash(id), ContentType: mime.TypeByExtension(filepath.Ext(path)),
		Size: info.Size(), Weight: info.Size(), Modified: info.ModTime(),
		Open: func() (io.ReadCloser, error) { return os.Open(path) },
	}
}

// InputSize returns how many bytes lie below root: what a progress bar calls the whole. What
// cannot be looked at counts nothing.
func InputSize(root string) (bytes int64) {
	for path, err := range walk(root) {
		if err != nil {
			continue
		}
		if info, err := os.Lstat(path); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}
