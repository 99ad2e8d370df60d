package script

import (
	"strings"
	"testing"
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
		w := newWorld(t, func(c *Config) { c.Ask = func(string) (bool, error) { asked++; return true, nil } })
		out, _ := w.do(t, tt.text)
		if asked != tt.questions || !strings.Contains(out, tt.prints) || strings.Contains(out, "hidden") || tt.prints == "on" && strings.Contains(out, "error") {
			t.Errorf("%s: %d questions, prints %q", tt.text, asked, out)
		}
	}
}
