package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/customerkey/customerkey/envelope"
)

// cmdDamage spoils the blob that was written last.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: damage first|middle|last|cut|gone")
	}
	path := newestBlob(ts)
	content, err := os.ReadFile(path)
	ts.Check(err)
	switch args[0] {
	case "first":
		content[0] ^= 1
	case "middle":
		content[len(content)/2] ^= 1
	case "last":
		content[len(content)-1] ^= 1
	case "cut":
		content = content[:len(content)-1]
	case "gone":
		ts.Check(os.Remove(path))
		return
	default:
		ts.Fatalf("unknown damage %q", args[0])
	}
	ts.Check(os.WriteFile(path, content, 0o600))
	// Not the newest any more: the next call is about another one.
	ts.Check(os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0)))
}

func newestBlob(ts *testscript.TestScript) (newest string) {
	var at time.Time
	ts.Check(filepath.WalkDir(ts.MkAbs("data/blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
		return err
	}))
	if newest == "" {
		ts.Fatalf("there is no blob")
	}
	return newest
}

// cmdSpoilSeals spoils the sealing keys below a folder.
func cmdSpoilSeals(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: spoil-seals swap|renew|cut DIR")
	}
	var book, key string
	for name, p := range files(ts, ts.MkAbs(args[1])) {
		switch {
		case filepath.Base(name) == "seals.json":
			book = p
		case filepath.Ext(name) == ".key":
			key = p
		}
	}
	text, err := os.ReadFile(book)
	ts.Check(err)
	switch args[0] {
	case "swap":
		text = []byte(strings.NewReplacer(`"seal": "vault"`, `"seal": "service"`, `"seal": "service"`, `"seal": "vault"`).Replace(string(text)))
		ts.Check(os.WriteFile(book, text, 0o600))
	case "renew":
		line := "customerkey-holder-v1 " + base64.StdEncoding.EncodeToString(envelope.NewKey().Expose()) + "\n"
		ts.Check(os.WriteFile(key, []byte(line), 0o600))
	case "cut":
		ts.Check(os.WriteFile(book, text[:len(text)-20], 0o600))
	default:
		ts.Fatalf("unknown way %q to spoil", args[0])
	}
}

func cmdCopyTree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: copytree A B")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
}

func cmdFreePort(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: free-port NAME")
	}
	port, err := findPort()
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// cmdNoise makes a file of that many random bytes.
func cmdNoise(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: noise FILE BYTES")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.Create(path)
	ts.Check(err)
	defer f.Close()
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), size)
	ts.Check(err)
}

type trapKey struct{}

// A trap is a listener that counts who connects to it.
type trap struct {
	listener net.Listener
	touched  atomic.Int32
}

// cmdTrap opens a trap at $TRAP and, with an argument, checks how often it was touched.
func cmdTrap(ts *testscript.TestScript, neg bool, args []string) {
	all := ts.Value(trapKey{}).(*trap)
	switch {
	case neg || len(args) > 1:
		ts.Fatalf("usage: trap [untouched|touched]")
	case len(args) == 0:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		all.listener = l
		ts.Defer(func() { l.Close() })
		go all.count()
		ts.Setenv("TRAP", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
		ts.Setenv("SERVER_PROXY", fmt.Sprintf("http://%s", l.Addr())) // what leaves the machine comes here, too
	case (all.touched.Load() > 0) != (args[0] == "touched"):
		ts.Fatalf("%d connections came", all.touched.Load())
	}
}

func (t *trap) count() {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.touched.Add(1)
		conn.Close()
	}
}
