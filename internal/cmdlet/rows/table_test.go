package rows

import (
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

func TestTableIsConsistent(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range Table() {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			names = append(names, strings.ToLower(name))
		}
		checkRow(t, c)
	}
	slices.Sort(names)
	if once := slices.Compact(slices.Clone(names)); len(once) != len(names) {
		t.Errorf("a name is given to two commands: %v", names)
	}
}

func checkRow(t *testing.T, c cmdlet.Cmdlet) {
	t.Helper()
	if c.Synopsis == "" || len(c.Examples) == 0 {
		t.Errorf("%s is not described", c.Name)
	}
	if (len(c.Roles) > 0) == (c.Side == cmdlet.Vault || c.Side == cmdlet.Shell || c.Anyone) {
		t.Errorf("%s: side %s with roles %v", c.Name, c.Side, c.Roles)
	}
	if c.Detail != "" && c.Param(c.Detail) == nil {
		t.Errorf("%s: Detail names no parameter", c.Name)
	}
	if sets := c.Sets(); len(sets) > 0 && !slices.Contains(sets, c.DefaultSet) {
		t.Errorf("%s: the default set %q is none of %v", c.Name, c.DefaultSet, sets)
	}
	if c.Output != "" && !slices.ContainsFunc(Views(), func(v cmdlet.View) bool { return v.Type == c.Output }) {
		t.Errorf("%s: no view for %s", c.Name, c.Output)
	}
	seen, places := map[string]bool{}, map[int]bool{}
	for _, p := range c.Params {
		if p.Help == "" {
			t.Errorf("%s -%s is not described", c.Name, p.Name)
		}
		if p.Position > 0 && places[p.Position] {
			t.Errorf("%s: two parameters at position %d", c.Name, p.Position)
		}
		places[p.Position] = true
		for _, n := range slices.Concat([]string{p.Name}, p.Aliases, p.Old) {
			if low := strings.ToLower(n); seen[low] {
				t.Errorf("%s: -%s is given to two parameters", c.Name, n)
			} else {
				seen[low] = true
			}
		}
	}
}

// Every example in the table binds: help that does not work is worse than none.
func TestExamplesBind(t *testing.T) {
	t.Parallel()
	for _, c := range Table() {
		if c.Side == cmdlet.Shell {
			continue // their examples are pipelines: see TestExamples of package script
		}
		for _, example := range c.Examples {
			words := shellSplit(example)
			row, err := cmdlet.Find(Table(), words[0])
			if err != nil || row.Name != c.Name {
				t.Errorf("%s: example for %v (%v)", c.Name, row, err)
				continue
			}
			if _, err := cmdlet.Bind(row, words[1:]); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
}

// shellSplit splits at spaces outside quotes and takes the quotes away, as a shell does.
func shellSplit(line string) []string {
	var words []string
	var word strings.Builder
	quote, started := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, started = r, true
		case quote == 0 && r == ' ':
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"get-azkeyvaultkey", "GET-AZKEYVAULTKEY", "Get-AzKeyVaultKey"} {
		if c, err := cmdlet.Find(Table(), name); err != nil || c.Name != "Get-AzKeyVaultKey" {
			t.Errorf("Find(%q) = %v, %v", name, c, err)
		}
	}
	if c, err := cmdlet.Find(Table(), "Set-AzKeyVaultKeyAttribute"); err != nil || c.Name != "Update-AzKeyVaultKey" {
		t.Errorf("the alias finds %v, %v", c, err)
	}
	for name, hint := range map[string]string{
		"Get-AzKeyVaultKye":            "Get-AzKeyVaultKey",
		"New-M365DataAtRestEncryption": "New-M365DataAtRestEncryptionPolicy",
		"xyzzy":                        "ck help",
		strings.Repeat("x", 1<<20):     "ck help",
	} {
		_, err := cmdlet.Find(Table(), name)
		if f := fault.As(err); f.Code != fault.NotFound || !strings.Contains(f.Hint, hint) || len(f.Message) > 200 {
			t.Errorf("Find(%.40q): %v, hint %q", name, err, f.Hint)
		}
	}
}

// What the table offers is what package policy allows; the rights are written down there.
func TestRolesAreThoseOfThePolicyPackage(t *testing.T) {
	t.Parallel()
	want := map[string][]directory.Role{
		"New-M365DataAtRestEncryptionPolicy": {directory.ComplianceAdministrator, directory.GlobalAdministrator, directory.ExchangeAdministrator},
		"Get-M365DataAtRestEncryptionPolicy": {directory.ComplianceAdministrator, directory.GlobalAdministrator, directory.ExchangeAdministrator, directory.GlobalReader},
		"New-DataEncryptionPolicy":           {directory.ExchangeAdministrator, directory.GlobalAdministrator},                            // CK-278
		"Set-DataEncryptionPolicy":           {directory.ExchangeAdministrator, directory.GlobalAdministrator, directory.ServiceOperator}, // CK-119
		"Get-DataEncryptionPolicy":           {directory.ExchangeAdministrator, directory.GlobalAdministrator, directory.GlobalReader},    // CK-281
	}
	for name, roles := range want {
		c, err := cmdlet.Find(Table(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Roles.Under(policy.Roles{}); !slices.Equal(got, roles) {
			t.Errorf("%s may be run by %v, want %v", name, got, roles)
		}
	}
}
