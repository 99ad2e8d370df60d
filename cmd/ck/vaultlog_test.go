package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdRecords reads all files of records below a folder, each of which must be one JSON object,
// and wants a record of an operation, with a status, among them.
func cmdRecords(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: records DIR OPERATION STATUS")
	}
	found := false
	ts.Check(fs.WalkDir(os.DirFS(ts.MkAbs(args[0])), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "PT1H.json" {
			return err
		}
		text, err := os.ReadFile(ts.MkAbs(args[0] + "/" + name))
		if err != nil {
			return err
		}
		var file struct {
			Records []struct {
				OperationName string
				Properties    struct{ HTTPStatusCode int }
			}
		}
		if err := json.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range file.Records {
			found = found || r.OperationName == args[1] && fmt.Sprint(r.Properties.HTTPStatusCode) == args[2]
		}
		return nil
	}))
	if found == neg {
		ts.Fatalf("record of %s %s: %v", args[1], args[2], found)
	}
}
