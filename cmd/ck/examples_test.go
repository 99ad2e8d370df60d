package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet/script"
)

// Every script of examples/ can be read, says at its top what it needs, stands in the table of
// README.md, and is run by a script of testdata/script.
func TestExamplesAreKept(t *testing.T) {
	t.Parallel()
	readme := mustRead(t, "../../examples/README.md")
	runs := ""
	for _, name := range mustGlob(t, "testdata/script/examples*.txtar") {
		runs += mustRead(t, name)
	}
	scripts := mustGlob(t, "../../examples/*.ps1")
	for _, path := range scripts {
		name, text := filepath.Base(path), mustRead(t, path)
		if _, err := script.Parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		header, _, _ := strings.Cut(text, "\n\n")
		for _, word := range []string{"\n# Who ", "\n# How often "} {
			if !strings.Contains("\n"+header, word) {
				t.Errorf("%s does not say:%s", name, word)
			}
		}
		if !strings.Contains(readme, "]("+name+")") {
			t.Errorf("README.md does not tell of %s", name)
		}
		if !strings.Contains(runs, "run $EXAMPLES/"+name+"\n") {
			t.Errorf("nothing runs %s", name)
		}
	}
	if listed := strings.Count(readme, ".ps1)"); listed != len(scripts) {
		t.Errorf("README.md tells of %d scripts, there are %d", listed, len(scripts))
	}
}

func mustRead(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mustGlob(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("nothing is at %s (%v)", pattern, err)
	}
	return found
}
