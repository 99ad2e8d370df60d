//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A seat is somebody at a terminal, at which ck shell runs.
type seat struct {
	t    *testing.T
	pty  *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex
	seen string // all that the terminal has shown
	from int    // where the next expect looks
	gone bool   // the terminal has ended
}

// sitDown starts ck shell on a terminal of that many columns.
func sitDown(t *testing.T, w *world, columns int) *seat {
	t.Helper()
	s := &seat{t: t, cmd: exec.Command(w.ck, "shell")}
	s.cmd.Dir, s.cmd.Env = w.dir, append(w.env, "TERM=xterm")
	var err error
	if s.pty, err = pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 40, Cols: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	go s.watch()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.pty.Close()
	})
	return s
}

func (s *seat) watch() {
	chunk := make([]byte, 4096)
	for {
		n, err := s.pty.Read(chunk)
		s.mu.Lock()
		s.seen += string(chunk[:n])
		s.gone = err != nil
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// types presses keys.
func (s *seat) types(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// sees waits until the terminal shows text, behind what was seen before, and returns what it has shown on
// the way.
func (s *seat) sees(text string) string {
	s.t.Helper()
	return s.seesWhile(text, func() {})
}

// completes presses Tab until the terminal shows text: the answer to the first one may come late.
func (s *seat) completes(text string) {
	s.t.Helper()
	next := time.Time{}
	s.seesWhile(text, func() {
		if time.Now().After(next) {
			next = time.Now().Add(3 * time.Second)
			s.types("\t")
		}
	})
}

func (s *seat) seesWhile(text string, waiting func()) string {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		rest, gone := s.seen[s.from:], s.gone
		at := strings.Index(rest, text)
		if at >= 0 {
			s.from += at + len(text)
		}
		s.mu.Unlock()
		switch {
		case at >= 0:
			return rest[:at]
		case gone || time.Now().After(deadline):
			s.t.Fatalf("the terminal never showed %q, but %q", text, rest)
		}
		waiting()
	}
}

// leaves waits until the shell has ended well.
func (s *seat) leaves() {
	s.t.Helper()
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the shell ended with %v", err)
	}
}

const (
	promptOfAdmin = "ck admin@contoso.example> "
	patience      = longWait
)

// TestShell is one person's morning at a terminal, with a real server behind it.
func TestShell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := sitDown(t, w, 90)
	s.sees(promptOfAdmin)

	t.Log("Tab writes a command's name, a parameter, and a name that only the service knows.")
	s.types("get-m365\t")
	s.sees("Get-M365DataAtRestEncryptionPolicy")
	s.types(" -id\t")
	s.sees("-Identity ")
	s.types("con")
	s.completes("Contoso_Global ")
	s.types("| fl Na\t")
	s.sees("Name ")
	s.types("\r")
	s.sees("Name : Contoso_Global")
	s.sees(promptOfAdmin)

	t.Log("Tab lists what there is to choose from, also of keys in the vault that was named.")
	s.types("Get-AzKeyVault\t")
	s.sees("Get-AzKeyVaultKey")
	s.types("Key contoso-e")
	s.completes("contoso-east ")
	s.types("ro")
	s.completes("root1 ")
	s.types("| Format-Table Name\r")
	s.sees("root1")
	s.sees(promptOfAdmin)

	t.Log("Variables live on, and their properties are completed.")
	s.types("$policy = Get-M365DataAtRestEncryptionPolicy Contoso_Global\r")
	s.sees(promptOfAdmin)
	s.types("$pol\t.Nam\t\r")
	s.sees("Contoso_Global\r\n")
	s.sees(promptOfAdmin)

	t.Log("A command goes on in the next line; Ctrl-C leaves it where it is.")
	s.types("'a','b' |\r")
	s.sees(">> ")
	s.types("ForEach-Object { \"<$_>\" }\r")
	s.sees("<a>\r\n<b>\r\n")
	s.sees(promptOfAdmin)
	s.types("'never\r")
	s.sees(">> ")
	s.types("shown\x03")
	s.sees("^C")
	s.sees(promptOfAdmin)

	t.Log("The arrow goes back to what was typed before.")
	s.types("\x1b[A\x1b[A\x1b[A\r")
	s.sees("Contoso_Global\r\n")
	s.sees(promptOfAdmin)

	t.Log("Mistakes are shown where they are, and help is at hand.")
	s.types("Get-Date )\r")
	s.sees("Get-Date )\r\n")
	s.sees("^\r\n")
	s.sees(promptOfAdmin)
	s.types("Get-CKOfficer -?\r")
	s.sees("More: Get-Help Get-CKOfficer -Full")
	s.sees(promptOfAdmin)
	s.types("cls\r")
	s.sees("\x1b[2J")
	s.sees(promptOfAdmin)

	t.Log("What is missing is asked for.")
	s.types("New-M365DataAtRestEncryptionPolicy -Description x -WhatIf\r")
	s.sees("hName: ")
	s.types("\x03")
	s.sees("stopped")
	s.sees(promptOfAdmin)
	s.types("Get-AzKeyVaultKey | Format-List VaultName\r")
	s.sees("hVaultName: ")
	s.types("contoso-west\r")
	s.sees("VaultName : contoso-west")
	s.sees(promptOfAdmin)

	t.Log("A change that matters is asked about; a pasted line is no answer.")
	s.types("Update-AzKeyVaultKey contoso-east root1 -Tag @{a='b'} -Confirm\r")
	s.sees("(default is N): ")
	s.types("\x1b[200~y\r\x1b[201~")
	s.sees("has to be typed")
	s.types("n\r")
	s.sees("changed nothing")
	s.sees(promptOfAdmin)

	t.Log("Ctrl-C ends a pipeline and not the shell.")
	s.types("$n = @(" + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + ")\r")
	s.sees(promptOfAdmin)
	s.types("$n | % { $n | % { Get-AzKeyVaultKey contoso-east root1 } } | Format-List Name\r")
	s.sees("Name : root1")
	s.types("\x03")
	s.sees("stopped")
	s.sees(promptOfAdmin)
	s.types("$n.Count\r")
	s.sees("100\r\n")
	s.sees(promptOfAdmin)

	t.Log("What may be a secret is not kept.")
	s.types(" 'begins with a space'\r")
	s.sees(promptOfAdmin)
	s.types("'my password is hunter2'\r")
	s.sees(promptOfAdmin)
	s.types("\x04")
	s.leaves()
	checkHistory(t, filepath.Join(w.dir, "config", "customerkey", "profile.history"))
}

func checkHistory(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the history is %v", info.Mode())
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(kept), "Get-CKOfficer -?\n") {
		t.Errorf("the history holds %q", kept)
	}
	for _, never := range []string{"hunter2", "begins with a space", "never"} {
		if strings.Contains(string(kept), never) {
			t.Errorf("the history holds %q:\n%s", never, kept)
		}
	}
}
