package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustParse(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string) *Script {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return s
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"get-x   –Name “a” # why\n\n;Y", "get-x -Name 'a'\nY"},
		{"$a=$b = 5", "$a = $b = 5"},
		{"X a,  'b c',\n5 -Y: $c", "X a, 'b c', 5 -Y:$c"},
		{"X -- -a `@b a` b", "X `-a `@b a` b"},
		{"X \"`n\"", "X \"`n\""},
		{`"$a b$(X;Y)"`, `"${a} b$(X; Y)"`},
		{"X a-$b", `X "a-${b}"`},
		{"${a b}.'c d'.e[ -1 ]", "${a b}.'c d'.e[-1]"},
		{"@(1,2)[0], 'it''s'", "@(1, 2)[0], 'it''s'"},
		{"1KB, 1e3, 0.5", "1024, 1000.0, 0.5"},
		{"!$a -CEQ 5 -and $b", "-not $a -ceq 5 -and $b"},
		{"@{a=X y\n'b c'=5;1=(2)}", "@{a = X y; 'b c' = 5; 1 = (2)}"},
		{"X|?{$_.A}|%{\nY\n}", "X | ? { $_.A } | % { Y }"},
		{"@(X)", "@(X)"},
	} {
		got := Format(mustParse(t, tt.text))
		if got != tt.want {
			t.Errorf("Format(Parse(%q))\n got %s\nwant %s", tt.text, got, tt.want)
		}
		if again := Format(mustParse(t, got)); again != got {
			t.Errorf("Format(Parse(%q)) = %q", got, again)
		}
	}
}

// TestFormatAnyTree draws trees of every shape that Parse gives, and reads them back.
func TestFormatAnyTree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := &Script{Statements: trees{t}.statements(3, 0)}
		text := Format(want)
		if got := mustParse(t, text); !sameTree(got, want) {
			t.Fatalf("%s\nreads as %s\n   want %s", text, sexp(got), sexp(want))
		}
	})
}

// TestQuoteAnyText puts any text into quotes of each kind, bare, and by Quote.
func TestQuoteAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyText(0).Draw(t, "text")
		spellings := []string{Quote(want), quoted(want), `"` + escaped(want) + `"`, "“" + escaped(want) + "”"}
		if want != "" {
			spellings = append(spellings, bareText(want))
		}
		for _, spelling := range spellings {
			s := mustParse(t, "X "+spelling)
			words := s.Statements[0].(*Pipeline).Stages[0].(*Command).Words
			if len(s.Statements) != 1 || len(words) != 1 || words[0].Value.(*Literal).Data != any(want) {
				t.Fatalf("X %s is %s, want the text %q", spelling, sexp(s), want)
			}
		}
	})
}

// FuzzParse reads any text: an error with its place, or a tree whose Format reads as the same.
func FuzzParse(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		if d := depthOf(s); d > 6*maxDepth {
			t.Fatalf("a tree of depth %d", d)
		}
		canonical := Format(s)
		if len(canonical) > MaxText {
			return
		}
		if again := mustParse(t, canonical); !sameTree(again, s) {
			t.Fatalf("%q is %s\nformatted: %s\n       is %s", text, sexp(s), canonical, sexp(again))
		}
	})
}

// seeds are the scripts of testdata and the texts of the table tests.
func seeds(tb testing.TB) []string {
	files, err := filepath.Glob("testdata/*.ps1")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no scripts in testdata: %v", err)
	}
	var texts []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, string(data))
		texts = append(texts, strings.Split(string(data), "\n")...)
	}
	return texts
}
