//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
)

// TestShellOfAnotherPerson: somebody else signs in at the prompt, with a password that is not shown; Tab
// then knows the names that they may see, and the output is as wide as the terminal is now.
func TestShellOfAnotherPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := sitDown(t, w, 120)
	s.sees(promptOfAdmin)
	s.types("Connect-ExchangeOnline -UserPrincipalName admin@contoso.example\r")
	s.sees("You are signed in as admin@contoso.example")
	s.sees(promptOfAdmin)

	password := samplePassword.FindStringSubmatch(w.server.out.String())[1]
	s.types("Connect-AzAccount -Acc\t")
	s.sees("-AccountId ")
	s.types("keys-east@contoso.example\r")
	s.sees("Password of keys-east@contoso.example: ")
	s.types(password + "\r")
	s.sees("You are signed in as keys-east@contoso.example")
	const prompt = "ck keys-east@contoso.example> "
	s.sees(prompt)
	s.types("Get-AzKeyVaultKey -VaultName con")
	s.completes("contoso-east ")
	if err := pty.Setsize(s.pty, &pty.Winsize{Rows: 40, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	s.types("| Format-Table Name, Enabled, Created, Updated, Id\r")
	s.sees("\x1b[?2004l") // the line is read, and it runs
	table := s.sees(prompt)
	if !strings.Contains(table, "root1") {
		t.Errorf("the keys are %q", table)
	}
	for line := range strings.Lines(table) {
		if shown := strings.TrimRight(line, "\r\n"); utf8.RuneCountInString(shown) > 60 && !strings.Contains(shown, "\x1b") {
			t.Errorf("%d cells on a terminal of 60: %q", utf8.RuneCountInString(shown), shown)
		}
	}

	t.Log("A disconnect is asked about, and ends the commands of its connection alone.")
	s.types("Disconnect-AzAccount\r")
	s.sees("(default is N")
	s.types("y\r")
	s.sees(prompt)
	s.types("Get-AzKeyVault\r")
	s.sees("connect again with: Connect-AzAccount")
	s.sees(prompt)
	s.types("exit\r")
	s.leaves()

	kept, err := os.ReadFile(filepath.Join(w.dir, "config", "customerkey", "profile.history"))
	if err != nil || strings.Contains(string(kept), password) || !strings.Contains(string(kept), "Disconnect-AzAccount") {
		t.Errorf("the history holds %q, %v", kept, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Contains(s.seen, password) {
		t.Error("the terminal has shown the password")
	}
}
