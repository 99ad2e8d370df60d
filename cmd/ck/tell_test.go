package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/purge"
)

// hostileName is what somebody may be called who wants to be taken for another.
const hostileName = "eve\x1b[2J\n17\tadmin\u009b31m\u202e\x7f"

func wantHarmless(t *testing.T, printed string, lines int) {
	t.Helper()
	for _, r := range []rune{'\x1b', '\u009b', '\u202e', '\x7f', '\t'} {
		if bytes.ContainsRune([]byte(printed), r) {
			t.Errorf("%U comes to the terminal in %q", r, printed)
		}
	}
	if n := bytes.Count([]byte(printed), []byte("\n")); n != lines {
		t.Errorf("%d lines, want %d: %q", n, lines, printed)
	}
}

// What others have chosen does nothing to the terminal that it is shown on, and makes up no lines.
func TestTell(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := columns(&out)
	tell(w, "%s\t%d\t%s\n", hostileName, 17, "plain é 鍵")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	wantHarmless(t, out.String(), 1)

	out.Reset()
	if err := tellJSON(&out, map[string]string{"name": hostileName}); err != nil {
		t.Fatal(err)
	}
	wantHarmless(t, out.String(), 1)
	var read map[string]string
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read["name"] != hostileName {
		t.Errorf("read back as %q, %v", read["name"], err)
	}
}

// A record of a purge is signed by whoever made its file, and may say anything.
func TestHostilePurgeRecord(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := &command{out: out}
	who := purge.Person{Name: hostileName, As: hostileName, At: time.Unix(0, 0)}
	c.printRecord(purge.Record{Name: hostileName, Policy: hostileName, Family: hostileName, Reason: hostileName, AskedBy: who, Approved: []purge.Person{who}})
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	wantHarmless(t, string(text), 6)
}

// Names of files that somebody sent stand in what is said of them.
func TestHostileNameInTransfer(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	(&progress{w: &out}).line("ck: %s: %s", hostileName, hostileName)
	wantHarmless(t, out.String(), 1)
}
