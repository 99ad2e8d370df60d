package powershell_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/powershell"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

var update = flag.Bool("update", false, "write the golden files anew")

func whole() powershell.Module {
	return powershell.Module{Table: rows.Table(), Views: rows.Views(), Version: "0.1.0", Client: "fb78d390-0c51-40cd-8e17-fdbfab77341b"}
}

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
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (write it with -update):\n%s", name, diff)
	}
}

// A module of three commands, to be read by people whenever it changes.
func TestGolden(t *testing.T) {
	t.Parallel()
	m := whole()
	m.Table = slices.DeleteFunc(m.Table, func(c cmdlet.Cmdlet) bool {
		return !slices.Contains([]string{"Set-DataEncryptionPolicy", "Get-Mailbox", "Set-Mailbox", "Get-AzKeyVault"}, c.Name)
	})
	golden(t, "CustomerKey.psm1", m.Script())
	golden(t, "CustomerKey.psd1", m.Manifest())
}

// A function as the text describes it: its parameters by name, with their types.
type described map[string]string

var (
	functions = regexp.MustCompile(`(?ms)^function ([A-Z][A-Za-z0-9]*-[A-Za-z0-9]+) \{\n(    <#.*?)^\}$`)
	typed     = regexp.MustCompile(`(?m)^        \[([a-z]+(?:\[\])?)\] \$([A-Za-z0-9]+),?$`)
)

// read returns the functions of a module, from its text alone.
func read(script string) map[string]described {
	all := map[string]described{}
	for _, f := range functions.FindAllStringSubmatch(script, -1) {
		d := described{}
		for _, p := range typed.FindAllStringSubmatch(f[2], -1) {
			d[p[2]] = p[1]
		}
		all[f[1]] = d
	}
	return all
}

// The module has the service's commands with their parameters, all of them and no others.
func TestNothingDrifts(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	for name, d := range read(whole().Script()) {
		got[name] = []string{}
		for p := range d {
			got[name] = append(got[name], p)
		}
		slices.Sort(got[name])
	}
	want := map[string][]string{}
	for _, c := range rows.Table() {
		if c.Side != cmdlet.Service {
			continue
		}
		want[c.Name] = []string{}
		for _, p := range c.Params {
			want[c.Name] = append(want[c.Name], p.Name)
		}
		slices.Sort(want[c.Name])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// sent is a value of each type of PowerShell as ConvertTo-Json writes it.
var sent = map[string]any{
	"string": "text", "object": "text", "bool": true, "switch": true, "int": "7", "datetime": "2027-01-31T08:00:00.0000000Z",
	"string[]": []any{"a", "b"}, "hashtable": cmdlet.Object{Fields: []cmdlet.Field{{Name: "a", Value: "b"}}}, "psobject": cmdlet.Object{},
}

// What each function sends is what the endpoint's binder takes: every parameter by the name and
// in the type that the text says.
func TestRequestsBind(t *testing.T) {
	t.Parallel()
	for name, d := range read(whole().Script()) {
		row, err := cmdlet.Find(rows.Table(), name)
		if err != nil {
			t.Fatal(err)
		}
		for p, kind := range d {
			value, ok := sent[kind]
			if !ok {
				t.Fatalf("%s -%s has the type %s", name, p, kind)
			}
			switch of := row.Params[slices.IndexFunc(row.Params, func(r cmdlet.Param) bool { return r.Name == p })]; {
			case len(of.Values) > 0:
				value = of.Values[0]
			case kind == "object" && of.Type == cmdlet.Int, p == "ResultSize":
				value = "7"
			}
			_, _, err := cmdlet.BindJSON(row, cmdlet.Object{Fields: []cmdlet.Field{{Name: p, Value: value}}})
			if err != nil && strings.Contains(err.Error(), "-"+p+" ") && !strings.Contains(err.Error(), " needs -") {
				t.Errorf("%s -%s [%s]: %v", name, p, kind, err)
			}
		}
	}
}

// scan goes over a script of PowerShell, without its comments and strings, and returns the rest. It
// fails at what is not closed.
func scan(script string) (string, error) {
	var rest strings.Builder
	for i := 0; i < len(script); {
		tail := script[i:]
		switch {
		case strings.HasPrefix(tail, "<#"):
			end := strings.Index(tail, "#>")
			if end < 0 {
				return "", fmt.Errorf("a comment is not closed: %.40q", tail)
			}
			i += end + 2
		case tail[0] == '#':
			end := strings.IndexByte(tail, '\n')
			if end < 0 {
				end = len(tail)
			}
			i += end
		case tail[0] == '\'' || tail[0] == '"':
			n := quoted(tail)
			if n == 0 {
				return "", fmt.Errorf("a string is not closed: %.40q", tail)
			}
			rest.WriteString("''")
			i += n
		default:
			rest.WriteByte(tail[0])
			i++
		}
	}
	return rest.String(), nil
}

// quoted returns the length of the string that text begins with, 0 if it does not end.
func quoted(text string) int {
	mark := text[0]
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '`' && mark == '"':
			i++
		case text[i] == mark && i+1 < len(text) && text[i+1] == mark:
			i++
		case text[i] == mark:
			return i + 1
		}
	}
	return 0
}

