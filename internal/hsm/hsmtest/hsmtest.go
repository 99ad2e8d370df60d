// Package hsmtest gives tests a token of SoftHSM, a module made of software that keeps its
// tokens in a folder.
package hsmtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/hsm"
)

// PIN is the user's, SOPIN the security officer's, of every token.
const (
	PIN   = "7654321"
	SOPIN = "1234567"
)

// modules is where distributions put the library.
var modules = []string{
	"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so",
}

// most is how many tokens a test binary gets. They are made at once, for the library looks for
// tokens when it is set up.
const most = 24

// box is the one set of tokens of the test binary: SoftHSM reads its configuration by an
// environment variable, for the whole process.
var box struct {
	sync.Mutex
	once   sync.Once
	err    error
	module string
	folder string
	given  int
	held   io.Closer // the pipe that watch's process reads
}

// Config returns a fresh token. The test is skipped where SoftHSM is not installed, and fails
// if CK_REQUIRE_SOFTHSM is 1.
func Config(t testing.TB) hsm.Config {
	t.Helper()
	box.once.Do(func() { box.err = pack() })
	if box.err != nil {
		if os.Getenv("CK_REQUIRE_SOFTHSM") == "1" {
			t.Fatal(box.err)
		}
		t.Skip(box.err)
	}
	box.Lock()
	defer box.Unlock()
	box.given++
	if box.given > most {
		t.Fatalf("hsmtest: more than %d tokens", most)
	}
	pin := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte(PIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return hsm.Config{Module: box.module, Label: label(box.given), PINFile: pin, Patience: time.Minute}
}

// Environment returns what a child process needs to find the same tokens.
func Environment() string { return "SOFTHSM2_CONF=" + filepath.Join(box.folder, "softhsm2.conf") }

// Remove takes all tokens of the process away, as if a cable were pulled, until the function it
// returns is called.
func Remove(t testing.TB) (back func()) {
	t.Helper()
	tokens := filepath.Join(box.folder, "tokens")
	if err := os.Rename(tokens, tokens+".away"); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Rename(tokens+".away", tokens); err != nil {
			t.Fatal(err)
		}
	}
}

// Repair removes the empty files that SoftHSM leaves if it is killed while it makes an object:
// as long as they are there it fails now and then, also with other objects.
func Repair(t testing.TB) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(box.folder, "tokens", "*", "*.object"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && info.Size() == 0 {
			err = os.Remove(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func label(n int) string { return fmt.Sprintf("token %d", n) }

// pack makes the tokens, in a folder that goes away with the process, however that ends.
func pack() (err error) {
	for _, m := range modules {
		if _, err := os.Stat(m); err == nil && box.module == "" {
			box.module = m
		}
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil || box.module == "" {
		return fmt.Errorf("SoftHSM is not installed (Debian: apt-get install softhsm2); looked for softhsm2-util and %v", modules)
	}
	if box.folder, err = os.MkdirTemp("", "ck-hsm-"); err != nil {
		return err
	}
	if err := watch(box.folder); err != nil {
		return err
	}
	tokens := filepath.Join(box.folder, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		return err
	}
	conf := filepath.Join(box.folder, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		return err
	}
	if err := os.Setenv("SOFTHSM2_CONF", conf); err != nil {
		return err
	}
	for n := range most {
		make := exec.Command("softhsm2-util", "--init-token", "--free", "--label", label(n+1), "--pin", PIN, "--so-pin", SOPIN)
		if out, err := make.CombinedOutput(); err != nil {
			return fmt.Errorf("softhsm2-util: %w\n%s", err, out)
		}
	}
	return nil
}

// watch removes a folder when this process has ended.
func watch(folder string) error {
	c := exec.Command("sh", "-c", `cat >/dev/null; rm -rf "$1"`, "sh", folder)
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	box.held = in
	return c.Start()
}
