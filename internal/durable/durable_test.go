package durable_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/customerkey/customerkey/internal/durable"
)

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	must(t, durable.Create(path, []byte("first")))
	if err := durable.Create(path, []byte("second")); !errors.Is(err, fs.ErrExist) || mustRead(t, path) != "first" {
		t.Errorf("created twice: %v", err)
	}
	must(t, durable.Write(path, []byte("third")))
	must(t, durable.Overwrite(path, []byte("fourth")))
	if got := mustRead(t, path); got != "fourth" {
		t.Errorf("the file holds %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	must(t, durable.Overwrite(filepath.Join(dir, "new"), []byte("new")))
	must(t, durable.Remove(path))
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 || names[0].Name() != "new" {
		t.Errorf("left: %v, %v", names, err)
	}
	if err := durable.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed twice: %v", err)
	}
	if err := durable.Write(filepath.Join(dir, "no", "file"), nil); err == nil {
		t.Error("a file in no folder was written")
	}
}

// The bytes of a key file that was replaced or removed are zeros, as somebody sees who has it
// open; those of one with a second name are left alone.
func TestOldBytesAreWiped(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("not done there")
	}
	path, second := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "link")
	for name, end := range map[string]func() error{
		"replaced": func() error { return durable.Overwrite(path, []byte("other")) },
		"removed":  func() error { return durable.Remove(path) },
	} {
		for _, linked := range []bool{false, true} {
			must(t, os.WriteFile(path, []byte("secret"), 0o600))
			file, err := os.Open(path)
			must(t, err)
			if linked {
				must(t, os.Link(path, second))
			}
			must(t, end())
			got, err := io.ReadAll(file)
			must(t, err)
			if wiped := bytes.Equal(got, make([]byte, 6)); wiped == linked {
				t.Errorf("%s, linked %v: %q is there", name, linked, got)
			}
			must(t, file.Close())
			_, _ = os.Remove(path), os.Remove(second)
		}
	}
}