// Everything that is opened is closed, in order.
func TestBalanced(t *testing.T) {
	t.Parallel()
	m := whole()
	for name, text := range map[string]string{"psm1": m.Script(), "psd1": m.Manifest()} {
		code, err := scan(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var open []rune
		for _, r := range code {
			switch r {
			case '(', '[', '{':
				open = append(open, r)
			case ')', ']', '}':
				if len(open) == 0 || string(open[len(open)-1])+string(r) != map[rune]string{')': "()", ']': "[]", '}': "{}"}[r] {
					t.Fatalf("%s: %c closes nothing", name, r)
				}
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %q is not closed", name, string(open))
		}
		if strings.ContainsRune(text, '\r') || !strings.HasSuffix(text, "\n") {
			t.Errorf("%s is no text of lines", name)
		}
	}
}

// Whatever stands in the table stays text: it ends neither a string nor a comment.
func TestTextStaysText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("<#>'\u2018\u2019\u201a\u201b`$(\n.a ")))).Draw(t, "text")
		row := cmdlet.Cmdlet{Name: "Get-Thing", Side: cmdlet.Service, Synopsis: text, Description: text, Examples: []string{text}, Params: []cmdlet.Param{
			{Name: "Identity", Type: cmdlet.String, Help: text, Values: []string{text}},
		}}
		m := powershell.Module{Table: []cmdlet.Cmdlet{row}, Version: "1.0.0", Client: text}
		script := m.Script()
		d := read(script)["Get-Thing"]
		if len(d) != 1 || d["Identity"] != "string" {
			t.Fatalf("the function became %v", d)
		}
		begin := strings.Index(script, "[ValidateSet(") + len("[ValidateSet(")
		if got, n := unquote(script[begin:]); got != text || !strings.HasPrefix(script[begin+n:], ")]\n") {
			t.Fatalf("the value list says %q, want %q", got, text)
		}
		help := script[strings.Index(script, "function Get-Thing"):]
		help = help[strings.Index(help, "<#")+2 : strings.Index(help, "    [CmdletBinding(")]
		if i := strings.Index(help, "#>"); i != len(help)-3 {
			t.Fatalf("the help ends at %d of %d", i, len(help))
		}
		for line := range strings.Lines(help) {
			if l := strings.TrimSpace(line); strings.HasPrefix(l, ".") && !regexp.MustCompile(`^\.(SYNOPSIS|DESCRIPTION|PARAMETER Identity|EXAMPLE)$`).MatchString(l) {
				t.Fatalf("%q is a heading of help", l)
			}
		}
	})
}

// unquote reads a string in single quotes as PowerShell does, where four characters are such a
// quote, and returns its length in bytes.
func unquote(text string) (string, int) {
	runes := []rune(text)
	isQuote := func(i int) bool { return i < len(runes) && strings.ContainsRune("'\u2018\u2019\u201a\u201b", runes[i]) }
	var out []rune
	for i := 1; i < len(runes); i++ {
		switch {
		case isQuote(i) && isQuote(i+1):
			i++
			out = append(out, runes[i])
		case isQuote(i):
			return string(out), len(string(runes[:i+1]))
		default:
			out = append(out, runes[i])
		}
	}
	return string(out), len(text)
}

// Where there is a PowerShell it loads the module, and knows each command and its parameters.
func TestInPowerShell(t *testing.T) {
	t.Parallel()
	pwsh, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("no pwsh here: the module is not loaded")
	}
	m, folder := whole(), filepath.Join(t.TempDir(), "CustomerKey")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"CustomerKey.psm1": m.Script(), "CustomerKey.psd1": m.Manifest()} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), pwsh, "-NoProfile", "-NonInteractive", "-Command",
		"$ErrorActionPreference='Stop'; Import-Module '"+folder+"'; (Get-Command -Module CustomerKey).Name; Get-Help Set-DataEncryptionPolicy -Full | Out-Null; try { Get-Mailbox } catch { \"$_\" }").CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, want := range []string{"Set-DataEncryptionPolicy", "Connect-CustomerKey", "You are not signed in"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("pwsh does not say %q: %s", want, out)
		}
	}
}
