package store_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestListsReadNoOthers: SQLite finds the keys of a page of live or of deleted keys by an index
// that has no others in it, before it looks at versions.
func TestListsReadNoOthers(t *testing.T) {
	t.Parallel()
	texts, err := os.ReadFile("sql/keyvault/queries.sql")
	mustVault(t, err)
	db := storetest.SQLite(t, store.VaultAreas()...)
	for name, index := range map[string]string{"ListLive": "keyvault_keys_live", "ListDeleted": "keyvault_keys_deleted"} {
		text := regexp.MustCompile(`-- name: ` + name + ` :many\n([^;]*);`).FindStringSubmatch(string(texts))
		if text == nil {
			t.Fatalf("there is no text %s", name)
		}
		var first string
		mustVault(t, db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
			var id, parent, unused int64
			return q.QueryRowContext(ctx, "EXPLAIN QUERY PLAN "+text[1], "t", "v", "k", 25).Scan(&id, &parent, &unused, &first)
		}))
		if !strings.Contains(first, "USING INDEX "+index+" (tenant_id=? AND vault=? AND name>?)") {
			t.Errorf("%s begins with %q", name, first)
		}
	}
}
