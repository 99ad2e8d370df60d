package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/store"
)

// Who is refused because of a row finds that row, also when both came in one commit that others
// still hold open.
func TestRefusedWritersSeeWhy(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, filepath.Join(t.TempDir(), "refused.db"), counters()...)
	errTaken := errors.New("taken")
	const waiting = 50 * time.Millisecond // until a write that was just started stands in the queue
	first, refused, last := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	write := func(result chan error, fn func(ctx context.Context, q store.DBTX) error) {
		go func() { result <- db.Write(t.Context(), fn) }()
		time.Sleep(waiting)
	}
	write(first, func(ctx context.Context, q store.DBTX) error {
		write(refused, func(ctx context.Context, q store.DBTX) error {
			if _, err := get(ctx, q, "x"); err != nil {
				return err
			}
			write(last, func(context.Context, store.DBTX) error {
				time.Sleep(5 * waiting) // the commit waits for this one
				return nil
			})
			return errTaken
		})
		return insert(ctx, q, "x", 1)
	})
	if err := <-refused; !errors.Is(err, errTaken) {
		t.Fatalf("got %v", err)
	}
	err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
		_, err := get(ctx, q, "x")
		return err
	})
	if err != nil {
		t.Errorf("the row that was in the way is not there: %v", err)
	}
	if err := errors.Join(<-first, <-last); err != nil {
		t.Error(err)
	}
}
