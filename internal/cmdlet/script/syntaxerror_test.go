package script

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

// TestRefusals holds the message of every refusal, with its place.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const outside = " outside of what ck takes"
	for _, tt := range []struct{ text, want, hint string }{
		// what stays in PowerShell
		{"X\n\n  foreach ($a in $b) { Y }", "3:3: foreach loops are" + outside, "ForEach-Object"},
		{"for ($i=0;;) {}", "1:1: for loops are" + outside, "ForEach-Object"},
		{"While ($true) {}", "1:1: while loops are" + outside, "ForEach-Object"},
		{"do { X } until ($a)", "1:1: do loops are" + outside, "ForEach-Object"},
		{"X | ForEach-Object { if ($_) { Y } }", "1:22: if is" + outside, "Where-Object"},
		{"switch ($a) {}", "1:1: switch is" + outside, "Where-Object"},
		{"try { X } catch {}", "1:1: try is" + outside, "-ErrorAction"},
		{"trap { X }", "1:1: trap is" + outside, "-ErrorAction"},
		{"throw 'x'", "1:1: throw is" + outside, ""},
		{"exit 3", "1:1: exit is" + outside, "last line"},
		{"return $a", "1:1: return is" + outside, ""},
		{"function X { Y }", "1:1: functions are" + outside, ""},
		{"filter X { Y }", "1:1: functions are" + outside, ""},
		{"X { param($a) Y }", "1:5: param is" + outside, "$name = 'value'"},
		{"class A {}", "1:1: classes are" + outside, ""},
		{"using module X", "1:1: using is" + outside, ""},
		{"X | begin { Y }", "1:5: begin is" + outside, "ForEach-Object"},
		{"X; Import-Module Az.Storage", "1:4: Import-Module Az.Storage is" + outside, "leave the line out"},
		{"install-module -Force -Name Az.KeyVault, 'Pester'", "1:1: install-module Pester is" + outside, "leave the line out"},
		{"ipmo ./CustomerKey", "1:1: ipmo ./CustomerKey is" + outside, "leave the line out"},
		{"Import-Module $name", "1:15: the name of a module has to be text here", "write it out"},
		{"$c = get-credential", "1:6: get-credential is" + outside, "ask for the password themselves"},
		{"X | Get-Member", "1:5: Get-Member is" + outside, "Format-List *"},
		{"ls", "1:1: ls is" + outside, "PowerShell"},
		{"`if 5", "1:1: ` is not expected where a value has to stand", ""},
		{"i`F 5", "1:1: if is" + outside, ""},
		{"[DateTime]'1/1/2027'", "1:1: types in brackets, as [DateTime], are" + outside, "Get-Date"},
		{"$a -eq [int]5", "1:8: types in brackets, as [DateTime], are" + outside, ""},
		{"$a::Now", "1:3: static members of types are" + outside, ""},
		{"(Get-Date).AddDays(1)", "1:12: the method .AddDays() and all others are" + outside, ""},
		{"X $a.Trim()", "1:6: the method .Trim() and all others are" + outside, ""},
		{"1 + 2", "1:3: arithmetic is" + outside, "Measure-Object"},
		{"$a - 2", "1:4: arithmetic is" + outside, ""},
		{"$a -2", "1:4: arithmetic is" + outside, ""},
		{"5 * $a", "1:3: arithmetic is" + outside, ""},
		{"$a++", "1:3: arithmetic is" + outside, ""},
		{"-$a", "1:1: arithmetic is" + outside, ""},
		{"$a += 5", "1:4: changing a value by += is" + outside, ""},
		{"$a -= 5", "1:4: changing a value by -= is" + outside, ""},
		{"$a ??= 5", "1:4: changing a value by ??= is" + outside, ""},
		{"$a ?? 5", "1:4: ?? is" + outside, ""},
		{"$a ? 1 : 2", "1:4: a choice by ? and : is" + outside, ""},
		{"(1..5)", "1:3: ranges by .. are" + outside, ""},
		{"$a[0..2]", "1:5: ranges by .. are" + outside, ""},
		{"$a -replace 'x','y'", "1:4: the operator -replace is" + outside, ""},
		{"$a -join ','", "1:4: the operator -join is" + outside, "double quotes"},
		{"-join $a", "1:1: the operator -join is" + outside, "double quotes"},
		{"'{0}' -f $a", "1:7: the operator -f is" + outside, "double quotes"},
		{"$a -isnot $b", "1:4: the operator -isnot is" + outside, ""},
		{"$a -csplit ','", "1:4: the operator -csplit is" + outside, ""},
		{"$a['b'] = 5", "1:1: setting an item is" + outside, "$table.name = ..."},
		{"$a, $b = 1, 2", "1:1: setting anything but a variable or a property is" + outside, ""},
		{"$a.b += 5", "1:6: changing a value by += is" + outside, ""},
		{"X && Y", "1:3: && is" + outside, "-ErrorAction"},
		{"X || Y", "1:3: || is" + outside, "-ErrorAction"},
		{"X &", "1:3: &, which calls by name or works in the background, is" + outside, ""},
		{"& 'X'", "1:1: &, which calls by name or works in the background, is" + outside, ""},
		{". ./x.ps1", "1:1: running a script by . is" + outside, "ck run"},
		{".\\x.ps1", "1:1: running a script by . is" + outside, "ck run"},
		{"X > out.txt", "1:3: redirection is" + outside, "Out-File"},
		{"X >> out.txt", "1:3: redirection is" + outside, "Out-File"},
		{"X 2>&1", "1:3: redirection is" + outside, "Out-File"},
		{"X *> out.txt", "1:3: redirection is" + outside, "Out-File"},
		{"X @params", "1:3: splatting, @name, is" + outside, "write the parameters out"},
		{"@\"\nx\n\"@", "1:1: here-strings are" + outside, "several lines"},
		{"X @'\nx\n'@", "1:3: here-strings are" + outside, ""},
		{"$a.$b", "1:4: a property whose name is a value is" + outside, ""},
		{"$a.\"x$b\"", "1:4: a property whose name is made of variables is" + outside, ""},
		{"X-$b", "1:1: a command whose name is made of variables is" + outside, ""},
		{"$env:PATH", "1:1: $env: and other scopes and drives are" + outside, ""},
		{"X \"$global:a\"", "1:4: $global: and other scopes and drives are" + outside, ""},
		{"X $$", "1:3: $$ is outside of what ck takes", "`$"},
		// what is no PowerShell either, or no good one
		{`PS C:\> X`, `1:1: PS C:\> is the prompt of a console, no part of a command`, "behind it"},
		{"X\n>> Y", "2:1: >> is the prompt of a console, no part of a command", ""},
		{`C:\Temp> X`, `1:1: C:\Temp> is the prompt of a console, no part of a command`, ""},
		{"X -Name <vault name>", "1:9: <vault name> is a placeholder", "your own value"},
		{"X < in.txt", "1:3: < is not expected here", ""},
		{"X [-Name] a", "1:3: a parameter's name stands in brackets", "leave the brackets out"},
		{"X -[Name] a", "1:4: a parameter's name stands in brackets", "leave the brackets out"},
		{"notepad.exe x", "1:1: notepad.exe is no cmdlet: programs, files and modules are not run by their path", "ck run"},
		{`Az.KeyVault\Get-AzKeyVault`, `1:1: Az.KeyVault\Get-AzKeyVault is no cmdlet: programs, files and modules are not run by their path`, ""},
		{"X ,a", "1:3: , is not expected here", "between two values"},
		{"X @", "1:3: @ begins neither a list nor a hash table here", "quotes"},
		{"X @5", "1:3: @ begins neither a list nor a hash table here", ""},
		{"X -Name con\u200btoso", "1:12: an invisible character stands here, U+200B", "quotes"},
		{"X -Name\u200b contoso", "1:8: a word goes on with U+200B, where it has to end", ""},
		{"\u202eX", "1:1: U+202E is not expected where a value has to stand", ""},
		{"X a, | Y", "1:6: a comma has to have a value behind it", ""},
		{"X a,)", "1:5: a comma has to have a value behind it", ""},
		{"X 'a'b", "1:6: a word goes on with b, where it has to end", "space"},
		{"X a(b)", "1:4: a word goes on with (, where it has to end", ""},
		{"X a{b}", "1:4: a word goes on with {, where it has to end", ""},
		{"X $a.b-c", "1:7: a word goes on with -, where it has to end", "double quotes"},
		{"X $a.*", "1:6: behind the dot has to stand the name of a property", "double quotes"},
		{"X -Name/a", "1:8: a word goes on with /, where it has to end", ""},
		{"X -Name: | Y", "1:10: -Name: has no value behind the colon", ""},
		{"X -Name:", "1:9: -Name: has no value behind the colon", ""},
		{"X | 'a'", "1:5: behind | has to stand a command", "beginning"},
		{"X | | Y", "1:5: behind | has to stand a command", ""},
		{"$a == 5", "1:4: = is not expected behind the statement", "-eq"},
		{"$a != 5", "1:4: ! is not expected behind the statement", "-ne"},
		{"$a -equals 5", "1:4: there is no operator -equals", "-eq"},
		{"-eq 5", "1:1: -eq cannot stand in front of a value", ""},
		{"$a b", "1:4: b is not expected behind the statement", "quotes"},
		{"(a) b", "1:5: b is not expected behind the statement", ""},
		{"$a -eq b", "1:8: b is not expected where a value has to stand", "quotes"},
		{"X )", "1:3: ) is not expected behind the statement", "no bracket"},
		{"X }", "1:3: } is not expected behind the statement", ""},
		{"(X }", "1:4: } is not expected where ) closes the bracket", ""},
		{"()", "1:1: nothing stands between ( and )", ""},
		{"X {}", "1:3: nothing stands between { and }", ""},
		{"X { Y; Z }", "1:8: only one statement can stand between { and }", "$( ... )"},
		{"(X\nY)", "2:1: only one statement can stand between ( and )", ""},
		{"@{a}", "1:4: a hash table has to have = and a value here", "@{name='value'"},
		{"@{a=1 b=2}", "1:7: b is not expected behind the value; put ; between the entries of a hash table", ""},
		{"@{a=1; 'A'=2}", "1:8: the hash table has A twice", ""},
		{"$true = 5", "1:1: $true cannot be set", ""},
		{"$_ = 5", "1:1: $_ cannot be set", ""},
		{"$ = 5", "1:1: behind $ has to stand the name of a variable", ""},
		{"${}", "1:1: the variable has no name", ""},
		{"${a:b}", "1:4: the name of a variable cannot hold ':'", ""},
		{`X "really $name?"`, "1:16: a question mark behind $name would be a part of its name", "${name}"},
		{`X "$name: x"`, "1:9: a colon behind $name would be a part of its name", "${name}"},
		{"X \"`u{110000}\"", "1:4: this names no character", "`u{1F511}"},
		{"1x", "1:1: 1x is no number", "quotes"},
		{"99999999999999999999", "1:1: 99999999999999999999 is too large", ""},
		{"9007199254740993KB", "1:1: 9007199254740993KB is too large", ""},
		{"1e999", "1:1: 1e999 is too large", ""},
		{"0xFFFFFFFF", "1:1: 0xFFFFFFFF would be a negative number in PowerShell", ""},
		{"X\r\n\x00", "2:1: a NUL character is no text", "UTF-8"},
		{"é\xff", "1:2: this is no UTF-8", "UTF-8"},
		{"'x' # \xff", "1:7: this is no UTF-8", ""},
	} {
		_, err := Parse(tt.text)
		if err == nil {
			t.Errorf("Parse(%q) takes it, want %s", tt.text, tt.want)
			continue
		}
		checkError(t, tt.text, err)
		line, column, _ := strings.Cut(tt.want, ":")
		column, message, _ := strings.Cut(column, ": ")
		want := fmt.Sprintf("line %s, column %s: %s", line, column, message)
		if err.Error() != want {
			t.Errorf("Parse(%q)\n got %s\nwant %s", tt.text, err, want)
		}
		if hint := fault.As(err).Hint; !strings.Contains(hint, tt.hint) {
			t.Errorf("Parse(%q): hint %q, want %q in it", tt.text, hint, tt.hint)
		}
		if Incomplete(tt.text) {
			t.Errorf("Parse(%q): more text would not help", tt.text)
		}
	}
}

