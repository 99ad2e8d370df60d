package show

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n--- want\n%s\n--- got\n%s", name, want, got)
	}
}

func samplePolicies() []cmdlet.Object {
	day := time.Date(2026, 11, 22, 3, 5, 15, 0, time.UTC)
	one := func(name string, enabled bool, percent int64, health string) cmdlet.Object {
		return cmdlet.Object{Type: cmdlet.PolicyType, Fields: []cmdlet.Field{
			{Name: "Name", Value: name}, {Name: "Description", Value: nil}, {Name: "Enabled", Value: enabled}, {Name: "State", Value: "Active"}, {Name: "Assigned", Value: percent < 100},
			{Name: "PercentEncrypted", Value: percent}, {Name: "Health", Value: health},
			{Name: "AzureKeyIDs", Value: []string{"https://contoso-east.vault.localhost:8443/keys/root1", "https://contoso-west.vault.localhost:8443/keys/root2"}},
			{Name: "Guid", Value: cmdlet.GUID("11111111-2222-4333-8444-555555555555")},
			{Name: "DateCreated", Value: day},
			{Name: "KeyVersions", Value: []cmdlet.Object{
				{Fields: []cmdlet.Field{{Name: "KeyID", Value: "https://contoso-east.vault.localhost:8443/keys/root1/0123"}, {Name: "Current", Value: false}, {Name: "Objects", Value: int64(7)}, {Name: "SafeToRetire", Value: false}}},
				{Fields: []cmdlet.Field{{Name: "KeyID", Value: "https://contoso-east.vault.localhost:8443/keys/root1/4567"}, {Name: "Current", Value: true}, {Name: "Objects", Value: int64(12)}, {Name: "SafeToRetire", Value: false}}},
			}},
		}}
	}
	return []cmdlet.Object{
		one("Contoso_Global", true, 8, "Healthy"),
		one("全社ポリシー", true, 100, "Degraded"),
		one("red\x1b[31m\u202eevil\u0301", false, 100, "Unknown"),
	}
}

func printed(t *testing.T, format cmdlet.Format, width int, objects []cmdlet.Object) string {
	t.Helper()
	var out bytes.Buffer
	p := NewPrinter(&out, format, width, rows.Views())
	for _, o := range objects {
		if err := p.Print(o); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPrinters(t *testing.T) {
	t.Parallel()
	golden(t, "list.golden", printed(t, cmdlet.ListFormat, 0, samplePolicies()))
	golden(t, "json.golden", printed(t, cmdlet.JSONFormat, 0, samplePolicies()))
	golden(t, "table.golden", printed(t, cmdlet.TableFormat, 0, samplePolicies()))
	golden(t, "table-100.golden", printed(t, cmdlet.TableFormat, 100, samplePolicies()))
	golden(t, "table-40.golden", printed(t, cmdlet.TableFormat, 40, samplePolicies()))
}

func TestNothingToPrint(t *testing.T) {
	t.Parallel()
	for format, want := range map[cmdlet.Format]string{cmdlet.TableFormat: "", cmdlet.ListFormat: "", cmdlet.JSONFormat: "[]\n"} {
		if got := printed(t, format, 80, nil); got != want {
			t.Errorf("%s of nothing: %q, want %q", format, got, want)
		}
	}
}

func TestTableNeverExceedsTheTerminal(t *testing.T) {
	t.Parallel()
	for width := 1; width < 140; width++ {
		for _, line := range strings.Split(printed(t, cmdlet.TableFormat, width, samplePolicies()), "\n") {
			if cells(line) > width {
				t.Fatalf("width %d: a line of %d cells: %q", width, cells(line), line)
			}
		}
	}
}

func TestOutputCannotDriveATerminal(t *testing.T) {
	t.Parallel()
	for _, format := range []cmdlet.Format{cmdlet.TableFormat, cmdlet.ListFormat, cmdlet.JSONFormat} {
		out := printed(t, format, 0, []cmdlet.Object{{Fields: []cmdlet.Field{{Name: "A\x1b", Value: "b\x1b]0;x\a\r\u202e\u2066"}, {Name: "C", Value: []string{"\x9b2J", "\xff"}}}}})
		for _, bad := range []string{"\x1b", "\a", "\r", "\u009b"} {
			if strings.Contains(out, bad) {
				t.Errorf("%s lets %q through: %q", format, bad, out)
			}
		}
		if format != cmdlet.JSONFormat && strings.ContainsAny(out, "\u202e\u2066") {
			t.Errorf("%s lets marks of direction through: %q", format, out)
		}
		if !utf8.ValidString(out) {
			t.Errorf("%s prints bytes that are no text: %q", format, out)
		}
	}
}

func TestTableStreams(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := NewPrinter(&out, cmdlet.TableFormat, 80, nil)
	for i := range sampleRows {
		if err := p.Print(cmdlet.Object{Fields: []cmdlet.Field{{Name: "N", Value: int64(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if lines := strings.Count(out.String(), "\n"); lines < sampleRows {
		t.Errorf("after %d rows %d lines are out", sampleRows, lines)
	}
	before := out.Len()
	if err := p.Print(cmdlet.Object{Fields: []cmdlet.Field{{Name: "N", Value: int64(7)}}}); err != nil || out.Len() == before {
		t.Errorf("a later row is held back (%v)", err)
	}
}

func TestJSONIsOneArray(t *testing.T) {
	t.Parallel()
	var got []map[string]any
	if err := json.Unmarshal([]byte(printed(t, cmdlet.JSONFormat, 0, samplePolicies())), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0]["Name"] != "Contoso_Global" || got[0]["PercentEncrypted"] != 8.0 || got[0]["DateCreated"] != "2026-11-22T03:05:15Z" {
		t.Errorf("got %v", got)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, fmt.Errorf("broken pipe") }

func TestPrintersReportFailedWrites(t *testing.T) {
	t.Parallel()
	for _, format := range []cmdlet.Format{cmdlet.TableFormat, cmdlet.ListFormat, cmdlet.JSONFormat} {
		p := NewPrinter(brokenPipe{}, format, 0, rows.Views())
		err := p.Print(samplePolicies()[0])
		if closing := p.Close(); err == nil && closing == nil {
			t.Errorf("%s does not tell that nothing was written", format)
		}
	}
}
