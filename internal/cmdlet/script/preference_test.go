package script

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// Preferences say for all commands what a parameter says for one, and the parameter wins.
func TestPreferences(t *testing.T) {
	t.Parallel()
	const low, high = "Set-Mailbox alice -DataEncryptionPolicy X", "Remove-AzKeyVaultKey east root1"
	for _, tt := range []struct {
		text, prints string
		questions    int
	}{
		{low, "", 0}, {high, "", 1}, {high + " -Force", "", 0}, {high + " -Confirm:$false", "", 0}, {low + " -Confirm", "", 1},
		{"$ConfirmPreference = 'None'; " + high, "", 0}, {"$ConfirmPreference = 'none'; " + high + " -Confirm", "", 1}, {"$ConfirmPreference = 'Medium'; " + low, "", 1}, {"$ConfirmPreference = 'Medium'; " + low + " -Confirm:$false", "", 0},
		{"$WhatIfPreference = $true; " + high, "What if:", 0}, {"$WhatIfPreference = $true; Get-Mailbox | measure | % Count", "3", 0},
		{"$ErrorActionPreference = 'SilentlyContinue'; Get-DataEncryptionPolicy x; 'on'", "on", 0}, {"$ErrorActionPreference = 'SilentlyContinue'; Get-DataEncryptionPolicy x -ErrorAction Continue", "there is no policy x", 0},
		{"$WarningPreference = 'Ignore'; Write-Warning hidden; 'on'", "on", 0}, {"$WarningPreference = 'Ignore'; Write-Warning shown -WarningAction Continue", "WARNING: shown", 0},
	} {
		asked := 0
		w := newWorld(t, func(c *Config) { c.Ask = func(string) (cmdlet.Answer, error) { asked++; return cmdlet.Yes, nil } })
		out, _ := w.do(t, tt.text)
		if asked != tt.questions || !strings.Contains(out, tt.prints) || strings.Contains(out, "hidden") || tt.prints == "on" && strings.Contains(out, "error") {
			t.Errorf("%s: %d questions, prints %q", tt.text, asked, out)
		}
	}
}

// An answer for all holds for the rest of its command, and for no other.
func TestAnswersForAll(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer    cmdlet.Answer
		text      string
		questions int
	}{
		{cmdlet.Yes, "'root1','root2','root3' | % { Remove-AzKeyVaultKey east $_ }", 3},
		{cmdlet.YesToAll, "Get-Mailbox | Set-Mailbox -DataEncryptionPolicy X -Confirm", 1},
		{cmdlet.NoToAll, "Get-Mailbox | Set-Mailbox -DataEncryptionPolicy X -Confirm", 1},
		{cmdlet.Yes, "Get-Mailbox | Set-Mailbox -DataEncryptionPolicy X -Confirm", 3},
		{cmdlet.YesToAll, "Remove-AzKeyVaultKey east root1; Remove-AzKeyVaultKey east root2", 2},
	} {
		asked := 0
		w := newWorld(t, func(c *Config) { c.Ask = func(string) (cmdlet.Answer, error) { asked++; return tt.answer, nil } })
		out, _ := w.do(t, tt.text)
		if asked != tt.questions {
			t.Errorf("%v to %s: %d questions, prints %q", tt.answer, tt.text, asked, out)
		}
	}
}
