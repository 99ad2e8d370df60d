package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){"ck": main, "ck-playground": playgroundMain})
}

// A suite is all tests of this package, and the folder that they share and that goes with them.
type suite struct{ *testing.M }

var sharedFolder string

func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "ck-tests")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	sharedFolder = dir
	// Tests wait for processes of their own and for the disk for half of their time.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return s.M.Run()
}

// plain returns ck without the race detector, with which a server is several times slower and each
// command starts twenty times slower: tests start hundreds. Without the detector this is the test
// itself, which is ck under that name.
func plain(tb testing.TB) string {
	tb.Helper()
	path, err := plainBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

var plainBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(sharedFolder, "ck")
	if raced {
		return path, build(path)
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if os.Link(self, path) == nil { // no symbolic one: what ck calls itself goes by where its file lies
		return path, nil
	}
	whole, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, whole, 0o700)
})

// built returns ck as people have it, without tests in it.
func built(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "ck")
	if err := build(path); err != nil {
		tb.Fatal(err)
	}
	return path
}

func build(path string) error {
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+strings.ReplaceAll(os.Getenv("GOFLAGS"), "-race", ""))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building ck: %w\n%s", err, out)
	}
	return nil
}
