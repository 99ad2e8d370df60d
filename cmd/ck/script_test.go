package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts tells what people do with ck as scripts: the real binary, a real server, real
// TLS. Beside testscript's own commands they may use those of scriptCommands. Where tests run with
// the race detector, so does the server of a script that says env RACES=1; all else is without.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                scriptCommands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(plain(t))+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "share"))
			env.Setenv("PORT", freePort(t))
			if goroot, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
				source := filepath.Join(strings.TrimSpace(string(goroot)), "src")
				env.Setenv("GOSRC", source)
				env.Setenv("TREE", manyFiles(source))
			}
			env.Setenv("EXAMPLES", mustAbs(t, "../../examples"))
			env.Setenv("MESSAGES", mustAbs(t, "../../internal/importer/testdata/messages"))
			server := &scriptServer{}
			env.Values[serverKey{}] = server
			env.Values[trapKey{}] = &trap{}
			env.Defer(server.kill)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// manyFiles is what a script imports that wants many files: all of Go's source, some 11,000 files, or
// a part of it where the race detector makes each of them cost ten times as much.
func manyFiles(source string) string {
	if raced {
		return filepath.Join(source, "net")
	}
	return source
}

// scriptCommands are the commands of this package's scripts.
//
//	serve [FLAG ...]               start ck serve on $PORT with ./data and ./seals, wait until it is ready
//	[!] shutdown                   end it as Ctrl-C does; it must end well (stop would end the script: it is testscript's own)
//	power-cut                      end it as a power cut does
//	cut-while COMMAND ...          run COMMAND, and cut the server's power once it has written a line; it must fail
//	eventually PATTERN COMMAND ... run COMMAND until its output matches PATTERN, five minutes at most
//	sametree A B                   every file of folder A is in B with the same bytes, and none more
//	nocleartext DIR PATH ...       no piece of the files at PATH stands in any file below DIR
//	sign-in PROFILE USER [NEW]     sign the operator or a person of the sample in to a profile of that
//	                               name, with the password that the server printed; anybody else with
//	                               the one-time password that the last command printed
//	[!] http [-H LINE ...] [-token TOKEN] [-half] METHOD TARGET [FILE]
//	                               send this to api.{domain}, byte for byte, as the signed-in person
//	damage first|middle|last|cut|gone
//	                               spoil the blob that was written last
//	spoil-seals swap|renew|cut DIR exchange two sealing keys below DIR, replace their holder's key, shorten them
//	remember NAME PATTERN          put what the first group of PATTERN matches in the last output into
//	                               variable NAME
//	restore DATA BACKUP [FILE ...] put these files of a data folder, or all of it, back as BACKUP has them
//	copytree A B                   copy folder A to B, which does not exist
//	free-port NAME                 put the number of a free port into variable NAME
//	noise FILE BYTES               make a file of that many random bytes
//	[!] records DIR OPERATION STATUS
//	                               look for a record of the key vault log below DIR, five minutes at most
//	trap [untouched|touched]       listen at $TRAP, also as the proxy of what serve starts; check who came
//	receiver                       be a webhook on loopback, at $RECEIVER, which servers started later trust
//	subscribe PROFILE VAULT        have the webhook sent the events of a vault, as its owner asks
//	received PATTERN               wait until the webhook was sent something that matches, five minutes at most
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"serve":       cmdServe,
	"power-cut":   cmdPowerCut,
	"cut-while":   cmdCutWhile,
	"eventually":  cmdEventually,
	"sametree":    cmdSameTree,
	"nocleartext": cmdNoClearText,
	"sign-in":     cmdSignIn,
	"http":        cmdHTTP,
	"damage":      cmdDamage,
	"spoil-seals": cmdSpoilSeals,
	"remember":    cmdRemember,
	"copytree":    cmdCopyTree,
	"restore":     cmdRestore,
	"shutdown":    cmdStop,
	"free-port":   cmdFreePort,
	"noise":       cmdNoise,
	"trap":        cmdTrap,
	"receiver":    cmdReceiver,
	"subscribe":   cmdSubscribe,
	"received":    cmdReceived,
	"records":     cmdRecords,
}

