package script

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
)

func TestOutFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "report.txt")
	w := newWorld(t, nil)
	for _, step := range []struct{ script, message, holds string }{
		{"'one' | Out-File PATH", "", "one\n"},
		{"'two' | Out-File PATH", "is there already", "one\n"},
		{"'two' | Out-File PATH -NoClobber -Force", "is there already", "one\n"},
		{"'two' | Out-File PATH -Append", "", "one\ntwo\n"},
		{"'three' | Out-File PATH -Force -WhatIf", "", "one\ntwo\n"},
		{"'three', $nope | Out-File PATH -Force", "$nope has not been set", "one\ntwo\n"},
		{"'three', @{a=1} | % { $_.a } | Out-File PATH -Force", "has no property", "one\ntwo\n"},
		{"Get-Mailbox | Format-Table Name | Out-File PATH -Force", "", "\nName\n----\nalice\nbob\nCarol\n\n"},
		{"Get-Mailbox | select -First 1 | fl Name | Out-File PATH -Force -Encoding utf8", "", "Name : alice\n\n"},
		{"Get-Mailbox | select Name, Items | Export-Csv PATH -Force -NoTypeInformation", "", "\"Name\",\"Items\"\n\"alice\",\"10\"\n\"bob\",\"20\"\n\"Carol\",\"30\"\n"},
		{"$null | Out-File PATH -Force", "", ""},
		{"1 | Out-File PATH -Force -Confirm", "asks for confirmation", ""},
	} {
		out, err := w.do(t, strings.ReplaceAll(step.script, "PATH", "'"+path+"'"))
		if (err == nil) != (step.message == "") || !strings.Contains(out, step.message) {
			t.Errorf("%s: %v, prints %q", step.script, err, out)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != step.holds {
			t.Errorf("%s: the file holds %q, want %q (%v)", step.script, got, step.holds, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v", left, err)
	}
	if _, err := w.do(t, "1 | Out-File '"+filepath.Join(dir, "no", "such")+"'"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := w.do(t, "1 | Out-File '"+dir+"' -Force"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a folder: %v", err)
	}
	for _, how := range []string{"", " -Force", " -Append"} { // -Force would put a file in the place of the device
		if out, err := w.do(t, "1 | Out-File '"+os.DevNull+"'"+how+" -WhatIf"); !fault.Is(err, fault.Invalid) || !strings.Contains(out, "is no plain file") {
			t.Errorf("a device%s: %v, %q", how, err, out)
		}
	}
}

// cut ends in the middle of what it holds, as a full disk does for who writes.
type cut struct{ io.Reader }

func (b cut) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestNothingIsAddedInPart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := addAll(to, cut{strings.NewReader("half a li")}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the error is %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "before\n" {
		t.Errorf("the file holds %q (%v)", got, err)
	}
}
