package workloadtest

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
)

// MustPut writes an item.
func (w *World) MustPut(t testing.TB, caller directory.Caller, ref workload.Ref, content []byte) workload.Item {
	t.Helper()
	item, _, err := w.Items.Put(t.Context(), caller, ref, workload.PutOptions{}, bytes.NewReader(content))
	must(t, err)
	return item
}

// Row returns the stored row of an item.
func (w *World) Row(t testing.TB, tenant string, ref workload.Ref) workload.Row {
	t.Helper()
	s := store.NewWorkload(w.DB)
	c, err := s.Container(t.Context(), tenant, ref.Workload, ref.Container)
	must(t, err)
	row, err := s.Item(t.Context(), tenant, c.ID, ref.Item)
	must(t, err)
	return row
}

// BlobPath returns the file that holds an item's sealed content.
func (w *World) BlobPath(t testing.TB, tenant string, ref workload.Ref) string {
	t.Helper()
	id := w.Row(t, tenant, ref).Blob
	for _, path := range w.BlobFiles(t) {
		if filepath.Base(path) == id {
			return path
		}
	}
	t.Fatalf("the blob of %s is not there", ref)
	return ""
}

// BlobFiles returns all files below the blob folder, unfinished ones too.
func (w *World) BlobFiles(t testing.TB) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir(w.Blobs, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	}))
	return files
}

// FlipByte changes one byte of a file.
func FlipByte(t testing.TB, path string, offset int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	b[offset] ^= 1
	must(t, os.WriteFile(path, b, 0o600))
}

// Entries returns the entries of a tenant's log that have that action.
func (w *World) Entries(t testing.TB, tenant, action string) []audit.Entry {
	t.Helper()
	var found []audit.Entry
	for after := int64(-1); ; {
		page, err := w.Log.Entries(t.Context(), tenant, after, 1000)
		must(t, err)
		for _, e := range page {
			if e.Entry.Action == action {
				found = append(found, e.Entry)
			}
			after = e.Index
		}
		if len(page) == 0 {
			return found
		}
	}
}

// Content returns n bytes that look random and are the same each time.
func Content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

// AllFiles returns every file of the world: blobs, and the database with what SQLite keeps beside it.
func (w *World) AllFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(w.dbPath + "*")
	must(t, err)
	if len(files) == 0 {
		t.Fatal("the database has no file")
	}
	return append(files, w.BlobFiles(t)...)
}
