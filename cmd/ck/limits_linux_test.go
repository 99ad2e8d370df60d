package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/customerkey/customerkey/client"
)

// TestFullDisk lets a real disk run full under a server that imports. Whoever is refused is told
// why; what was acknowledged opens, and once there is space again all works on, also without a
// restart.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w, disk := newWorldOnDisk(t, 48<<20)
	disk.run(t, w, 0, "Get-M365DataAtRestEncryptionPolicy") // leaves a token for later
	acknowledged := map[client.Ref][sha256.Size]byte{}
	fillUp := func(size int) error {
		for n := 0; ; n++ {
			content := make([]byte, size)
			fill(content)
			ref := client.Ref{Workload: "documents", Container: "full", Item: fmt.Sprintf("%d/%d", len(acknowledged), n)}
			_, _, err := w.items.Put(t.Context(), ref, client.PutOptions{}, bytes.NewReader(content))
			if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
				continue // the server has answered and closed before all was sent: ask again
			}
			if err != nil {
				return err
			}
			acknowledged[ref] = sha256.Sum256(content)
		}
	}
	mustOpen := func(when string) {
		t.Helper()
		for ref, want := range acknowledged {
			if err := opens(t.Context(), w.items, ref, want); err != nil {
				t.Fatalf("%s: item %s was acknowledged: %v", when, ref, err)
			}
		}
	}

	mustSayFull(t, fillUp(5_000_000)) // no space for a blob: found out in the midst of the body
	mustSayFull(t, fillUp(200_000))
	disk.fill(t)
	mustSayFull(t, fillUp(10)) // not for a row either
	if len(acknowledged) < 10 {
		t.Fatalf("the disk was full after %d items", len(acknowledged))
	}
	mustOpen("while the disk is full")
	files := writeFiles(t, 50, 100_000)
	said := disk.run(t, w, 7, "import", "files", "--container", "later", files)
	if !strings.Contains(said, "ck: error: ") || !strings.Contains(said, "\nck: hint: "+makeRoom) {
		t.Errorf("ck import said %q", said)
	}
	said = disk.run(t, w, 7, "Set-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy, "-Refresh")
	if !strings.Contains(said, "ck: error: ") || !strings.Contains(said, "ck: hint: ") {
		t.Errorf("a refresh said %q", said)
	}
	t.Logf("%d items acknowledged; a refresh said: %s", len(acknowledged), said)

	disk.empty(t)
	mustOpen("with space again")
	disk.run(t, w, 0, "import", "files", "--container", "later", files)
	disk.run(t, w, 0, "Set-M365DataAtRestEncryptionPolicy", "-Identity", samplePolicy, "-Refresh")
	if log := w.server.out.String(); strings.Contains(log, "goroutine ") {
		t.Errorf("the server's log holds a stack trace:\n%s", log)
	}

	disk.fill(t) // and a power cut on the full disk
	mustSayFull(t, fillUp(10))
	w.server.kill()
	disk.empty(t)
	w.start()
	mustOpen("after a restart")
	said = disk.run(t, w, 0, "import", "files", "--container", "later", files)
	if !strings.Contains(said, "50 unchanged, 0 failed") {
		t.Errorf("ck import said %q", said)
	}
}

// TestFullDiskEndsLeases reads on a full disk when the lease of the keys has ended: asking a
// root key again cannot be recorded, so it is refused, and for that reason.
func TestFullDiskEndsLeases(t *testing.T) {
	t.Parallel()
	w, disk := newWorldOnDisk(t, 32<<20, "--lease", "1s")
	ref := client.Ref{Workload: "documents", Container: "full", Item: "one"}
	_, _, err := w.items.Put(t.Context(), ref, client.PutOptions{}, strings.NewReader("content"))
	must(t, err)
	disk.fill(t)
	var answer *client.Error
	for deadline := time.Now().Add(longWait); ; time.Sleep(200 * time.Millisecond) {
		content, err := w.items.Get(t.Context(), ref)
		if errors.As(err, &answer) {
			mustSayFull(t, err)
			break
		}
		must(t, err)
		must(t, content.Close())
		if time.Now().After(deadline) {
			t.Fatal("it is read for ever, though nothing can be recorded")
		}
	}
	t.Logf("refused: %s", answer.Message)
	disk.empty(t)
	start := time.Now()
	content, err := w.items.Get(t.Context(), ref)
	for err != nil && time.Since(start) < longWait {
		time.Sleep(50 * time.Millisecond)
		content, err = w.items.Get(t.Context(), ref)
	}
	must(t, err)
	t.Logf("readable again %v after there was space", time.Since(start).Round(time.Millisecond))
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestFullDiskAtTheStart starts a server where there is no space for anything.
func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	w, disk := newWorldOnDisk(t, 32<<20)
	w.server.kill()
	disk.fill(t)
	err := w.server.start(w.serves, w.dir, w.env, w.flags)
	if err == nil {
		t.Skip("it needs no space to start") // then there is nothing to refuse
	}
	mustRefuse(t, err)
	disk.empty(t)
	w.start()
}

