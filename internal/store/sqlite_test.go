package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// writeForEver is the child of TestKill: it inserts row after row, four at a time, and says
// each name once its write has returned.
func writeForEver(path string) {
	db, err := store.OpenSQLite(context.Background(), path, counters()...)
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := int64(0); ; n++ {
				name := fmt.Sprintf("%d-%p-%d", os.Getpid(), &n, n)
				err := db.Write(context.Background(), func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, name, n) })
				if err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(name)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// Killed at any moment: every write that returned is there.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kill.db")
	var acknowledged []string
	for round := range 4 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "CK_TEST_CHILD=kill", "CK_TEST_PATH="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := sync.OnceFunc(func() { // soon: a busy machine may take long until it writes at all
			time.AfterFunc(time.Duration(50+17*round)*time.Millisecond, func() { child.Process.Kill() })
		})
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				break // also a line cut off by the kill
			}
			kill()
			acknowledged = append(acknowledged, strings.TrimSpace(line))
		}
		child.Wait() //nolint:errcheck // it was killed
	}
	if len(acknowledged) == 0 {
		t.Fatal("the child wrote nothing")
	}
	db := mustOpen(t, path, counters()...)
	err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) error {
		for _, name := range acknowledged {
			if _, err := get(ctx, q, name); err != nil {
				return fmt.Errorf("%s of %d: %w", name, len(acknowledged), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func mustOpen(t testing.TB, path string, areas ...store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(t.Context(), path, areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// More writes wait than one commit takes: none is forgotten.
func TestManyWait(t *testing.T) {
	db := storetest.SQLite(t, counters()...)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	const writers = 1000
	started, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.Write(ctx, func(context.Context, store.DBTX) error { close(started); <-release; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	for i := range writers {
		wg.Go(func() {
			err := db.Write(ctx, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, fmt.Sprint(i), 1) })
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // until most of them wait
	close(release)
	wg.Wait()
	if n := count(t, db); n != writers {
		t.Errorf("%d rows, want %d", n, writers)
	}
}

// A path may hold what has a meaning in the driver's addresses.
func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41&_pragma=x.db")
	db := mustOpen(t, path, counters()...)
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "a", 1) })
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
}

// Both kinds of connection have the settings that the promises rest on.
func TestSettings(t *testing.T) {
	db := storetest.SQLite(t, counters()...)
	settings := func(ctx context.Context, q store.DBTX) (string, error) {
		var got []string
		for _, name := range []string{"journal_mode", "synchronous", "foreign_keys", "query_only"} {
			var value string
			if err := q.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value); err != nil {
				return "", err
			}
			got = append(got, value)
		}
		return strings.Join(got, " "), nil
	}
	var writer, reader string
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) (err error) { writer, err = settings(ctx, q); return err })
	if err := db.Read(t.Context(), func(ctx context.Context, q store.DBTX) (err error) { reader, err = settings(ctx, q); return err }); err != nil {
		t.Fatal(err)
	}
	if writer != "wal 2 1 0" || reader != "wal 2 1 1" {
		t.Errorf("writer %q, reader %q", writer, reader)
	}
}

// The file cannot grow while many write: whoever is told that the write is durable finds the
// row, whoever is told otherwise does not, and the database goes on when there is room again.
func TestFullDisk(t *testing.T) {
	db := storetest.SQLite(t, counters()...)
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `PRAGMA max_page_count = 60`)
		return err
	})
	var saved, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
				_, err := q.ExecContext(ctx, `INSERT INTO counters (name, n, data) VALUES ($1, 1, $2)`, fmt.Sprint(i), make([]byte, 10_000))
				return err
			})
			if err == nil {
				saved.Add(1)
				return
			}
			refused.Add(1)
			if e := fault.As(err); e.Code != fault.Unavailable || e.Message != "the disk is full" || e.Hint == "" {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db); int64(n) != saved.Load() || refused.Load() == 0 || saved.Load() == 0 {
		t.Errorf("%d rows, %d saved, %d refused", n, saved.Load(), refused.Load())
	}
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
		_, err := q.ExecContext(ctx, `PRAGMA max_page_count = 10000`)
		return err
	})
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "room again", 1) })
}

func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	damaged := filepath.Join(dir, "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		damaged:                              "the database file is damaged",
		filepath.Join(dir, "absent", "x.db"): "the database file cannot be opened",
		dir:                                  "the database file cannot be opened",
	} {
		db, err := store.OpenSQLite(t.Context(), path, counters()...)
		if err == nil {
			db.Close()
		}
		if e := fault.As(err); e.Code != fault.Unavailable || e.Message != want || e.Hint == "" {
			t.Errorf("%s: got %v, want %q and a hint", path, err, want)
		}
	}
}

// An area grows by files; a database that a newer program has been at is refused.
func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	older, newer := counters(), counters()
	newer[0].Migrations.(fstest.MapFS)["0002_more.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
ALTER TABLE counters ADD COLUMN more BIGINT NOT NULL DEFAULT 7;
`)}
	db := mustOpen(t, path, older...)
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "a", 1) })
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = mustOpen(t, path, newer...)
	var more int
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, `SELECT more FROM counters WHERE name = 'a'`).Scan(&more)
	})
	if more != 7 {
		t.Errorf("more = %d, want 7", more)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := store.OpenSQLite(t.Context(), path, older...)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestAreasOpen(t *testing.T) {
	for name, areas := range map[string]func() []store.Area{
		"service": store.ServiceAreas, "vault": store.VaultAreas, "availability": store.AvailabilityAreas,
	} {
		if len(areas()) == 0 {
			t.Errorf("%s: no areas", name)
		}
		t.Run(name, func(t *testing.T) { storetest.Each(t, areas, func(*testing.T, *store.DB) {}) })
	}
}

// Commits per second of one writer, and of 64 that share commits.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := storetest.SQLite(b, counters()...)
			work := make(chan int64)
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for n := range work {
						err := db.Write(b.Context(), func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, fmt.Sprint(n), n) })
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := int64(0)
			for b.Loop() {
				work <- n
				n++
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}
