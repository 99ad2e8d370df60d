// Package storetest runs a test on every engine that package store supports: on SQLite always,
// and on a private PostgreSQL server where its programs are found.
//
// A package that uses it hands its TestMain over:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
//	func TestThings(t *testing.T) {
//		storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) { ... })
//	}
//
// PostgreSQL's programs are looked for in /usr/lib/postgresql/*/bin and in PATH. Where they are
// missing the subtest is skipped, or fails if CK_REQUIRE_POSTGRES=1.
package storetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/customerkey/customerkey/internal/store"
)

// Main runs the tests, stops the PostgreSQL server if one was started, and exits.
func Main(m *testing.M) {
	server.ready = true
	code := m.Run()
	server.stop()
	os.Exit(code)
}

// Each runs fn as subtests "sqlite" and "postgres", each with a fresh, migrated database that
// is closed afterwards. areas is store.ServiceAreas or one of its sisters.
func Each(t *testing.T, areas func() []store.Area, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t, areas()...)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t, areas()...)) })
}

// SQLite returns a fresh database in a folder of the test.
func SQLite(t testing.TB, areas ...store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(t.Context(), Seed(t, filepath.Join(t.TempDir(), "test.db"), areas...), areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, db) })
	return db
}

// Postgres returns a fresh database on the private server, or skips the test.
func Postgres(t testing.TB, areas ...store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenPostgres(t.Context(), server.database(t, postgresTemplate(t, areas)), areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, db) })
	return db
}

// PostgresDSN returns the address of a fresh, empty database on the private server, or skips
// the test. The database is dropped when the test ends.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	return server.database(t, "template0")
}

func mustClose(t testing.TB, db *store.DB) {
	if err := db.Close(); err != nil {
		t.Errorf("closing the database: %v", err)
	}
}
