package store_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// Nodes that start together on an empty database.
func TestPostgresOpenTogether(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			db, err := store.OpenPostgres(t.Context(), dsn, counters()...)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPostgresRefusals(t *testing.T) {
	open := func(dsn string) *fault.Error {
		db, err := store.OpenPostgres(t.Context(), dsn, counters()...)
		if err == nil {
			db.Close()
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("the error shows the password: %v", err)
		}
		return fault.As(err)
	}
	if e := open("postgres://u:hush@host:port/x"); e.Code != fault.Invalid || e.Hint == "" {
		t.Errorf("bad address: %v", e)
	}
	if e := open("postgres://u:hush@127.0.0.1:1/x?sslmode=disable"); e.Code != fault.Unavailable || e.Hint == "" {
		t.Errorf("nobody there: %v", e)
	}
	absent := strings.Replace(storetest.PostgresDSN(t), "dbname=", "dbname=absent_", 1)
	if e := open(absent); e.Code != fault.Unavailable || e.Hint == "" {
		t.Errorf("absent database: %v", e)
	}
}

// Text must sort by bytes, or pages skip rows.
func TestPostgresLocale(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	_, err = admin.ExecContext(t.Context(), `CREATE DATABASE by_language TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`)
	if err != nil {
		t.Skip("this PostgreSQL has no other locale:", err)
	}
	defer admin.Exec(`DROP DATABASE by_language WITH (FORCE)`) //nolint:errcheck // the server goes away, too
	name := dsn[strings.Index(dsn, "dbname="):]
	name, _, _ = strings.Cut(name, " ")
	_, err = store.OpenPostgres(t.Context(), strings.Replace(dsn, name, "dbname=by_language", 1), counters()...)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.As(err).Hint, "LOCALE 'C'") {
		t.Errorf("got %v, want a refusal that says what to do", err)
	}
}

// A connection that breaks in the middle of a write is trouble of the database, and the next
// write has another one.
func TestPostgresConnectionLost(t *testing.T) {
	db := storetest.Postgres(t, counters()...)
	err := db.Write(t.Context(), func(ctx context.Context, q store.DBTX) error {
		if err := insert(ctx, q, "lost", 1); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, `SELECT pg_terminate_backend(pg_backend_pid())`)
		return err
	})
	if e := fault.As(err); e.Code != fault.Unavailable || e.Hint == "" {
		t.Errorf("got %v", err)
	}
	mustWrite(t, db, func(ctx context.Context, q store.DBTX) error { return insert(ctx, q, "kept", 1) })
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}
