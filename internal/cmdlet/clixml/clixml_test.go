package clixml_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/clixml"
)

var write = flag.Bool("write", false, "write the golden files anew")

var noon = time.Date(2027, 1, 31, 12, 0, 0, 123_456_700, time.UTC)

// sample has every type that results have.
func sample() cmdlet.Object {
	inner := cmdlet.Object{Fields: []cmdlet.Field{{Name: "Kid", Value: "https://v/keys/k/1"}, {Name: "Current", Value: true}}}
	deep := cmdlet.Object{Fields: []cmdlet.Field{{Name: "Name", Value: "outer"}, {Name: "Inner", Value: inner}, {Name: "Kin", Value: []cmdlet.Object{inner, inner}}}}
	return cmdlet.Object{Type: "DataEncryptionPolicy", Key: "k", Fields: []cmdlet.Field{
		{Name: "Name", Value: `Contoso <"Global"> & Übung`},
		{Name: "Odd_x0041_name", Value: "line\none\ttab \x00 _x0020_ _X _y 🔑 \xff \u0085 \ufffe"},
		{Name: "Empty", Value: ""},
		{Name: "Enabled", Value: true},
		{Name: "Disabled", Value: false},
		{Name: "Nothing", Value: nil},
		{Name: "Count", Value: int64(-42)},
		{Name: "Whole", Value: json.Number("9007199254740993")},
		{Name: "Share", Value: json.Number("99.5")},
		{Name: "Huge", Value: json.Number("1e999")},
		{Name: "Guid", Value: cmdlet.GUID("11111111-2222-4333-8444-555555555555")},
		{Name: "NoGuid", Value: cmdlet.GUID("none")},
		{Name: "When", Value: noon},
		{Name: "Never", Value: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Name: "Keys", Value: []string{"a", "b,c", ""}},
		{Name: "None", Value: []string{}},
		{Name: "Versions", Value: []cmdlet.Object{inner, {Fields: nil}}},
		{Name: "Mixed", Value: []any{"x", nil, json.Number("1"), []any{true}}},
		{Name: "Deep", Value: deep},
		{Name: "Other", Value: 7},
	}}
}

// What is written is what was written before, at both levels (CK-334, CK-335).
func TestCK334_Golden(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]clixml.Level{"partial": clixml.Partial, "full": clixml.Full} {
		file := "testdata/" + name + ".xml"
		got := clixml.Marshal(sample(), level) + "\n"
		if *write {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A reader that was written from MS-PSRP alone gets out what went in, but for what the format
// has no type for.
func TestReadBack(t *testing.T) {
	t.Parallel()
	inner := "{Kid:S(https://v/keys/k/1) Current:B(true)}"
	text := "@{Kid=https://v/keys/k/1; Current=true}"
	for level, deep := range map[clixml.Level]string{
		clixml.Partial: "{Name:S(outer) Inner:S(" + text + ") Kin:S(" + text + " " + text + ")}",
		clixml.Full:    "{Name:S(outer) Inner:" + inner + " Kin:[" + inner + " " + inner + "]}",
	} {
		want := "{" + strings.Join([]string{
			`Name:S(Contoso <"Global"> & Übung)`, "Odd_x0041_name:S(line\none\ttab \x00 _x0020_ _X _y 🔑 \ufffd \u0085 \ufffe)", "Empty:S()",
			"Enabled:B(true)", "Disabled:B(false)", "Nothing:Nil()", "Count:I64(-42)", "Whole:I64(9007199254740993)", "Share:Db(99.5)", "Huge:S(1e999)",
			"Guid:G(11111111-2222-4333-8444-555555555555)", "NoGuid:S(none)", "When:DT(2027-01-31T12:00:00.1234567Z)", "Never:S(12000-01-01T00:00:00Z)",
			"Keys:[S(a) S(b,c) S()]", "None:[]", "Versions:[" + inner + " {}]", "Mixed:[S(x) Nil() I64(1) [B(true)]]", "Deep:" + deep, "Other:S(7)",
		}, " ") + "}"
		got, err := read(clixml.Marshal(sample(), level))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("level %d: %s", level, diff)
		}
	}
}

// Where PowerShell is at hand, it is asked itself.
func TestPowerShellReadsIt(t *testing.T) {
	t.Parallel()
	pwsh, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("there is no pwsh here")
	}
	file := t.TempDir() + "/sample.xml"
	if err := os.WriteFile(file, []byte(clixml.Marshal(sample(), clixml.Full)), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `$o = [System.Management.Automation.PSSerializer]::Deserialize([IO.File]::ReadAllText($args[0]))
	"$($o.Name)|$($o.Enabled -eq $true)|$($null -eq $o.Nothing)|$($o.Count + 1)|$($o.Guid.GetType().Name)|$($o.When.ToUniversalTime().Hour)|$($o.Keys.Count)|$($o.Deep.Inner.Kid)"`
	out, err := exec.CommandContext(t.Context(), pwsh, "-NoProfile", "-NonInteractive", "-Command", "& {"+script+"} '"+file+"'").CombinedOutput()
	want := `Contoso <"Global"> & Übung|True|True|-41|Guid|12|3|https://v/keys/k/1`
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("pwsh says %s, %v; want %s", out, err, want)
	}
}

