package script

import (
	"strings"
	"testing"
)

// Comparisons as PowerShell has them: the left side says what is compared.
func TestOperators(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`'abc' -eq 'ABC'`: "True", `'abc' -ceq 'ABC'`: "False", `'abc' -ne 'abd'`: "True", `'abc' -cne 'ABC'`: "True",
		`'a' -lt 'B'`: "True", `'b' -gt 'A'`: "True", `'a' -le 'A'`: "True", `'a' -ge 'b'`: "False",
		`5 -eq 5.0`: "True", `5 -eq '5'`: "True", `'5' -eq 5`: "True", `5 -eq '5x'`: "False", `10 -gt 9`: "True", `'10' -gt '9'`: "False", `10 -gt '9'`: "True", `2048 -ge '1KB'`: "True",
		`9007199254740993 -eq 9007199254740992`: "False",
		`$null -eq $null`:                       "True", `$null -eq ''`: "False", `'' -eq $null`: "False", `0 -eq $null`: "False", `$null -lt 1`: "True", `1 -gt $null`: "True",
		`$true -eq 1`: "True", `$true -eq 'x'`: "True", `$false -eq ''`: "True", `$false -eq $null`: "False",
		`(Get-Date '2026-11-22') -gt '2026-11-21'`: "True", `(Get-Date '2026-11-22T00:00:00Z') -eq '2026-11-22'`: "True", `(Get-Date '2026-11-22') -eq 'soon'`: "False",
		`'alice@contoso.example' -like 'A*@*'`: "True", `'alice' -clike 'A*'`: "False", `'alice' -like 'ali?e'`: "True", `'alice' -like 'al'`: "False", `'a[b' -like 'a` + "`" + `[b'`: "True",
		`'b7' -like '[a-c][0-9]'`: "True", `'d7' -like '[a-c]?'`: "False", `'x.y' -like 'x.y'`: "True", `'xzy' -like 'x.y'`: "False", `'alice' -notlike 'b*'`: "True", "'a\nb' -like 'a*b'": "True",
		`'root1' -match '^ROOT\d$'`: "True", `'root1' -cmatch '^ROOT'`: "False", `'root1' -notmatch 'x'`: "True", `'ab' -match 'a|x'`: "True",
		`1,2,3 -contains 2`: "True", `'a','B' -contains 'b'`: "True", `'a','B' -ccontains 'b'`: "False", `'a' -notcontains 'b'`: "True", `2 -in 1,2`: "True", `'x' -notin 'y','z'`: "True",
		`1,2,3,2 -eq 2`: "2\n2", `'a','b' -ne 'a'`: "b", `'ab','b' -like 'a*'`: "ab", `@() -eq 1`: "",
		`$true -and 'x'`: "True", `$true -and ''`: "False", `$false -or @(0,0)`: "True", `$true -xor $true`: "False", `-not ''`: "True", `!1`: "False",
		`$false -and $nope`: "False", `$true -or $nope`: "True",
		`1 -eq 1 -and 2 -eq 3 -or $true`: "True",
	} {
		if want != "" {
			want += "\n"
		}
		yields(t, text, want)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`$null`: "False", `''`: "False", `'0'`: "True", `0`: "False", `0.0`: "False", `0.1`: "True", `@()`: "False", `@(0)`: "False", `@('a')`: "True", `@(0,0)`: "True", `@{}`: "True", `$true`: "True",
	} {
		yields(t, "-not -not ("+text+")", want+"\n")
	}
}

