//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestShellGoesOn types what is wrong or outside of the language, and takes the server away in the
// middle of a pipeline: each is told in a moment, and the shell is there for the next line.
func TestShellGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := sitDown(t, w, 90)
	s.sees(promptOfAdmin)
	for _, tt := range []struct{ typed, told string }{
		{"Get-Malbox", "did you mean Get-Mailbox, Set-Mailbox?"},
		{"Get-Mailbox -Identiti alice", "did you mean -Identity"},
		{"Get-AzKeyVaultKey -V contoso-east", "-V could mean -VaultName or -Version or -Verbose"},
		{"Update-AzKeyVaultKey contoso-east root1 -Enable perhaps", "-Enable cannot be 'perhaps'"},
		{"foreach ($x in 1,2) { $x }", "foreach loops are outside of what ck takes"},
		{"& ls", "which calls by name"},
		{"Get-Content /etc/passwd", "Get-Content is outside of what ck takes"},
		{strings.Repeat("(", 70), "more than 64 levels of nesting"},
	} {
		s.types(tt.typed + "\r")
		s.sees(tt.told)
		s.sees(promptOfAdmin)
	}

	t.Log("A pipeline of a quarter million requests, whose server goes away.")
	s.types("Get-Mailbox" + strings.Repeat(" | % { Get-Mailbox }", 4) + " | % { Get-MailboxStatistics $_.Name } | % { \"<$($_.Identity)>\" }\r")
	s.sees("@contoso.example>\r\n")
	w.server.kill()
	s.sees("cannot be reached")
	s.sees(promptOfAdmin)
	w.start()
	s.types("\"there are $((Get-Mailbox).Count)\"\r")
	s.sees("there are 8\r\n")
	s.sees(promptOfAdmin)
	s.types("\x04")
	s.leaves()
}
