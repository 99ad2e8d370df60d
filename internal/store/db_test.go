package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// children are what the test binary does instead of testing when a test starts it again.
var children = map[string]func(path string){"kill": writeForEver}

func TestMain(m *testing.M) {
	if run := children[os.Getenv("CK_TEST_CHILD")]; run != nil {
		run(os.Getenv("CK_TEST_PATH"))
	}
	storetest.Main(m)
}

// counters is an area of one table for the tests of the handle itself.
func counters() []store.Area {
	return []store.Area{{Name: "counters", Migrations: fstest.MapFS{"0001_first.sql": {Data: []byte(`-- +goose Up
CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, data BYTEA NOT NULL);
`)}}}}
}

func insert(ctx context.Context, q store.DBTX, name string, n int64) error {
	_, err := q.ExecContext(ctx, `INSERT INTO counters (name, n, data) VALUES ($1, $2, $3)`, name, n, []byte{})
	return err
}

func get(ctx context.Context, q store.DBTX, name string) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT n FROM counters WHERE name = $1`, name).Scan(&n)
	return n, err
}

func count(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM counters`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Read, add one, write back: a lost update would show in the sum.
func TestConcurrentWriters(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		const writers, each = 8, 10
		mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "sum", 0) })
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
						n, err := get(ctx, q, "sum")
						if err != nil {
							return err
						}
						if err := insert(ctx, q, fmt.Sprintf("w%d-%d", w, i), n); err != nil {
							return err
						}
						_, err = q.ExecContext(ctx, `UPDATE counters SET n = $1 WHERE name = 'sum'`, n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var sum int64
		err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) (err error) {
			sum, err = get(ctx, q, "sum")
			return err
		})
		if err != nil || sum != writers*each || count(t, db) != writers*each+1 {
			t.Errorf("sum = %d, rows = %d, %v; want %d and one more row", sum, count(t, db), err, writers*each)
		}
	})
}

// Two writes that each look at both rows and then change a different one: run one after the
// other, the second sees the first. Snapshots alone would let both through.
func TestNoWriteSkew(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		for range 3 {
			mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, `INSERT INTO counters (name, n, data) VALUES ('a', 1, $1), ('b', 1, $1)
					ON CONFLICT (name) DO UPDATE SET n = 1`, []byte{})
				return err
			})
			var wg sync.WaitGroup
			var looked atomic.Int64
			for _, own := range []string{"a", "b"} {
				wg.Go(func() { mustTakeOneOf(t, db, own, &looked) })
			}
			wg.Wait()
			var left int64
			err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
				return q.QueryRowContext(ctx, `SELECT CAST(SUM(n) AS BIGINT) FROM counters`).Scan(&left)
			})
			if err != nil || left != 1 {
				t.Fatalf("%d left, %v; want 1", left, err)
			}
		}
	})
}

// mustTakeOneOf sets own to 0 if both are 1. Between looking and setting it gives the other
// one time to look; on SQLite that one cannot.
func mustTakeOneOf(t *testing.T, db *store.DB, own string, looked *atomic.Int64) {
	err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		a, err := get(ctx, q, "a")
		if err != nil {
			return err
		}
		b, err := get(ctx, q, "b")
		if err != nil || a+b < 2 {
			return err
		}
		looked.Add(1)
		for start := time.Now(); looked.Load() < 2 && time.Since(start) < 30*time.Millisecond; {
			time.Sleep(time.Millisecond)
		}
		_, err = q.ExecContext(ctx, `UPDATE counters SET n = 0 WHERE name = $1`, own)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func mustWrite(t testing.TB, db *store.DB, fn func(ctx context.Context, q store.DBTX) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// Writes that fail in any way, mixed with writes that succeed: each undoes its own rows only.
func TestFailuresStayAlone(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		errOwn := errors.New("own")
		var wg sync.WaitGroup
		write := func(name string, then func() error) (err error) {
			return db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
				if err := insert(ctx, q, name, 1); err != nil {
					return err
				}
				return then()
			})
		}
		for i := range 20 {
			name := fmt.Sprintf("%02d", i)
			wg.Go(func() {
				if err := write("good"+name, func() error { return nil }); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := write("error"+name, func() error { return errOwn }); !errors.Is(err, errOwn) {
					t.Errorf("got %v, want the function's own error", err)
				}
			})
			wg.Go(func() {
				defer func() {
					if v := recover(); v != "mine" {
						t.Errorf("recovered %v, want the function's own panic", v)
					}
				}()
				write("panic"+name, func() error { panic("mine") }) //nolint:errcheck // it panics
			})
			wg.Go(func() {
				write("exit"+name, func() error { runtime.Goexit(); return nil }) //nolint:errcheck // it does not return
			})
		}
		wg.Wait()
		if n := count(t, db); n != 20 {
			t.Errorf("%d rows, want the 20 good ones", n)
		}
	})
}

