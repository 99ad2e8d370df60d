package script

import (
	"strings"
	"testing"
)

// Scripts of articles begin so. Nothing happens, nothing is said, and the script goes on.
func TestModules(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"Import-Module ExchangeOnlineManagement", "import-module -Name exchangeonlinemanagement -MinimumVersion 3.0.0",
		"Import-Module Microsoft.Online.SharePoint.PowerShell -DisableNameChecking -WarningAction SilentlyContinue",
		"Import-Module Az.Accounts, Az.KeyVault -Force", "ipmo @('Az')", "Import-Module 'CustomerKey' -Force:$true",
		"Install-Module Az.KeyVault", "Install-Module -Name Az -Repository PSGallery -Scope CurrentUser -AllowClobber -Force",
		"Install-Module -Name ExchangeOnlineManagement -RequiredVersion 3.2 | Out-Null", "$null = Import-Module Az",
	} {
		w := newWorld(t, nil)
		if got, err := w.do(t, line+"\n'goes on'"); got != "goes on\n" || err != nil || len(w.runner.asked) > 0 {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	w := newWorld(t, nil)
	if got, err := w.do(t, "Import-Module Az.KeyVault -Verbose"); !strings.HasPrefix(got, "VERBOSE: ") || err != nil {
		t.Errorf("-Verbose: %q, %v", got, err)
	}
	if got, err := w.do(t, "Import-Module"); err == nil || !strings.Contains(got, "needs -Name") {
		t.Errorf("without a name: %q, %v", got, err)
	}
}
