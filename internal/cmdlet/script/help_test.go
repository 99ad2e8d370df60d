package script

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// Help is the table's own words.
func TestHelp(t *testing.T) {
	t.Parallel()
	row, err := cmdlet.Find(rows.Table(), "Set-DataEncryptionPolicy")
	if err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string][]string{
		"Get-Help Set-DataEncryptionPolicy":                {row.Synopsis, row.Description, "-Full"},
		"Get-Help set-dataencryptionpolicy -Full":          {row.Synopsis, row.Params[1].Help, "-ErrorAction", row.Examples[0]},
		"Get-Help Set-DataEncryptionPolicy -Parameter Re*": {row.Params[1].Help, "-Replace"},
		"Get-Help Set-DataEncryptionPolicy -Examples":      row.Examples,
		"Get-Help": {"Get-AzKeyVaultKey", "Policies for mailboxes:"},
		"Get-Command -Verb Get -Noun AzKeyVault?ey | select Name": {"Get-AzKeyVaultKey"},
		"(Get-Command Set-*Box).Name":                             {"Set-Mailbox"},
	} {
		out, err := newWorld(t, nil).do(t, script)
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%s does not say %q, but %s (%v)", script, text, out, err)
			}
		}
	}
	fails(t, "Get-Help Set-DataEncryptionPolicy -Parameter x", "has no parameter -x")
	fails(t, "Get-Help Set-DataEncriptionPolicy", "there is no command")
}