type serverKey struct{}

// A scriptServer is the server of one script.
type scriptServer struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan error
	out  *lockedBuffer

	receiver *scriptReceiver // of events, if the script has one
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// longWait is how long what has to come is waited for: many times what it takes, for the machine
// may have much else to do.
const longWait = 5 * time.Minute

// start runs ck with args and waits until its output says that it is ready.
func (s *scriptServer) start(path, dir string, env, args []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("a server is running already")
	}
	s.out = &lockedBuffer{}
	s.cmd = exec.Command(path, args...)
	s.cmd.Dir, s.cmd.Env = dir, env
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(s.cmd, s.done)
	for deadline := time.After(longWait); ; {
		if strings.Contains(s.out.String(), "ready: ") {
			return nil
		}
		select {
		case err := <-s.done:
			s.cmd = nil
			return fmt.Errorf("the server ended (%v):\n%s", err, s.out)
		case <-deadline:
			return fmt.Errorf("the server is not ready:\n%s", s.out)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *scriptServer) end(sig os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	defer func() { s.cmd = nil }()
	if err := s.cmd.Process.Signal(sig); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-time.After(longWait):
		return errors.Join(errors.New("the server does not end"), s.cmd.Process.Kill())
	}
}

func (s *scriptServer) kill() { _ = s.end(syscall.SIGKILL) }

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("use ! exec ck serve for a server that must not start")
	}
	path, err := exec.LookPath("ck") // of this process: this test itself
	if ts.Getenv("RACES") == "" {
		path, err = plainBinary()
	}
	ts.Check(err)
	server := ts.Value(serverKey{}).(*scriptServer)
	args = append([]string{"serve", "--data", ts.MkAbs("data"), "--seals", ts.MkAbs("seals"), "--port", ts.Getenv("PORT")}, args...)
	ts.Check(server.start(path, ts.MkAbs("."), scriptEnv(ts), args))
	ts.Logf("%s", server.out)
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(server.out.String()), 0o600))
}

func cmdStop(ts *testscript.TestScript, neg bool, args []string) {
	server := ts.Value(serverKey{}).(*scriptServer)
	if err := server.end(os.Interrupt); (err != nil) != neg {
		ts.Fatalf("stopping the server: %v\n%s", err, server.out)
	}
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(server.out.String()), 0o600))
}

func cmdPowerCut(ts *testscript.TestScript, neg bool, args []string) {
	ts.Value(serverKey{}).(*scriptServer).kill()
}

func cmdRemember(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: remember NAME PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	m := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) < 2 {
		ts.Fatalf("the last output has no %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: eventually PATTERN COMMAND ...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), longWait)
	defer cancel()
	for last, pause := "", 100*time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		last = ts.ReadFile("stdout") + ts.ReadFile("stderr")
		if pattern.MatchString(last) {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("%q did not come (last: %v):\n%s", args[0], err, last)
		case <-time.After(pause): // longer and longer: what it waits for needs the processor, too
		}
	}
}

func cmdSameTree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: sametree A B")
	}
	a, b := files(ts, ts.MkAbs(args[0])), files(ts, ts.MkAbs(args[1]))
	if len(a) == 0 {
		ts.Fatalf("%s holds no files", args[0])
	}
	for name, path := range a {
		want, err := os.ReadFile(path)
		ts.Check(err)
		got, err := os.ReadFile(b[name])
		if err != nil || !bytes.Equal(want, got) {
			ts.Fatalf("%s differs (%v)", name, err)
		}
	}
	if len(a) != len(b) {
		ts.Fatalf("%d files here, %d there", len(a), len(b))
	}
	ts.Logf("%d files are the same", len(a))
}

