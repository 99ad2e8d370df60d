package workload_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// Each kind of damage is found, names the item, and leaves its neighbour alone.
func TestDamage(t *testing.T) {
	t.Parallel()
	content := wt.Content(200_000) // four segments
	victim := report
	other := report
	other.Item = "other"
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, w *wt.World)
		late   bool // shows only when the damaged part is read
	}{
		{"first byte", func(t *testing.T, w *wt.World) { wt.FlipByte(t, w.BlobPath(t, wt.Contoso, victim), 0) }, false},
		{"header", func(t *testing.T, w *wt.World) { wt.FlipByte(t, w.BlobPath(t, wt.Contoso, victim), 50) }, false},
		{"first segment", func(t *testing.T, w *wt.World) { wt.FlipByte(t, w.BlobPath(t, wt.Contoso, victim), 1000) }, true},
		{"third segment", func(t *testing.T, w *wt.World) { wt.FlipByte(t, w.BlobPath(t, wt.Contoso, victim), 150_000) }, true},
		{"last segment", func(t *testing.T, w *wt.World) { wt.FlipByte(t, w.BlobPath(t, wt.Contoso, victim), 200_100) }, false},
		{"cut off", func(t *testing.T, w *wt.World) { truncate(t, w.BlobPath(t, wt.Contoso, victim), 100_000) }, false},
		{"cut off after a segment", func(t *testing.T, w *wt.World) { truncate(t, w.BlobPath(t, wt.Contoso, victim), 74+65536) }, false},
		{"empty", func(t *testing.T, w *wt.World) { truncate(t, w.BlobPath(t, wt.Contoso, victim), 0) }, false},
		{"missing", func(t *testing.T, w *wt.World) { remove(t, w.BlobPath(t, wt.Contoso, victim)) }, false},
		{"blob of another item", func(t *testing.T, w *wt.World) {
			b := mustRead(t, w.BlobPath(t, wt.Contoso, other))
			mustWrite(t, w.BlobPath(t, wt.Contoso, victim), b)
		}, false},
		{"item key of another row", func(t *testing.T, w *wt.World) {
			change(t, w, victim, func(row *workload.Row) { row.ItemKey = w.Row(t, wt.Contoso, other).ItemKey })
		}, false},
		{"metadata of another row", func(t *testing.T, w *wt.World) {
			change(t, w, victim, func(row *workload.Row) { row.Metadata = w.Row(t, wt.Contoso, other).Metadata })
		}, false},
		{"all of another row", func(t *testing.T, w *wt.World) { // an item shown under another's name
			row := w.Row(t, wt.Contoso, other)
			change(t, w, victim, func(r *workload.Row) {
				r.ItemKey, r.Metadata, r.Version, r.Size, r.KeyVersion = row.ItemKey, row.Metadata, row.Version, row.Size, row.KeyVersion
			})
		}, false},
		{"size", func(t *testing.T, w *wt.World) {
			change(t, w, victim, func(row *workload.Row) { row.Size++ })
		}, false},
		{"version", func(t *testing.T, w *wt.World) {
			change(t, w, victim, func(row *workload.Row) { row.Version = "00000000-0000-4000-8000-000000000000" })
		}, false},
		{"key version", func(t *testing.T, w *wt.World) {
			change(t, w, victim, func(row *workload.Row) { row.KeyVersion = 7 })
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := wt.New(t, nil)
			w.MustPut(t, wt.Alice, victim, content)
			w.MustPut(t, wt.Alice, other, content)
			tt.damage(t, w)

			c, err := w.Items.Open(t.Context(), wt.Alice, victim)
			if tt.late {
				if err != nil {
					t.Fatalf("Open: %v", err)
				}
				_, err = io.ReadAll(c)
				c.Close()
			}
			wantCode(t, "reading", err, fault.Corrupt)
			if f := fault.As(err); !strings.Contains(f.Message, "reports") || f.Hint == "" {
				t.Errorf("the error names no item or has no hint: %q, %q", f.Message, f.Hint)
			}
			wantContent(t, w, wt.Alice, other, content)
		})
	}
}

func TestListShowsDamage(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	w.MustPut(t, wt.Alice, report, []byte("a"))
	other := report
	other.Item = "other"
	w.MustPut(t, wt.Alice, other, []byte("b"))
	change(t, w, report, func(row *workload.Row) { row.Metadata[100] ^= 1 })
	items, err := w.Items.List(t.Context(), wt.Alice, "documents", "reports", "", 0)
	if err != nil || len(items) != 2 || !items[0].Damaged || items[1].Damaged || items[0].Item != report.Item {
		t.Errorf("List = %+v, %v, want the first item damaged and the second not", items, err)
	}
}

// change writes an item's row anew, as someone could who reaches the database.
func change(t *testing.T, w *wt.World, ref workload.Ref, fn func(*workload.Row)) {
	t.Helper()
	row := w.Row(t, wt.Contoso, ref)
	fn(&row)
	if err := w.DB.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `UPDATE items SET item_key = $1, metadata = $2, version = $3, size = $4, key_version = $5
			WHERE tenant_id = $6 AND container_id = $7 AND item_id = $8`,
			row.ItemKey, row.Metadata, row.Version, row.Size, row.KeyVersion, row.Tenant, row.Container, row.Item)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

var errInjected = errors.New("injected")