// Whatever the text and however deep the object: the XML is well formed, has no character that
// XML forbids, and reads back.
func FuzzMarshal(f *testing.F) {
	f.Add("Name", "value", 3)
	f.Add("_x000A_", "\x00\x1f\u0085\ufffe\uffff🔑_x_", 40)
	f.Add(`"<&>`, "]]>", 0)
	f.Fuzz(func(t *testing.T, name, value string, depth int) {
		o := cmdlet.Object{Fields: []cmdlet.Field{{Name: name, Value: value}, {Name: "G", Value: cmdlet.GUID(value)}, {Name: "N", Value: json.Number(value)}, {Name: "L", Value: []string{value, name}}}}
		for range min(max(depth, 0), 64) {
			o = cmdlet.Object{Fields: []cmdlet.Field{{Name: name, Value: o}, {Name: "Many", Value: []cmdlet.Object{{}}}}}
		}
		for _, level := range []clixml.Level{clixml.Partial, clixml.Full} {
			text := clixml.Marshal(o, level)
			got, err := read(text)
			if err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if want := "S(" + valid(value) + ")"; depth <= 0 && name != "" && !strings.HasPrefix(got, "{"+valid(name)+":"+want) {
				t.Errorf("%q became %s", value, got)
			}
		}
	})
}

// valid is text as it can be read back: U+FFFD for each byte that is no UTF-8.
func valid(text string) string { return string([]rune(text)) }

// read returns what a document says, in a notation of this test.
func read(document string) (string, error) {
	if !utf8.ValidString(document) {
		return "", errors.New("not UTF-8")
	}
	d := xml.NewDecoder(strings.NewReader(document))
	d.Strict = true
	types := map[string]string{}
	for {
		token, err := d.Token()
		if err != nil {
			return "", err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "Objs" {
			if start.Name.Space != "http://schemas.microsoft.com/powershell/2004/04" || attribute(start, "Version") != "1.1.0.1" {
				return "", errors.New("the root element is another")
			}
			continue
		}
		text, err := readValue(d, start, types)
		if err != nil {
			return "", err
		}
		for { // nothing but the end may follow
			switch token, err := d.Token(); {
			case errors.Is(err, io.EOF):
				return text, nil
			case err != nil:
				return "", err
			default:
				if _, more := token.(xml.StartElement); more {
					return "", errors.New("more than one object")
				}
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func readValue(d *xml.Decoder, start xml.StartElement, types map[string]string) (string, error) {
	if start.Name.Local == "Obj" {
		return readObject(d, types)
	}
	var text string
	if err := d.DecodeElement(&text, &start); err != nil {
		return "", err
	}
	return start.Name.Local + "(" + decode(text) + ")", nil
}

func readObject(d *xml.Decoder, types map[string]string) (string, error) {
	kind := ""
	for {
		token, err := d.Token()
		if err != nil {
			return "", err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			return "", fmt.Errorf("%v where an element should be", token)
		}
		switch start.Name.Local {
		case "TN":
			var names struct{ T []string }
			if err := d.DecodeElement(&names, &start); err != nil {
				return "", err
			}
			kind = names.T[0]
			types[attribute(start, "RefId")] = kind
		case "TNRef":
			if kind, ok = types[attribute(start, "RefId")]; !ok {
				return "", errors.New("a TNRef to nothing")
			}
			if err := d.Skip(); err != nil {
				return "", err
			}
		case "MS", "LST":
			return readMembers(d, start.Name.Local, kind, types)
		default:
			return "", errors.New("an object with " + start.Name.Local)
		}
	}
}

func readMembers(d *xml.Decoder, what, kind string, types map[string]string) (string, error) {
	want, brackets := "System.Management.Automation.PSCustomObject", "{}"
	if what == "LST" {
		want, brackets = "System.Object[]", "[]"
	}
	if kind != want {
		return "", errors.New(what + " in a " + kind)
	}
	var parts []string
	for {
		token, err := d.Token()
		if err != nil {
			return "", err
		}
		if _, end := token.(xml.EndElement); end {
			return brackets[:1] + strings.Join(parts, " ") + brackets[1:], d.Skip() // the end of Obj
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			return "", fmt.Errorf("%v among members", token)
		}
		text, err := readValue(d, start, types)
		if err != nil {
			return "", err
		}
		if what == "MS" {
			text = decode(attribute(start, "N")) + ":" + text
		}
		parts = append(parts, text)
	}
}

var escape = regexp.MustCompile(`(?:_x[0-9A-Fa-f]{4}_)+`)

// decode undoes MS-PSRP 2.2.5.3.2.
func decode(text string) string {
	return escape.ReplaceAllStringFunc(text, func(run string) string {
		var units []uint16
		for i := 0; i < len(run); i += 7 {
			n, _ := strconv.ParseUint(run[i+2:i+6], 16, 16)
			units = append(units, uint16(n))
		}
		return string(utf16.Decode(units))
	})
}
