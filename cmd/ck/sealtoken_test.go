//go:build pkcs11

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// TestSealedByAToken: a key in a token opens the sealing keys, without flags from the second start
// on; another token, or none, does not, and nothing is changed.
func TestSealedByAToken(t *testing.T) {
	token, other := hsmtest.Config(t), hsmtest.Config(t)
	dir := t.TempDir()
	c := &command{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	first := &holderFlags{kind: "pkcs11", token: holder.TokenSettings{Module: token.Module, Token: token.Label, PIN: token.PINFile}}
	open := func(flags *holderFlags) (datafolder.Report, error) {
		config := datafolder.Config{Path: filepath.Join(dir, "data"), Seals: filepath.Join(dir, "seals"), Holders: c.holders(flags)}
		f, err := c.openFolder(t.Context(), config, flags.wait)
		if err != nil {
			return datafolder.Report{}, err
		}
		defer f.Close()
		if err := f.Renew(t.Context(), "vault"); err != nil {
			t.Error(err)
		}
		return f.Report(), nil
	}
	for _, flags := range []*holderFlags{first, {}} {
		report, err := open(flags)
		if err != nil {
			t.Fatal(err)
		}
		if want := "the key customerkey-seal in the token " + token.Label; report.Holder.String() != want {
			t.Errorf("held by %s, want %s", report.Holder, want)
		}
	}
	before := tree(t, dir)
	_, err := open(&holderFlags{token: holder.TokenSettings{Token: other.Label, PIN: other.PINFile}})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("another token: %v", err)
	}
	back := hsmtest.Remove(t)
	if _, err = open(&holderFlags{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("taken away: %v", err)
	}
	for path, content := range tree(t, dir) {
		if before[path] != content {
			t.Errorf("%s was changed", path)
		}
	}
	time.AfterFunc(time.Second, back)
	if _, err = open(&holderFlags{wait: longWait}); err != nil {
		t.Errorf("waited for: %v", err)
	}
}