// TestReadOnlyDisk starts a server on a file system that is mounted read-only.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	w, disk := newWorldOnDisk(t, 32<<20)
	w.server.kill()
	disk.do(t, "mount", "-o", "remount,ro", disk.path)
	mustRefuse(t, w.server.start(w.serves, w.dir, w.env, w.flags))
	disk.do(t, "mount", "-o", "remount,rw", disk.path)
	w.start()
}

// TestReadOnlyFolder starts a server, as somebody who is not root, on a data folder that may
// only be read: one that is to be made, and one that a server has used.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ck := copyBinary(t, dir)
	for _, tt := range []struct {
		name  string
		fresh bool
	}{{"new", true}, {"used", false}} {
		t.Run(tt.name, func(t *testing.T) {
			home := filepath.Join(dir, tt.name)
			data, seals := filepath.Join(home, "data"), filepath.Join(home, "seals")
			must(t, os.Mkdir(home, 0o755))
			run := func(want string) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), ck, "serve", "--data", data, "--seals", seals, "--port", freePort(t))
				cmd.Dir, cmd.Env = home, append(os.Environ(), "HOME="+home)
				if os.Geteuid() == 0 {
					cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
				}
				var out lockedBuffer
				cmd.Stdout, cmd.Stderr = &out, &out
				must(t, cmd.Start())
				if want == "" { // it runs
					for deadline := time.Now().Add(longWait); !strings.Contains(out.String(), "ready: "); time.Sleep(20 * time.Millisecond) {
						if time.Now().After(deadline) {
							_ = cmd.Process.Kill()
							t.Fatalf("the server is not ready:\n%s", &out)
						}
					}
					must(t, cmd.Process.Signal(os.Interrupt))
					must(t, cmd.Wait())
					return
				}
				_ = cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code != 7 || !strings.HasPrefix(out.String(), want) || !strings.Contains(out.String(), "\nck: hint: ") {
					t.Errorf("exit %d: %s", code, &out)
				}
			}
			give(t, home)
			if !tt.fresh {
				run("")
			}
			freeze(t, home)
			run("ck: error: the data folder " + data + " cannot be written\n")
			if _, err := os.Stat(seals); tt.fresh && err == nil {
				t.Error("sealing keys were made for a folder that was not")
			}
		})
	}
}

// give makes everything below path belong to nobody, if we are root.
func give(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() == 0 {
		must(t, os.Chown(path, nobody, nobody))
	}
}

// nobody is a user who is not root.
const nobody = 65534

// freeze takes the right to write from everything below path until the test ends.
func freeze(t *testing.T, path string) {
	t.Helper()
	must(t, chmodAll(path, 0o555, 0o444))
	t.Cleanup(func() { _ = chmodAll(path, 0o755, 0o600) })
}

// thaw gives its owner the right back.
func thaw(t *testing.T, path string) {
	t.Helper()
	must(t, chmodAll(path, 0o700, 0o600))
}

func chmodAll(path string, dirs, files os.FileMode) error {
	return filepath.WalkDir(path, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Chmod(path, dirs)
		}
		return os.Chmod(path, files)
	})
}

// copyBinary copies ck, which is the test binary, to where others may run it.
func copyBinary(t *testing.T, dir string) string {
	t.Helper()
	for _, path := range []string{filepath.Dir(dir), dir} {
		must(t, os.Chmod(path, 0o755))
	}
	self, err := os.Executable()
	must(t, err)
	in, err := os.Open(self)
	must(t, err)
	defer in.Close()
	path := filepath.Join(dir, "ck")
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, errors.Join(err, out.Close()))
	return path
}

// A disk is a small file system of its own that only the processes of one private mount
// namespace see. It goes away with its holder.
type disk struct {
	path   string // inside
	holder int    // process id
}

