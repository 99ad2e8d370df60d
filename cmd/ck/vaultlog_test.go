package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/customerkey/customerkey/internal/profile"
)

// A vaultRecord is what tests read of a record of the key vault log.
type vaultRecord struct {
	OperationName string
	Properties    struct{ HTTPStatusCode int }
}

// readRecords reads all files of records below a folder, each of which must be one JSON object.
func readRecords(dir string) (all []vaultRecord, err error) {
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "PT1H.json" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		var file struct{ Records []vaultRecord }
		if err := json.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, file.Records...)
		return nil
	})
	return all, err
}

// countRecords counts them. A file that is being written is read again.
func countRecords(t *testing.T, dir string) int {
	t.Helper()
	for deadline := time.Now().Add(longWait); ; time.Sleep(20 * time.Millisecond) {
		all, err := readRecords(dir)
		if err == nil {
			return len(all)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// cmdRecords looks for a record of an operation with a status. A server writes them after its
// answers, so that one that must be there is waited for, and a file that is being written read again.
func cmdRecords(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: records DIR OPERATION STATUS")
	}
	for deadline := time.Now().Add(longWait); ; time.Sleep(20 * time.Millisecond) {
		all, err := readRecords(ts.MkAbs(args[0]))
		found := slices.ContainsFunc(all, func(r vaultRecord) bool {
			return r.OperationName == args[1] && fmt.Sprint(r.Properties.HTTPStatusCode) == args[2]
		})
		switch {
		case err == nil && found != neg:
			return
		case neg || time.Now().After(deadline):
			ts.Fatalf("record of %s %s: %v, %v", args[1], args[2], found, err)
		}
	}
}

// mustRun runs a verb as the person who is signed in.
func (w *world) mustRun(args ...string) {
	w.tb.Helper()
	cmd := exec.CommandContext(w.tb.Context(), w.ck, args...)
	cmd.Env, cmd.Dir = w.env, w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		w.tb.Fatalf("ck %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// health returns what /healthz answers, which must be 200.
func (w *world) health() string {
	w.tb.Helper()
	p, err := profile.Open(profile.Config{Path: filepath.Join(w.dir, "config", "customerkey", "profile.json")})
	if err != nil {
		w.tb.Fatal(err)
	}
	res, err := p.HTTPClient().Get(p.Addresses().API + "/healthz")
	if err != nil {
		w.tb.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.tb.Fatal(errors.Join(err, fmt.Errorf("health: %s %s", res.Status, text)))
	}
	return strings.TrimSpace(string(text))
}
