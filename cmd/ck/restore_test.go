package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdRestore puts files back as an operator does from a backup: what is there of a database goes
// with its log, and what the backup does not have is removed.
func cmdRestore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: restore DATA BACKUP [FILE ...]")
	}
	data, backup := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	if len(args) == 2 {
		ts.Check(os.RemoveAll(data))
		ts.Check(os.CopyFS(data, os.DirFS(backup)))
		return
	}
	for _, name := range args[2:] {
		for _, end := range []string{"", "-wal", "-shm"} {
			ts.Check(os.RemoveAll(filepath.Join(data, name+end)))
			ts.Check(restoreOne(filepath.Join(data, name+end), filepath.Join(backup, name+end)))
		}
	}
}

func restoreOne(to, from string) error {
	info, err := os.Stat(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, raw, fs.FileMode(0o600))
}
