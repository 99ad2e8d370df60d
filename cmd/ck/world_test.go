package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/customerkey/customerkey/client"
	"github.com/customerkey/customerkey/internal/profile"
)

// A world is a real server in a process of its own, with the sample tenant, and a client that
// is signed in to it.
type world struct {
	tb     testing.TB
	ck     string // the binary that people run
	serves string // the one that serves
	dir    string
	env    []string
	port   string
	flags  []string // of ck serve
	server scriptServer
	items  *client.Client
}

// newWorld starts a server with further flags; it ends with the test.
func newWorld(tb testing.TB, flags ...string) *world {
	tb.Helper()
	return newWorldOf(tb, "", flags...)
}

// newWorldOf is newWorld with the binary at a path; "" for this test itself, which is ck under that
// name and serves, and for the commands of people one without the race detector.
func newWorldOf(tb testing.TB, self string, flags ...string) *world {
	tb.Helper()
	dir := tb.TempDir()
	people := self
	if self == "" {
		var err error
		if self, err = os.Executable(); err != nil {
			tb.Fatal(err)
		}
		people = plain(tb)
	}
	port := freePort(tb)
	w := &world{
		tb: tb, port: port, dir: dir, ck: people, serves: filepath.Join(dir, "ck"),
		env:   append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+filepath.Join(dir, "config")),
		flags: append([]string{"serve", "--sample", "--data", filepath.Join(dir, "data"), "--seals", filepath.Join(dir, "seals"), "--port", port}, flags...),
	}
	if err := os.Symlink(self, w.serves); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.server.kill)
	w.start()
	p, err := profile.Open(profile.Config{Path: filepath.Join(dir, "config", "customerkey", "profile.json")})
	if err != nil {
		tb.Fatal(err)
	}
	base := p.Addresses().API
	w.items, err = client.New(client.Config{BaseURL: base, HTTP: p.HTTPClient(), Token: p.TokenSource(base), Attempts: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// start starts the server on what is in its data folder.
func (w *world) start() {
	w.tb.Helper()
	if err := w.server.start(w.serves, w.dir, w.env, w.flags); err != nil {
		w.tb.Fatal(err)
	}
}
