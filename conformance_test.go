package customerkey_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A part is one of the documents of requirements.
type part struct {
	prefix   string   // of its rows
	rows     [][2]int // from first to last
	untested map[int]string
	pattern  *regexp.Regexp // finds "CK-81", "CK81_CK126" and "CK-284 to CK-292"
}

var parts = []part{
	{"CK", [][2]int{{1, 386}}, untested, regexp.MustCompile(`\bCK-(\d+)(?: to (?:CK-)?(\d+))?\b|CK(\d+)(?:_|\b)`)},
	{
		"KV", [][2]int{{1, 16}, {20, 67}, {70, 76}, {78, 81}, {84, 85}, {90, 108}, {110, 128}, {130, 140}, {150, 160}, {170, 175}},
		untestedOfVaults, regexp.MustCompile(`\bKV-(\d+)(?: to (?:KV-)?(\d+))?(?:[^\d.]|\.\D|\.?$)|KV(\d+)(?:_|\b)`),
	},
}

// TestConformance holds docs/conformance.md to what the tests say of themselves: which rows of the
// requirements each of them shows. A row that no test names must stand in untested with the reason.
// CK_UPDATE=1 writes the page.
func TestConformance(t *testing.T) {
	texts := testTexts(t)
	var page bytes.Buffer
	page.WriteString(conformanceHead)
	for _, p := range parts {
		p.write(t, &page, texts)
	}
	const file = "docs/conformance.md"
	if os.Getenv("CK_UPDATE") == "1" {
		if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(file); err != nil || !bytes.Equal(written, page.Bytes()) {
		t.Errorf("%s is not what the tests say (%v): write it with CK_UPDATE=1 go test -run TestConformance .", file, err)
	}
}

// write adds the rows of a part to the page.
func (p part) write(t *testing.T, page *bytes.Buffer, texts map[string]string) {
	t.Helper()
	shown := map[int][]string{}
	for name, text := range texts {
		for row := range p.rowsIn(text) {
			shown[row] = append(shown[row], name)
		}
	}
	for row := range p.all() {
		tests, reason := shown[row], p.untested[row]
		slices.Sort(tests)
		switch {
		case len(tests) == 0 && reason == "":
			t.Errorf("%s-%d: no test names it, and untested says no reason", p.prefix, row)
			continue
		case len(tests) > 0 && reason != "":
			t.Errorf("%s-%d: untested says %q, and these name it: %v", p.prefix, row, reason, tests)
		case len(tests) > 0:
			reason = abridged(tests)
		}
		fmt.Fprintf(page, "| %s-%d | %s |\n", p.prefix, row, reason)
	}
}

// all returns the part's rows in order.
func (p part) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, r := range p.rows {
			for row := r[0]; row <= r[1]; row++ {
				if !yield(row) {
					return
				}
			}
		}
	}
}

const conformanceHead = `# Conformance

Which tests show which row of the requirements (CK for Customer Key, KV for the key vault), or why none does. Made by TestConformance from the tests themselves; where a row is met
in a way of our own, [divergences.md](divergences.md) says so. A script is in cmd/ck/testdata/script.

| row | tests, or why there is none |
| --- | --- |
`

// abridged names the first few tests.
func abridged(tests []string) string {
	const most = 4
	if len(tests) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(tests[:most], ", "), len(tests)-most)
	}
	return strings.Join(tests, ", ")
}

// rowsIn returns the rows that a text names, sections ("KV-4.3") left out.
func (p part) rowsIn(text string) map[int]bool {
	rows := map[int]bool{}
	for _, m := range p.pattern.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(m[1] + m[3])
		last, _ := strconv.Atoi(m[2])
		for row := first; row <= max(first, min(last, first+100)); row++ {
			rows[row] = true
		}
	}
	return rows
}

// testTexts returns the text of every test, with the comment above it, and of every script, by name.
func testTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || entry.Name() == "node_modules"):
			return fs.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			found, err := testsOf(name)
			maps.Copy(texts, found)
			return err
		case strings.HasSuffix(name, ".txtar"):
			text, err := os.ReadFile(name)
			texts[path.Base(name)] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// testsOf returns the tests in a file: "policy.TestCK81_CK126_Identity". A table outside the tests
// counts for the file.
func testsOf(file string) (map[string]string, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	folder := path.Base(path.Dir(file))
	for _, d := range parsed.Decls {
		from, name := d.Pos(), path.Join(folder, path.Base(file))
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !strings.HasPrefix(d.Name.Name, "Test") && !strings.HasPrefix(d.Name.Name, "Fuzz") {
				continue
			}
			name = folder + "." + d.Name.Name
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
		}
		texts[name] += string(source[set.Position(from).Offset:set.Position(d.End()).Offset])
	}
	return texts, nil
}
