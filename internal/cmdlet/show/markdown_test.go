package show

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// docs/cmdlets.md is what the table says; CK_UPDATE=1 writes it.
func TestReferenceIsTheTable(t *testing.T) {
	t.Parallel()
	const path = "../../../docs/cmdlets.md"
	var b bytes.Buffer
	if err := WriteMarkdown(&b, rows.Table()); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CK_UPDATE") != "" {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("docs/cmdlets.md is stale; write it with CK_UPDATE=1:\n%.2000s", diff)
	}
}

// Every command has a group that says what it is for.
func TestGroups(t *testing.T) {
	t.Parallel()
	n := 0
	for _, g := range Groups(rows.Table()) {
		if n += len(g.Rows); g.Title == "Others" {
			for _, c := range g.Rows {
				t.Errorf("%s is of no group: give it one", c.Name)
			}
		}
	}
	if n != len(rows.Table()) {
		t.Errorf("%d commands are in groups, of %d", n, len(rows.Table()))
	}
}