// files returns the regular files below root, by their path relative to it.
func files(ts *testscript.TestScript, root string) map[string]string {
	found := map[string]string{}
	ts.Check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(root, path)
		found[name] = path
		return err
	}))
	return found
}

func cmdNoClearText(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: nocleartext DIR PATH ...")
	}
	var needles pieces
	for _, path := range args[1:] {
		for _, file := range files(ts, ts.MkAbs(path)) {
			ts.Check(needles.addFile(file))
		}
	}
	for _, path := range args[1:] {
		for name := range files(ts, ts.MkAbs(path)) {
			needles.drop([]byte(name)) // names of items are kept in clear
		}
	}
	if needles.count == 0 {
		ts.Fatalf("there is nothing to look for")
	}
	searched := int64(0)
	for name, path := range files(ts, ts.MkAbs(args[0])) {
		if name == "ca.pem" { // a certificate is there to be read, and begins as others do
			continue
		}
		content, err := os.ReadFile(path)
		ts.Check(err)
		searched += int64(len(content))
		switch found := needles.find(content); {
		case found != "" && !neg:
			ts.Fatalf("%s holds %q", name, found)
		case found != "":
			return
		}
	}
	if neg {
		ts.Fatalf("no piece was found")
	}
	ts.Logf("%d pieces looked for in %d bytes", needles.count, searched)
}

var (
	samplePassword  = regexp.MustCompile(`Everybody's password is (\S+)`)
	oneTimePassword = regexp.MustCompile(`one-time password: (\S+)`)
)

func cmdSignIn(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 || neg {
		ts.Fatalf("usage: sign-in PROFILE USER [NEW-PASSWORD]")
	}
	server := ts.Value(serverKey{}).(*scriptServer)
	printed, by := samplePassword, server.out.String()
	switch {
	case args[1] == operatorUPN:
		printed = oneTimePassword
	case !strings.HasSuffix(args[1], "@"+sampleDomain) || !samplePassword.MatchString(by):
		printed, by = oneTimePassword, ts.ReadFile("stdout")
	}
	found := printed.FindStringSubmatch(by)
	if found == nil {
		ts.Fatalf("nobody printed the password")
	}
	lines := found[1] + "\n" + strings.Join(args[2:], "") + "\n"
	path, err := exec.LookPath("ck")
	ts.Check(err)
	cmd := exec.Command(path, "--profile", args[0], "login", "--server", "https://localhost:"+ts.Getenv("PORT"), "--ca", ts.MkAbs("data/ca.pem"), "--user", args[1])
	cmd.Env = scriptEnv(ts)
	ts.Check(logIn(cmd, lines))
}

// logIn runs ck login with what somebody types.
func logIn(cmd *exec.Cmd, lines string) error {
	cmd.Stdin = strings.NewReader(lines)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("signing in: %w\n%s", err, out)
	}
	return nil
}

// scriptEnv is the environment of what a script's own commands start.
func scriptEnv(ts *testscript.TestScript) []string {
	return append(os.Environ(), "HOME="+ts.Getenv("HOME"), "XDG_CONFIG_HOME="+ts.Getenv("XDG_CONFIG_HOME"), "XDG_DATA_HOME="+ts.Getenv("XDG_DATA_HOME"),
		"HTTPS_PROXY="+ts.Getenv("SERVER_PROXY"), "SSL_CERT_FILE="+ts.Getenv("SSL_CERT_FILE"))
}

// freePort returns a port that nobody listens on and no other test was given. It is below those that
// systems hand out by themselves, which programs take all the time: a server that ends and starts
// again finds its own.
func freePort(t testing.TB) string {
	t.Helper()
	port, err := findPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

var givenPorts sync.Map

func findPort() (port string, err error) {
	const lowest, highest = 20_000, 32_000
	err = errors.New("no port is free")
	for range 1000 {
		port = strconv.Itoa(lowest + rand.IntN(highest-lowest))
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
