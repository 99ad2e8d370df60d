//go:build unix

package blob_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/store/blob/blobtest"
)

func init() { children["full"] = writeTooMuch }

// writeTooMuch is the child of TestFullDisk. A limit on the size of files makes its writes fail
// half-way, as a full disk does; the limit would hit the test binary's own files too.
func writeTooMuch(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100_000, Max: 100_000}); err != nil {
		panic(err)
	}
	f, err := blob.OpenFolder(dir)
	if err != nil {
		panic(err)
	}
	err = blobtest.Put(context.Background(), f, blobtest.NewID(), make([]byte, 1_000_000))
	e := fault.As(err)
	fmt.Println(e.Code, e.Message, e.Hint != "")
	if err := blobtest.Put(context.Background(), f, "00000000", make([]byte, 50_000)); err != nil {
		panic(err) // the folder is not spoilt for what fits
	}
	os.Exit(0)
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "CK_TEST_CHILD=full", "CK_TEST_FOLDER="+dir)
	child.Stderr = os.Stderr
	out, err := child.Output()
	if want := "unavailable the disk is full true\n"; err != nil || string(out) != want {
		t.Errorf("the child said %q, %v; want %q", out, err, want)
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("left behind: %v, want the blob that fits", left)
	}
}
