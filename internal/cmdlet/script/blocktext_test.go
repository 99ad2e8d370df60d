package script

import (
	"slices"
	"testing"
)

// TestBlockText gives blocks where their text is wanted: a filter of Exchange, and the name
// of a column.
func TestBlockText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.do(t, `Get-Mailbox -Filter {DataEncryptionPolicy -eq $null -and Name -like "a*"}`); err != nil {
		t.Fatal(err)
	}
	if want := []string{`Get-Mailbox -Filter:DataEncryptionPolicy -eq $null -and Name -like 'a*'`}; !slices.Equal(w.runner.asked, want) {
		t.Errorf("asked %q, want %q", w.runner.asked, want)
	}
	yields(t, "Get-Mailbox alice | select { $_.Name } | ConvertTo-Json -Compress", `{"$_.Name":"alice"}`+"\n")
	fails(t, "Set-Mailbox -Identity { alice } -DataEncryptionPolicy x", "-Identity has a value of the wrong type")
}