// What a value looks like in "...".
func TestValuesInText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"<$null>"`: "<>", `"$true $false"`: "True False", `"$(1,2)"`: "1 2", `"$(1.5) $(1e20) $(0.000001) $(1000000.0)"`: "1.5 1E+20 1E-06 1000000",
		`"$(Get-Date 2026-11-22)"`: "11/22/2026 00:00:00", `"$(@{a=1; b='x'})"`: "@{a=1; b=x}", `"$(Get-Mailbox alice)"`: "alice@contoso.example",
		`"$((Get-Mailbox alice).Name)'s"`: "alice's", `"$(Get-M365DataAtRestEncryptionPolicy | select Name)"`: "@{Name=Contoso_Global}", `"$(@())|"`: "|",
	} {
		yields(t, text, want+"\n")
	}
}

func TestMembersAndItems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`(Get-Mailbox alice).NAME`: "alice", `(Get-Mailbox).Count`: "3", `'abc'.Length`: "3", `(1).Count`: "1", `$null.Count`: "0", `@().Count`: "0",
		`(1,2,3)[-1]`: "3", `(1,2,3)[0,2]`: "1\n3", `'abc'[1]`: "b", `@{a=5}['a']`: "5", `@{a=5}.A`: "5", `(5)[0]`: "5", `@{b=1;a=2}.Values`: "1\n2",
		`(Get-M365DataAtRestEncryptionPolicy).KeyVersions.KeyID`: "a/1\nb/1", `(Get-M365DataAtRestEncryptionPolicy).AzureKeyIDs[1]`: "https://west/keys/b",
		`(Get-Date '2027-01-31').DayOfYear`: "31", `(Get-Date '2027-01-31 08:00').Date.Hour`: "0", `@(Get-Mailbox alice).Count`: "1",
	} {
		yields(t, text, want+"\n")
	}
}

func TestRuntimeErrors(t *testing.T) {
	t.Parallel()
	for text, message := range map[string]string{
		`$nope`: "the variable $nope has not been set", `(Get-Mailbox alice).Namee`: `an object of type Mailbox has no property "Namee"`, `$null.Name`: `$null has no property "Name"`,
		`(1,2)[5]`: "there is no item 5 among 2", `(1,2)['x']`: "the place of an item is a whole number", `@{a=1}['b']`: `has no property "b"`, `$_`: "there is no $_ outside a block",
		`5 -lt 'x'`: "a number cannot be compared with a text", `@{a=1} -lt 2`: "an object of type Hashtable cannot be compared", `'a' -match '('`: `"(" is no pattern`, `'a' -match 'a(?=b)'`: "is no pattern",
		`'a' -like '` + strings.Repeat("x", 2000) + `'`: "a pattern has at most",
		`Get-Mailbox | ft | sort Name`:                  "Sort-Object cannot use what Format-List and Format-Table make", `Get-Mailbox alice | fl | Set-Mailbox -DataEncryptionPolicy X`: "Set-Mailbox cannot use what Format-List",
		`1 | Get-Date`: "Get-Date takes nothing from a pipeline", `1 | Write-Output 2`: "Write-Output takes nothing from a pipeline", `Get-Mailbox | select @{x=1}`: `has no "x"`, `Get-Mailbox | select @{Name='x'}`: "has no Expression",
		`Get-Mailbox | select 5`: "a property is chosen by its name", `Get-Mailbox | where Name 'x'`: "does not know how to compare", `Get-Mailbox | where Name -eq -like 'y'`: "compares in one way at a time",
		`1 | ConvertTo-Csv`: "only objects can be written as CSV", `Get-Mailbox | ConvertTo-Csv -Delimiter ab`: "-Delimiter is one character", `1 | ConvertTo-Json -Depth 0`: "-Depth is a number",
		`'x' | measure -Sum`: "a text cannot be added up", `1 | Add-Member NoteProperty a 1`: "Add-Member adds to objects", `@{a=1} | Add-Member NoteProperty A 2`: `has a property "a" already`,
		`Get-Mailbox | where Namee -ne 'x'`: `has no property "Namee"`,
		`Get-Date 'soon'`:                   `"soon" is no time`, `Get-Date -Format "yyyy 'x"`: "a quotation without an end", `$ErrorActionPreference = 'Sotp'`: "$erroractionpreference cannot be that", `$true -and (Get-Mailbx)`: "there is no command 'Get-Mailbx'",
		`Get-Mailbox | select -First 1 -Last 1`: "cannot be used together", `Get-Mailbox | ForEach-Object`: "ForEach-Object needs -Process", `Get-Mailbox -First`: "Get-Mailbox has no parameter -First",
		`Set-Mailbox -Identity alice`: "Set-Mailbox needs -DataEncryptionPolicy", `$p = $null; Set-Mailbox alice -DataEncryptionPolicy $p`: "-DataEncryptionPolicy was computed and came out as $null",
		`Set-Mailbox alice -DataEncryptionPolicy "$null"`:                                                              "-DataEncryptionPolicy is empty",
		`$p = @(); Set-AzKeyVaultAccessPolicy contoso-east -UserPrincipalName a@contoso.example -PermissionsToKeys $p`: "-PermissionsToKeys was computed and came out as @()",
	} {
		fails(t, text, message)
	}
}

// Hints are for who writes a script: there a $null in quotes is an empty text, or a word.
func TestHintsAreForScripts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`Set-Mailbox alice -DataEncryptionPolicy "$null"`, `$p = $null; Set-Mailbox alice -DataEncryptionPolicy $p`} {
		if out, _ := newWorld(t, nil).do(t, text); !strings.Contains(out, "write $null itself") {
			t.Errorf("%s\nprints\n%s", text, out)
		}
	}
}

// An error names the statement of a script that it comes from.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Places = true })
	out, _ := w.do(t, "'fine'\n  Get-DataEncryptionPolicy nosuch\nGet-Mailbox | % { Get-DataEncryptionPolicy $_.Name } | fl\n$x = $nope")
	for _, want := range []string{
		"fine\n", "line 2, column 3: there is no policy nosuch", "line 3, column 19: there is no policy alice", "line 3, column 19: there is no policy Carol", "line 4, column 1: the variable $nope",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}
