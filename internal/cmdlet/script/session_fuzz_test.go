package script

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// Whatever a script says, a session neither panics nor goes on for ever, and its error is shown.
func FuzzSession(f *testing.F) {
	scripts, err := os.ReadFile("testdata/scripts.golden")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(scripts)) {
		if text, ok := strings.CutPrefix(line, ">>> "); ok {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "out-f") || strings.Contains(strings.ToLower(text), "export-") {
			t.Skip() // these write files
		}
		parsed, err := Parse(text)
		if err != nil {
			t.Skip()
		}
		w := newWorld(t, func(c *Config) { c.Steps = 20_000 })
		w.c.Out = discard{}
		if err := w.Run(context.Background(), parsed); err != nil && w.succeeded && len(parsed.Statements) == 1 {
			t.Errorf("%q fails with %v, and $? is $true", text, err)
		}
	})
}

// Any text comes through both kinds of quotes, variables and pipelines as it is.
func TestAnyTextComesThrough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "text")
		single, double := Format(&Script{Statements: []Statement{literalStatement(text, false)}}), Format(&Script{Statements: []Statement{literalStatement(text, true)}})
		for _, quotedText := range []string{single, double} {
			w := newWorld(t, nil)
			parsed, err := Parse("$x = " + quotedText + "; Write-Output $x | % { $y = $_ }")
			if err != nil {
				rt.Fatalf("%s: %v", quotedText, err)
			}
			if err := w.Run(context.Background(), parsed); err != nil || w.variables["y"] != text {
				rt.Fatalf("%q came through as %q, %v", text, w.variables["y"], err)
			}
		}
	})
}

func literalStatement(text string, double bool) Statement {
	var e Expression = &Literal{Data: text}
	if double {
		e = &Expandable{Parts: []Expression{e}}
	}
	return &Pipeline{Stages: []Stage{&Value{Of: e}}}
}

// Sorting by one property keeps the order of equals, and loses nothing.
func TestSortIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfN(rapid.Int64Range(0, 5), 2, 50).Draw(rt, "keys")
		w := newWorld(t, nil)
		var list []any
		for i, k := range keys {
			list = append(list, &cmdlet.Object{Fields: []cmdlet.Field{{Name: "K", Value: k}, {Name: "I", Value: int64(i)}}})
		}
		w.variables["list"] = list
		if out, err := w.do(t, "$sorted = $list | Sort-Object K"); err != nil {
			rt.Fatal(out)
		}
		sorted, _ := w.variables["sorted"].([]any)
		if len(sorted) != len(keys) {
			rt.Fatalf("%d of %d are left", len(sorted), len(keys))
		}
		for i := 1; i < len(sorted); i++ {
			a, b := sorted[i-1].(*cmdlet.Object), sorted[i].(*cmdlet.Object)
			if a.Get("K").(int64) > b.Get("K").(int64) || a.Get("K") == b.Get("K") && a.Get("I").(int64) > b.Get("I").(int64) {
				rt.Fatalf("%v before %v", *a, *b)
			}
		}
	})
}

// anyValue draws what an object can hold, and what JSON makes of it.
func anyValue(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch n := rapid.IntRange(0, 6+depth).Draw(t, "kind"); n {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2, 3:
			return rapid.String().Draw(t, "text")
		case 4:
			return rapid.Int64Range(-1<<50, 1<<50).Draw(t, "whole")
		case 5, 6:
			return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
		case 7:
			list := rapid.SliceOfN(anyValue(depth-1), 0, 4).Draw(t, "list")
			if list == nil {
				list = []any{}
			}
			return list
		default:
			return anyObject(depth-1).Draw(t, "object")
		}
	})
}

func anyObject(depth int) *rapid.Generator[*cmdlet.Object] {
	return rapid.Custom(func(t *rapid.T) *cmdlet.Object {
		o := &cmdlet.Object{}
		for _, name := range rapid.SliceOfNDistinct(rapid.StringN(1, 8, -1), 1, 4, func(s string) string { return strings.ToLower(s) }).Draw(t, "names") {
			o.Fields = append(o.Fields, cmdlet.Field{Name: name, Value: anyValue(depth).Draw(t, "value")})
		}
		return o
	})
}

// What ConvertTo-Json writes, encoding/json reads, and it is what was written.
func TestJSONOfAnyObject(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := anyObject(3).Draw(rt, "object")
		w := newWorld(t, nil)
		w.variables["o"] = o
		out, err := w.do(t, rapid.SampledFrom([]string{"$o | ConvertTo-Json", "$o | ConvertTo-Json -Compress"}).Draw(rt, "how"))
		if err != nil {
			rt.Fatal(out)
		}
		var got any
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			rt.Fatalf("%v in\n%s", err, out)
		}
		if want := decoded(o); !reflect.DeepEqual(got, want) {
			rt.Fatalf("%s", cmp.Diff(want, got))
		}
	})
}

// decoded is a value as encoding/json decodes it.
func decoded(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case string:
		return strings.ToValidUTF8(v, "\ufffd")
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = decoded(v[i])
		}
		return list
	case *cmdlet.Object:
		m := map[string]any{}
		for _, f := range v.Fields {
			m[f.Name] = decoded(f.Value)
		}
		return m
	}
	return v
}

// What ConvertTo-Csv writes, encoding/csv reads: as many cells as there are names, and any text
// as it was, but that the reader takes \r\n in it for \n.
func TestCSVOfAnyObjects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		first := anyObject(1).Draw(rt, "first")
		second := &cmdlet.Object{}
		for _, f := range first.Fields {
			second.Fields = append(second.Fields, cmdlet.Field{Name: f.Name, Value: rapid.String().Draw(rt, "text")})
		}
		w := newWorld(t, nil)
		w.variables["list"] = []any{first, second}
		out, err := w.do(t, "$list | ConvertTo-Csv")
		if err != nil {
			rt.Fatal(out)
		}
		rows, err := csv.NewReader(bytes.NewBufferString(out)).ReadAll()
		if err != nil || len(rows) != 3 {
			rt.Fatalf("%v, %d rows in\n%s", err, len(rows), out)
		}
		for i, f := range second.Fields {
			if want := strings.ReplaceAll(f.Value.(string), "\r\n", "\n"); rows[2][i] != want || rows[0][i] != strings.ReplaceAll(f.Name, "\r\n", "\n") {
				rt.Fatalf("%q came back as %q", want, rows[2][i])
			}
		}
	})
}
