package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/customerkey/customerkey/internal/fault"
)

// sqliteDB is a database in one file: one connection writes, a few read beside it (WAL).
type sqliteDB struct {
	writer  *writer
	writers *sql.DB // one connection, the writer's
	readers *sql.DB
	idle    chan *statements // connections of the readers
	spare   chan struct{}    // one for each that may still be opened
}

// OpenSQLite opens the database file at path, makes it when missing (readable by its owner
// only), and brings the areas up to date. The folder must exist. Beside the file SQLite keeps
// path-wal and path-shm; the three belong together.
func OpenSQLite(ctx context.Context, path string, areas ...Area) (*DB, error) {
	s, err := openSQLite(ctx, path, areas)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, explain(err))
	}
	return &DB{engine: s}, nil
}

func openSQLite(ctx context.Context, path string, areas []Area) (_ *sqliteDB, err error) {
	if err := createOwned(path); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database file cannot be opened").
			WithHint("check that the data folder exists and that its owner runs the server")
	}
	s := &sqliteDB{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closePools())
		}
	}()
	if s.writers, err = sql.Open("sqlite", sqliteDSN(path, "immediate", "journal_mode(WAL)", "secure_delete(1)")); err != nil {
		return nil, err
	}
	s.writers.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite", sqliteDSN(path, "deferred", "query_only(1)")); err != nil {
		return nil, err
	}
	most := max(4, 2*runtime.GOMAXPROCS(0))
	s.idle, s.spare = make(chan *statements, most), make(chan struct{}, most)
	for range most {
		s.spare <- struct{}{}
	}

	if err := checkWAL(ctx, s.writers); err != nil {
		return nil, err
	}
	if err := migrate(ctx, goose.DialectSQLite3, s.writers, areas); err != nil {
		return nil, err
	}
	if s.writer, err = startWriter(ctx, s.writers); err != nil {
		return nil, err
	}
	return s, nil
}

// createOwned makes an empty file that only its owner may read, unless one is there, and makes
// its name durable. SQLite gives the files beside it the same mode, and sees to their names.
func createOwned(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil || runtime.GOOS == "windows" { // which has no such call for folders
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// sqliteDSN returns the address of the file with what every connection needs:
// synchronous=FULL makes each commit of the write-ahead log reach the disk. The writer also
// has secure_delete: what a row held is overwritten with zeros when the row goes.
func sqliteDSN(path, txlock string, pragmas ...string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a Windows drive letter
	}
	q := url.Values{
		"_txlock": {txlock},
		"_pragma": append(pragmas, "busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(1)", "trusted_schema(0)"),
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// checkWAL fails where the file system cannot share memory between connections: SQLite then
// stays, without an error, in a mode where readers and the writer block each other.
func checkWAL(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fault.New(fault.Unavailable, "the file system cannot hold a write-ahead log").
			WithHint("put the data folder on a local disk")
	}
	return nil
}

func (s *sqliteDB) read(ctx context.Context, fn transaction) error {
	stmts, err := s.reader(ctx)
	if err != nil {
		return err
	}
	one := &session{statements: stmts}
	defer func() {
		one.over = true
		s.rest(stmts)
	}()
	if _, err := stmts.exec(context.WithoutCancel(ctx), "BEGIN"); err != nil {
		return err
	}
	return fn(ctx, one)
}

// reader returns a connection to read by, an open one if it can. It waits where all are in use.
func (s *sqliteDB) reader(ctx context.Context) (*statements, error) {
	select {
	case stmts := <-s.idle:
		return stmts, nil
	default:
	}
	select {
	case stmts := <-s.idle:
		return stmts, nil
	case <-s.spare:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		s.spare <- struct{}{}
		return nil, err
	}
	return newStatements(conn), nil
}

// rest ends a reader's transaction. Where that fails another connection takes its place.
func (s *sqliteDB) rest(stmts *statements) {
	if _, err := stmts.exec(context.Background(), "ROLLBACK"); err != nil {
		stmts.close()
		s.spare <- struct{}{}
		return
	}
	s.idle <- stmts
}

func (s *sqliteDB) write(ctx context.Context, fn transaction) error {
	return s.writer.write(ctx, fn)
}

func (s *sqliteDB) close() error {
	s.writer.stop()
	for len(s.idle) > 0 {
		(<-s.idle).close()
	}
	return s.closePools()
}

func (s *sqliteDB) closePools() error {
	var first error
	for _, db := range []*sql.DB{s.readers, s.writers} { // the last one to close checkpoints the log
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
