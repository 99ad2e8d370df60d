package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// On a view somebody finds his own writes on top of what is there; nobody else finds any, and a
// write that fails is none.
func TestUndone(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		write := func(db *store.DB, name string, n int64) error {
			return db.Write(ctx, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, name, n) })
		}
		sees := func(what string, db *store.DB, want int) {
			t.Helper()
			if got := count(t, db); got != want {
				t.Errorf("%s: %d rows, want %d", what, got, want)
			}
		}
		mustDo(t, write(db, "there", 1))
		view := db.Undone()
		sees("a view as it begins", view, 1)
		mustDo(t, write(view, "one", 1))
		mustDo(t, write(view, "two", 2))
		sees("the view", view, 3)
		sees("the database", db, 1)
		sees("another view", db.Undone(), 1)
		if err := write(view, "one", 3); !store.IsUnique(err) {
			t.Errorf("a name twice on a view: %v", err)
		}
		own := errors.New("my own")
		if err := view.Write(ctx, func(context.Context, store.DBTX) error { return own }); !errors.Is(err, own) {
			t.Errorf("a function that fails: %v", err)
		}
		sees("the view, after what failed", view, 3)
		mustDo(t, write(db, "later", 1))
		sees("the view, after others", view, 4)
		mustDo(t, write(db, "two", 5)) // now the view's own change would be refused
		err := view.Read(ctx, func(context.Context, store.DBTX) error { return nil })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("a view that cannot be any more: %v", err)
		}
		sees("the database", db, 3)
		mustDo(t, view.Close())
		sees("the database, once a view is closed", db, 3)
	})
}
