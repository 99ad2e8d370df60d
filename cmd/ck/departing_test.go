package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A ledger that stands beside the sealing keys is read, whatever may be done with it: left out,
// an old backup of the rest would open again.
func TestALedgerThatIsThereCounts(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), ledgerFile)
	if there(file) {
		t.Error("a file that is not there counts")
	}
	if err := os.WriteFile(file, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if !there(file) || !there(filepath.Join(file, "unknown")) {
		t.Error("a file that is there, or may be, does not count")
	}
}
