package store_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestAuditAddsManyEntries: whatever their number, entries of one commit are all there, each
// under its index; one whose index is taken leaves none of its commit.
func TestAuditAddsManyEntries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, store.VaultAreas, func(t *testing.T, db *store.DB) {
		logs := store.NewAudit(db)
		add := func(first int64, rows []audit.Row) error {
			return logs.Append(t.Context(), func(ctx context.Context, tx audit.Tx) error { return tx.Add(ctx, "t", first, rows) })
		}
		var want []audit.Leaf
		for _, n := range []int{0, 1, 2, 3, 63, 64, 65, 200} {
			first, rows := int64(len(want)), make([]audit.Row, n)
			for i := range rows {
				index := first + int64(i)
				rows[i] = audit.Row{Leaf: []byte{'l', byte(index), byte(index >> 8)}, Hashes: []byte{'h', byte(index), byte(index >> 8)}}
				want = append(want, audit.Leaf{Index: index, Bytes: rows[i].Leaf})
			}
			if err := add(first, rows); err != nil {
				t.Fatalf("%d entries: %v", n, err)
			}
		}
		taken := []audit.Row{{Leaf: []byte("new"), Hashes: []byte("h")}, {Leaf: []byte("another"), Hashes: []byte("h")}}
		if err := add(int64(len(want))-1, taken); !fault.Is(err, fault.Corrupt) {
			t.Errorf("an index that is taken: %v", err)
		}
		got, err := logs.Leaves(t.Context(), "t", -1, len(want)+1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		hashes, err := logs.Hashes(t.Context(), "t", []int64{0, 5, 300})
		if diff := cmp.Diff([][]byte{{'h', 0, 0}, {'h', 5, 0}, {'h', 300 & 255, 300 >> 8}}, hashes); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}
