package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/store/blob/blobtest"
)

// children are what the test binary does instead of testing when a test starts it again.
var children = map[string]func(dir string){"kill": writeForEver}

func TestMain(m *testing.M) {
	if run := children[os.Getenv("CK_TEST_CHILD")]; run != nil {
		run(os.Getenv("CK_TEST_FOLDER"))
	}
	os.Exit(m.Run())
}

func mustOpen(t testing.TB, path string) *blob.Folder {
	t.Helper()
	f, err := blob.OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFolder(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return mustOpen(t, t.TempDir()) })
}

// files returns the paths of all files below dir.
func files(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestStaleFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	w, err := mustOpen(t, dir).Create(t.Context(), blobtest.NewID())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("left by a killed program")); err != nil {
		t.Fatal(err)
	}
	if n := len(files(t, dir)); n != 1 {
		t.Fatalf("%d files while writing, want 1", n)
	}
	mustOpen(t, dir)
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := w.Commit(); err == nil {
		t.Error("Commit passed though its file is gone")
	}
}

func TestLinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	dir, id := t.TempDir(), blobtest.NewID()
	f := mustOpen(t, dir)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, id[len(id)-2:], id)); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Open(t.Context(), id); err == nil {
		r.Close()
		t.Error("a link out of the folder was followed")
	}
}

// A blob as the child of the crash test writes it: its id is the hash of its bytes.
func blobNumber(n int) (id string, data []byte) {
	data = bytes.Repeat([]byte(fmt.Sprint(n, " ")), 20_000)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), data
}

// writeForEver is the child: it creates blob after blob and says each id once it is durable.
func writeForEver(dir string) {
	f, err := blob.OpenFolder(dir)
	if err != nil {
		panic(err)
	}
	for n := 0; ; n++ {
		id, data := blobNumber(n)
		w, err := f.Create(context.Background(), id)
		if err != nil {
			panic(err)
		}
		for chunk := range bytes.SplitAfterSeq(data, []byte(" ")) {
			if _, err := w.Write(chunk); err != nil {
				panic(err)
			}
		}
		if err := w.Commit(); err != nil && !fault.Is(err, fault.Conflict) {
			panic(err)
		}
		fmt.Println(id)
	}
}

// Killed at any moment: what was acknowledged is there, and nothing is there in part.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "CK_TEST_CHILD=kill", "CK_TEST_FOLDER="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := sync.OnceFunc(func() { // soon: a busy machine may take long until it writes at all
			time.AfterFunc(time.Duration(50+13*round)*time.Millisecond, func() { child.Process.Kill() })
		})
		for lines := bufio.NewScanner(out); lines.Scan(); {
			kill()
			acknowledged[lines.Text()] = true
		}
		child.Wait() //nolint:errcheck // it was killed
	}
	f := mustOpen(t, dir)
	if len(acknowledged) == 0 {
		t.Fatal("the child wrote nothing")
	}
	for _, path := range files(t, dir) {
		id := filepath.Base(path)
		if sum := sha256.Sum256(blobtest.MustGet(t, f, id)); hex.EncodeToString(sum[:]) != id {
			t.Errorf("%s holds other bytes", path)
		}
		delete(acknowledged, id)
	}
	if len(acknowledged) > 0 {
		t.Errorf("acknowledged, but lost: %v", acknowledged)
	}
}

func TestUnusableFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := blob.OpenFolder(path)
	if e := fault.As(err); e.Code != fault.Unavailable || e.Hint == "" || strings.Contains(e.Message, path) {
		t.Errorf("got %v with hint %q", err, e.Hint)
	}
}

func BenchmarkCreate(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			f, data := mustOpen(b, b.TempDir()), make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				blobtest.MustPut(b, f, blobtest.NewID(), data)
			}
		})
	}
}
