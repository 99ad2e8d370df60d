//go:build pkcs11

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/store"
)

// TestVaultCrashToken is TestVaultCrash with every key in a token: each one that was promised
// works after each crash, and the vault knows of every object in the token that no key owns.
func TestVaultCrashToken(t *testing.T) {
	c := hsmtest.Config(t)
	server := newPlayground(t, "-hsm-module", c.Module, "-hsm-token", c.Label, "-hsm-pin-file", c.PINFile)
	players := crashVault(t, server, func() { hsmtest.Repair(t) })
	versions := 0
	for _, p := range players {
		for _, k := range p.keys {
			versions += len(k.versions)
		}
	}
	server.server.kill()
	hsmtest.Repair(t)
	destroyLoose(t, filepath.Join(server.dir, "data", "vault.db"), c)
	if got := hsmtest.Halves(t, c); got != 2*versions {
		t.Errorf("the token holds %d halves of key pairs, of %d versions", got, versions)
	}
}

// destroyLoose destroys what the database says no version owns, as if its time had come.
func destroyLoose(t *testing.T, path string, c hsm.Config) {
	t.Helper()
	db, err := store.OpenSQLite(t.Context(), path, store.VaultAreas()...)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	kept := store.NewKeyVault(db)
	token, err := hsm.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { token.Close() })
	p, err := protect.NewToken(protect.TokenConfig{Token: token, Label: c.Label, Reserve: keyvault.Reserve(kept, "none", time.Now)})
	if err != nil {
		t.Fatal(err)
	}
	loose, err := kept.Loose(t.Context(), time.Now().Add(time.Hour), keyvault.Loose{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range loose {
		if err := p.Destroy(t.Context(), l.ID, l.Handle); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d key pairs were loose", len(loose))
}