// TestIncomplete holds what a prompt asks another line for.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"X |", "X | ", "X | # why", "X `", "X a,", "X -A a ,\n", "X 'a", `X "a`, `X "$(Y`, "X “a'", "X (", "(X", "X {", "X { Y", "X { Y |",
		"@(", "@('a',", "X @{", "@{a", "@{a=", "@{a=1", "@{a=1;", "$(", "$a =", "$a = $b =", "$a[", "$a[1", "$a -eq", "$a -and", "!", "-not", "$a.", "$a,",
		"<# why", "X <# why", "${a", "X \"${a", "X a`",
	} {
		_, err := Parse(text)
		if err == nil {
			t.Errorf("Parse(%q) takes it", text)
			continue
		}
		checkError(t, text, err)
		if !Incomplete(text) {
			t.Errorf("Parse(%q) is not incomplete: %v", text, err)
		}
	}
	for _, text := range []string{"", "X", "X 'a'", "X\n", "'a'", "$a", "X { Y }", "# 'a"} {
		if Incomplete(text) {
			t.Errorf("%q is incomplete", text)
		}
	}
}

// checkError checks what every error of Parse promises.
func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var e *SyntaxError
	if f := fault.As(err); f.Code != fault.Invalid || f.Reason != ReasonParser {
		t.Fatalf("Parse(%q): %v is %s %s", text, err, f.Code, f.Reason)
	}
	if len(text) > MaxText && !errors.As(err, &e) {
		return
	}
	if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d, column %d: ", e.At.Line, e.At.Column)) {
		t.Fatalf("Parse(%q): %v tells no place", text, err)
	}
	c := newCursor(strings.TrimPrefix(text, byteOrderMark))
	for c.at != e.At && c.off < len(c.text) {
		c.next()
	}
	if c.at != e.At {
		t.Fatalf("Parse(%q): %v lies outside of the text", text, err)
	}
	if shown := Mark(text, err); strings.Count(shown, "\n") != 2 || !strings.HasSuffix(shown, "^\n") {
		t.Fatalf("Mark(%q): %q", text, shown)
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"X\nY\t> z\nW", "Y > z\n  ^\n"},
		{"X 'a", "X 'a\n  ^\n"},
		{"X |", "X |\n   ^\n"},
		{"\ufeffX >\r\n", "X >\n  ^\n"},
		{"X '\u202e\x1b[2J' >", "X '\ufffd\ufffd[2J' >\n          ^\n"},
		{"X " + strings.Repeat("a", 100) + " > " + strings.Repeat("b", 100), strings.Repeat("a", 55) + " > " + strings.Repeat("b", 18) + "\n" + strings.Repeat(" ", 56) + "^\n"},
	} {
		_, err := Parse(tt.text)
		if got := Mark(tt.text, err); got != tt.want {
			t.Errorf("Mark(%q)\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
	if got := Mark("X", errors.New("another")); got != "" {
		t.Errorf("Mark of another error: %q", got)
	}
}

// TestLimits keeps hostile scripts small.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"(", "{", "@(", "$(", "@{a=", `"$(`, "$a[", "!", "X {", "$a=", "X -A:(", "@{a=@("} {
		if _, err := Parse(strings.Repeat(open, 1000)); err == nil || !strings.Contains(err.Error(), "64 levels of nesting") {
			t.Errorf("1000 times %q: %v", open, err)
		}
	}
	for _, again := range []string{" -and $a", " -eq $a", ".b", "[0]"} {
		if _, err := Parse("$a" + strings.Repeat(again, 1000)); err == nil || !strings.Contains(err.Error(), "64 levels of nesting") {
			t.Errorf("1000 times %q: %v", again, err)
		}
		if _, err := Parse("$a" + strings.Repeat(again, maxDepth)); err != nil {
			t.Errorf("%d times %q: %v", maxDepth, again, err)
		}
	}
	if _, err := Parse(strings.Repeat("(", maxDepth) + "5" + strings.Repeat(")", maxDepth)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(strings.Repeat(" ", MaxText+1)); err == nil || !strings.Contains(err.Error(), "at most 1048576 bytes, this one 1048577") {
		t.Errorf("too large a script: %v", err)
	}
}
