//go:build unix

package store_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
)

func init() { children["open"] = openAndSay }

// openAndSay is the child of TestReadOnlyFolder.
func openAndSay(path string) {
	db, err := store.OpenSQLite(context.Background(), path, counters()...)
	if err == nil {
		db.Close()
	}
	e := fault.As(err)
	fmt.Println(e.Code, e.Message, e.Hint != "")
	os.Exit(0)
}

// The folder may be read, not written. Root may write anywhere, so the child is somebody else.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(copyOfTests(t, dir))
	if os.Geteuid() == 0 {
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o755) }) //nolint:errcheck // else removing the folder fails, and says so
	}
	child.Env = append(os.Environ(), "CK_TEST_CHILD=open", "CK_TEST_PATH="+filepath.Join(dir, "new.db"))
	child.Dir = dir
	child.Stderr = os.Stderr
	out, err := child.Output()
	if want := "unavailable the database file cannot be opened true\n"; err != nil || string(out) != want {
		t.Errorf("the child said %q, %v; want %q", out, err, want)
	}
}

// copyOfTests copies the test binary to where another user can start it.
func copyOfTests(t *testing.T, dir string) string {
	t.Helper()
	in, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path := filepath.Join(dir, "tests")
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
