package store_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// before returns the areas with those of the key vault's migrations that come before one.
func before(t *testing.T, first string) []store.Area {
	t.Helper()
	areas := store.VaultAreas()
	for i, a := range areas {
		if a.Name != "keyvault" {
			continue
		}
		old := fstest.MapFS{}
		all, err := fs.ReadDir(a.Migrations, ".")
		mustVault(t, err)
		for _, f := range all {
			if f.Name() < first {
				text, err := fs.ReadFile(a.Migrations, f.Name())
				mustVault(t, err)
				old[f.Name()] = &fstest.MapFile{Data: text}
			}
		}
		areas[i].Migrations = old
	}
	return areas
}

// TestProtectedStaysProtected: a subscription that an earlier release had marked is so by its
// registrations now, and its vault is there as it was.
func TestProtectedStaysProtected(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	t.Run("sqlite", func(t *testing.T) {
		protectedStays(t, func(areas ...store.Area) (*store.DB, error) { return store.OpenSQLite(t.Context(), path, areas...) })
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := storetest.PostgresDSN(t)
		protectedStays(t, func(areas ...store.Area) (*store.DB, error) { return store.OpenPostgres(t.Context(), dsn, areas...) })
	})
}

func protectedStays(t *testing.T, open func(areas ...store.Area) (*store.DB, error)) {
	old, err := open(before(t, "0003")...)
	mustVault(t, err)
	mustVault(t, old.Write(t.Context(), func(ctx context.Context, tx store.DBTX) error {
		for _, text := range []string{
			`INSERT INTO keyvault_subscriptions (tenant_id, id, display_name, owner_id, protected, created) VALUES ('t', 's', 'S', 'o', TRUE, 7)`,
			`INSERT INTO keyvault_subscriptions (tenant_id, id, display_name, owner_id, protected, created) VALUES ('t', 'r', 'R', 'o', FALSE, 7)`,
			`INSERT INTO keyvault_names (name, tenant_id) VALUES ('v', 't')`,
			`INSERT INTO keyvault_vaults (tenant_id, name, display, subscription_id, group_name, location, sku, retention_days, purge_protection, tags, created, updated, revision)
			VALUES ('t', 'v', 'V', 's', 'g', 'eastus', 'standard', 90, FALSE, '{}', 7, 7, 1)`,
		} {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}))
	mustVault(t, old.Close())
	db, err := open(store.VaultAreas()...)
	mustVault(t, err)
	defer db.Close()
	k := store.NewKeyVault(db)
	for id, want := range map[string]bool{"s": true, "r": false} {
		sub, err := k.Subscription(t.Context(), "t", id)
		if err != nil || sub.Protected() != want || sub.State != keyvault.Enabled || sub.Provider.State != keyvault.Registered {
			t.Errorf("%s: %+v, %v", id, sub, err)
		}
	}
	if v, err := k.Vault(t.Context(), "v"); err != nil || !v.Protected || v.IsDeleted() || v.Suspended {
		t.Errorf("vault: %+v, %v", v, err)
	}
}
