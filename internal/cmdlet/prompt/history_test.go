package prompt

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

func mustOpen(t *testing.T, path string) *History {
	t.Helper()
	h, err := OpenHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistoryIsKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "profile.history")
	if err := mustOpen(t, path).Keep("first", "second", "second", "", "a\x1b[2Jb", strings.Repeat("x", longestLine+1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	h := mustOpen(t, path)
	if h.Len() != 2 || h.At(0) != "second" || h.At(1) != "first" {
		t.Errorf("it gives back %q", h.lines)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("others can read it: %v, %v", info.Mode(), err)
	}
}

// A file that has grown, or that somebody else has filled, costs no more than the lines at its end.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "profile.history")
	var text strings.Builder
	for n := range 30_000 {
		text.WriteString("Get-Mailbox -Identity person" + strconv.Itoa(n) + " | Format-List\n")
	}
	text.WriteString(strings.Repeat("z", 3*longestLine) + "\nthe end\n")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if h := mustOpen(t, path); h.Len() != mostLines || h.At(0) != "the end" || !strings.Contains(h.At(1), "person29999") {
		t.Errorf("%d lines, the last %q", h.Len(), h.At(0))
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > largestFile {
		t.Errorf("the file has %d bytes still: %v", info.Size(), err)
	}
}

func TestHistoryIsAPlainFile(t *testing.T) {
	t.Parallel()
	if _, err := OpenHistory(t.TempDir()); err == nil {
		t.Error("a folder was taken for a history")
	}
}

func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	table := rows.Table()
	for text, want := range map[string]bool{
		"Get-Mailbox | Format-List":                                              false,
		"Get-AzKeyVaultKey contoso-east root1":                                   false,
		"Add-AzKeyVaultKey contoso-east k -KeyFilePassword x":                    true,
		"Add-AzKeyVaultKey contoso-east k -keyfilep x":                           true,
		"Add-AzKeyVaultKey contoso-east k –KeyFileP:x":                           true,
		"Add-AzKeyVaultKey contoso-east k -KeyFilePath k.pem":                    false,
		"New-CKAlertSubscription pager https://alerts.example/?code=1":           true,
		"Connect-ExchangeOnline -AppId a -CertificateFilePath b -Certificatepas": true,
		"$myPASSWORD = 'x'":                 true,
		"'never closed, with the api TOKEN": true,
	} {
		if got := holdsSecret(table, text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