// A statement that failed dooms its write on both engines, even if the function hides it.
func TestFailedStatementDooms(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "a", 1) })
		var second error
		err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
			if err := insert(ctx, q, "b", 1); err != nil {
				return err
			}
			second = insert(ctx, q, "a", 2)
			return nil
		})
		if !store.IsUnique(second) {
			t.Errorf("second insert: %v, want a unique violation", second)
		}
		if err == nil || count(t, db) != 1 {
			t.Errorf("err = %v with %d rows; want an error and the first row only", err, count(t, db))
		}
	})
}

func TestSessionEndsWithItsFunction(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		var kept store.DBTX
		mustWrite(t, db, func(_ context.Context, q store.DBTX) error { kept = q; return nil })
		if err := insert(t.Context(), kept, "late", 1); err == nil {
			t.Error("a statement ran after its transaction")
		}
		if _, err := get(t.Context(), kept, "late"); err == nil {
			t.Error("a query ran after its transaction")
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
	})
}

func TestRefusals(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		t.Run("nested", func(t *testing.T) {
			err := db.Write(t.Context(), func(ctx context.Context, _ store.DBTX) error {
				return db.Write(ctx, func(context.Context, store.DBTX) error { return nil })
			})
			if !fault.Is(err, fault.Internal) {
				t.Errorf("got %v, want a refusal", err)
			}
		})
		t.Run("write inside read", func(t *testing.T) {
			err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "x", 1) })
			if err == nil || count(t, db) != 0 {
				t.Errorf("err = %v with %d rows, want an error and none", err, count(t, db))
			}
		})
		t.Run("cancelled before", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := db.Write(ctx, func(context.Context, store.DBTX) error { t.Error("ran"); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		})
		t.Run("cancelled while waiting", func(t *testing.T) { cancelledWhileWaiting(t, db) })
		t.Run("closed", func(t *testing.T) {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			err := db.Write(t.Context(), func(context.Context, store.DBTX) error { t.Error("ran"); return nil })
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v, want Unavailable", err)
			}
		})
	})
}

// One write holds the others up; of those that wait, some give up. They must not run, and must
// not keep the rest from running.
func cancelledWhileWaiting(t *testing.T, db *store.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	started, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var once sync.Once
		err := db.Write(t.Context(), func(context.Context, store.DBTX) error {
			once.Do(func() { close(started) })
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	for range 40 {
		wg.Go(func() {
			err := db.Write(ctx, func(ctx context.Context, _ store.DBTX) error { <-ctx.Done(); return ctx.Err() })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		})
	}
	cancel()
	close(release)
	wg.Wait()
	mustWrite(t, db, func(context.Context, store.DBTX) error { return nil })
}

// Bytes come back as bytes, also those that look like a number or are empty.
func TestBytes(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		for _, want := range []string{"", "12", "1e5", "\x00\xff", "plain"} {
			var got []byte
			mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, `INSERT INTO counters (name, n, data) VALUES ('bytes', 1, $1)
					ON CONFLICT (name) DO UPDATE SET data = excluded.data`, []byte(want))
				if err != nil {
					return err
				}
				return q.QueryRowContext(ctx, `SELECT data FROM counters WHERE name = 'bytes'`).Scan(&got)
			})
			if string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// Two reads in one Read see one state, whatever is written between them.
func TestReadIsConsistent(t *testing.T) {
	storetest.Each(t, counters, func(t *testing.T, db *store.DB) {
		mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "a", 1) })
		err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
			before, err := get(ctx, q, "a")
			if err != nil {
				return err
			}
			mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, `UPDATE counters SET n = n + 1`)
				return err
			})
			after, err := get(ctx, q, "a")
			if before != after {
				t.Errorf("read %d, then %d", before, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