// newWorldOnDisk returns a world whose data folder is on a disk of that size.
func newWorldOnDisk(t *testing.T, size int, flags ...string) (*world, *disk) {
	t.Helper()
	d := mountDisk(t, size)
	w := newWorld(t, flags...)
	must(t, w.server.end(os.Interrupt))
	must(t, os.CopyFS(d.outside(), os.DirFS(filepath.Join(w.dir, "data"))))
	enter, err := exec.LookPath("nsenter")
	must(t, err)
	inside := append([]string{"-m", "-t", strconv.Itoa(d.holder), "--wd=" + w.dir, w.serves}, w.flags...)
	for i, flag := range inside {
		if flag == filepath.Join(w.dir, "data") {
			inside[i] = d.path
		}
	}
	w.serves, w.flags = enter, inside
	w.start()
	return w, d
}

func mountDisk(t *testing.T, size int) *disk {
	t.Helper()
	d := &disk{path: t.TempDir()}
	cannot := func(format string, args ...any) {
		if why := fmt.Sprintf(format, args...); os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatalf("no disk of its own can be mounted: %s", why)
		} else {
			t.Skipf("this test needs root, to mount a small disk in a mount namespace of its own: %s", why)
		}
	}
	if os.Geteuid() != 0 {
		cannot("not root")
	}
	cmd := exec.Command("unshare", "-m", "sh", "-c", `mount -t tmpfs -o size="$1",mode=700 ck-test "$2" && echo mounted && exec sleep 600`, "sh", strconv.Itoa(size), d.path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	if err := cmd.Start(); err != nil {
		cannot("%v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cannot("%s", strings.TrimSpace(stderr.String()))
	}
	d.holder = cmd.Process.Pid
	return d
}

// outside is the path of the disk for those who are not in the namespace.
func (d *disk) outside() string { return fmt.Sprintf("/proc/%d/root%s", d.holder, d.path) }

// do runs a command where the disk is mounted.
func (d *disk) do(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "nsenter", append([]string{"-m", "-t", strconv.Itoa(d.holder)}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args, err, out)
	}
}

// fill takes all the space that is left; empty gives it back, and some more: what a full disk
// needs is that something is deleted.
func (d *disk) fill(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(d.outside(), "ballast"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(t, err)
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func (d *disk) empty(t *testing.T) {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(d.outside(), "ballast")))
	d.do(t, "mount", "-o", "remount,size=128m", d.path)
}

// makeRoom is the advice of a server whose disk is full, whatever it could not write.
const makeRoom = "free space where the data folder lives"

// mustSayFull checks what a client is told by a server whose disk is full.
func mustSayFull(t *testing.T, err error) {
	t.Helper()
	var answer *client.Error
	if !errors.As(err, &answer) || answer.Code != client.CodeUnavailable || !strings.HasPrefix(answer.Hint, makeRoom) {
		t.Fatalf("got %+v (%v), want the advice to %s", answer, err, makeRoom)
	}
}

// mustRefuse checks that a server did not start and said why.
func mustRefuse(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "ck: error: ") || !strings.Contains(err.Error(), "ck: hint: ") || strings.Contains(err.Error(), "goroutine ") {
		t.Fatalf("got %v, want a refusal with a hint", err)
	}
	t.Log(err)
}

// run runs a command of ck, which must end with that code, and returns what it said.
func (d *disk) run(t *testing.T, w *world, code int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.ck, args...)
	cmd.Env, cmd.Dir = w.env, w.dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("ck %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, out)
	}
	return string(out)
}

func writeFiles(t *testing.T, count, size int) string {
	t.Helper()
	dir := t.TempDir()
	for n := range count {
		content := make([]byte, size)
		rand.NewChaCha8([32]byte{byte(n)}).Read(content) //nolint:errcheck // never fails
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.bin", n)), content, 0o600))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullDiskUnderTheVaultLog: a log of requests that cannot be written stops no request, the
// health tells of it, and once there is space it goes on, in files that are whole.
func TestFullDiskUnderTheVaultLog(t *testing.T) {
	t.Parallel()
	d := mountDisk(t, 1<<20)
	log := filepath.Join(d.outside(), "log")
	w := newWorld(t, "--vault-log", log)
	ask := func() { w.mustRun("Get-AzKeyVaultKey", "-VaultName", "contoso-east", "-Name", "root1") }
	ask()
	if health := w.health(); health != `{"status":"ok"}` {
		t.Errorf("at first: %s", health)
	}
	d.fill(t)
	for n := 0; !strings.Contains(w.health(), "the key vault log lost "); n++ {
		if n == 50 {
			t.Fatalf("after %d requests: %s", n, w.health())
		}
		ask()
	}
	d.empty(t)
	before := countRecords(t, log)
	ask()
	must(t, w.server.end(os.Interrupt))
	if after := countRecords(t, log); after <= before {
		t.Errorf("%d records, and %d once there was space again", before, after)
	}
}
