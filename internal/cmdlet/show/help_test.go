package show

import (
	"bytes"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// Every command and parameter says what it is for (CK-310).
func TestHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c, err := cmdlet.Find(rows.Table(), "Set-M365DataAtRestEncryptionPolicy")
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteHelp(&out, c, ForShell); err != nil {
		t.Fatal(err)
	}
	golden(t, "help.golden", out.String())
	out.Reset()
	if err := WriteSummary(&out, rows.Table()); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.golden", out.String())
}
