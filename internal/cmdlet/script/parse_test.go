package script

import "testing"

// parsed are texts of every kind and the shapes of their trees (see sexp).
var parsed = []struct{ text, want string }{
	// commands and words
	{"", ""},
	{"Get-Mailbox", "[Get-Mailbox]"},
	{"Get-Mailbox alice@contoso.example", "[Get-Mailbox alice@contoso.example]"},
	{"Get-Mailbox -Identity alice -Verbose", "[Get-Mailbox -Identity alice -Verbose]"},
	{"Get–Mailbox –Identity alice", "[Get-Mailbox -Identity alice]"},
	{"X --Name a", "[X -Name a]"},
	{"X -- -Name a", "[X -Name a]"},
	{"X -A:$false -B: $true", "[X -A:$false -B:$true]"},
	{"X -A:a,b c", "[X -A:(list a b) c]"},
	{"X -A a, b ,c , d", "[X -A (list a b c d)]"},
	{"X -A a,\n  b", "[X -A (list a b)]"},
	{"X -5 -.5 - 1KB", "[X -5 -.5 - 1KB]"},
	{"X root* [a-z]? %x =y !z", "[X root* [a-z]? %x =y !z]"},
	{"X -?", "[X -?]"},
	{"X a`\n -B c", "[X a -B c]"},
	{"Backup-AzKeyVaultKey -Name k\n-OutputFile f", "[Backup-AzKeyVaultKey -Name k -OutputFile f]"},
	{"X\r\n  –Name k\r\nY", "[X -Name k] ; [Y]"},
	{"X\n-not $a", "[X] ; (not $a)"},
	{"X # -Name k\nY#z <# a\nb #> W", "[X] ; [Y#z W]"},
	{"\ufeffX;;Y;\r\nZ\r", "[X] ; [Y] ; [Z]"},
	{"X\u00a0a\u2003b", "[X a b]"},
	{"X '\u200b' `\u200b", "[X \"\\u200b\" \u200b]"},
	// text
	{"X 'a''b' ‘c’’d’", `[X "a'b" "c’d"]`},
	{`X "a""b" “c””d”`, `[X "a\"b" "c”d"]`},
	{"'a`n$b'", "\"a`n$b\""},
	{"\"`$b`n`t`0`u{1F511}`\"`x\"", `"$b\n\t\x00🔑\"x"`},
	{`"$a b ${c d} $(X) $ $_ $?"`, `(text $a " b " $c d " " (sub [X]) " $ " $_ " " $?)`},
	{`"$a.b $($a.b)"`, `(text $a ".b " (sub $a.b))`},
	{`X a"b c"'d'e`, "[X ab cde]"},
	{"X a` b`,c", "[X a b,c]"},
	{"X root-$n a$(1)b $n/keys ${n}x $a$b", `[X (text "root-" $n) (text "a" (sub int64(1)) "b") (text $n "/keys") (text $n "x") (text $a $b)]`},
	{"X $ $/a", "[X $ $/a]"},
	{"X \"a\nb\"", `[X "a\nb"]`},
	// values
	{"$a.b.c[0][-1].'d e'", "$a.b.c[int64(0)][int64(-1)].d e"},
	{"X $a.b (Y).c 'z'.Length", `[X $a.b (paren [Y]).c "z".Length]`},
	{"1,-2, 0x1F,\n1KB, 1.5MB, .5, 1e3, 1E-2", "(list int64(1) int64(-2) int64(31) int64(1024) float64(1.572864e+06) float64(0.5) float64(1000) float64(0.01))"},
	{"@()", "(list)"},
	{"@('a')", `(list "a")`},
	{"@('a','b')", `(list "a" "b")`},
	{"@('a'\n'b';5)", `(list "a" "b" int64(5))`},
	{"@(X)", "(all [X])"},
	{"@($a; X | Y)", "(all $a ; [X] | [Y])"},
	{"@($a,$b)", "(list $a $b)"},
	{"@($a)", "(all $a)"},
	{"@(('a'))", `(all (paren "a"))`},
	{"$( X; Y )", "(sub [X] ; [Y])"},
	{"@{}", "(table)"},
	{"@{ a = 1; 'b c' = X y\n $d = $e -eq 5 }", `(table "a"=int64(1) "b c"=(paren [X y]) $d=(eq $e int64(5)))`},
	{"X @{n='a';e={$_.B}}", `[X (table "n"="a" "e"={$_.B})]`},
	// operators
	{"$a -eq 1 -and $b -ne 2 -or $c", "(or (and (eq $a int64(1)) (ne $b int64(2))) $c)"},
	{"$a -xor $b –and $c", "(and (xor $a $b) $c)"},
	{"$a -cLIKE 'x*' -INotMatch $b", `(notmatch (clike $a "x*") $b)`},
	{"$a -in 1,2 -contains $b", "(contains (in $a (list int64(1) int64(2))) $b)"},
	{"-not $a -eq !$b", "(eq (not $a) (not $b))"},
	{"! -not $a, $b", "(list (not (not $a)) $b)"},
	{"$a -eq\n 1", "(eq $a int64(1))"},
	// statements
	{"$a = X | Y", "(set a [X] | [Y])"},
	{"$a = $b = 5", "(set a (set b int64(5)))"},
	{"($r = X y).Properties | Add-Member z", "(paren (set r [X y])).Properties | [Add-Member z]"},
	{"X |\n Y", "[X] | [Y]"},
	{"X\n\n # why\n | Y", "[X] | [Y]"},
	{"X | ? { $_.A -gt 5 } | %{ Y $_ } | foreach { $_ }", "[X] | [? {(gt $_.A int64(5))}] | [% {[Y $_]}] | [foreach {$_}]"},
	{"X | Where-Object Name -eq 'a'", `[X] | [Where-Object Name -eq "a"]`},
	{"X | fl *", "[X] | [fl *]"},
	{"(\nX\n)", "(paren [X])"},
	{"X {\n Y;\n}", "[X {[Y]}]"},
	{"X -F{ Y }", "[X -F {[Y]}]"},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range parsed {
		s, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if got := sexp(s); got != tt.want {
			t.Errorf("Parse(%q)\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}
