package store

import (
	"context"
	"database/sql"
)

// maxStatements bounds how many prepared statements a connection keeps. The texts are fixed at
// build time and fewer; the bound is for a caller that builds texts.
const maxStatements = 512

// statements runs texts on one connection and keeps them prepared: on SQLite parsing and
// planning a query takes longer than running it. Rows must be read to their end, or closed,
// before the same text runs again.
type statements struct {
	conn  *sql.Conn
	known map[string]*sql.Stmt
}

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, known: map[string]*sql.Stmt{}}
}

// prepared returns the text as a statement, nil where no more are kept or it cannot be prepared:
// then the connection itself is to run it, and says what is wrong.
func (s *statements) prepared(ctx context.Context, query string) *sql.Stmt {
	if stmt := s.known[query]; stmt != nil || len(s.known) == maxStatements {
		return stmt
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	s.known[query] = stmt
	return stmt
}

func (s *statements) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := s.prepared(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return s.conn.ExecContext(ctx, query, args...)
}

func (s *statements) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.prepared(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return s.conn.QueryContext(ctx, query, args...)
}

func (s *statements) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := s.prepared(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return s.conn.QueryRowContext(ctx, query, args...)
}

// close gives the connection back, for good.
func (s *statements) close() {
	for _, stmt := range s.known {
		stmt.Close()
	}
	s.conn.Close()
}

// A session is the DBTX of one transaction on SQLite. It keeps two promises that PostgreSQL
// keeps by itself: a statement that failed dooms a write, and nothing runs after its function
// has returned. Its statements cannot be cancelled: SQLite answers an interrupted change by
// rolling back the whole transaction, also what others wrote into it, and reads are short.
type session struct {
	*statements
	failed error // of the first statement that failed
	over   bool
}

func (s *session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s.over {
		return nil, sql.ErrTxDone
	}
	res, err := s.exec(context.WithoutCancel(ctx), query, args...)
	s.note(err)
	return res, err
}

func (s *session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s.over {
		return nil, sql.ErrTxDone
	}
	rows, err := s.query(context.WithoutCancel(ctx), query, args...)
	s.note(err)
	return rows, err
}

func (s *session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	if s.over { // a Row cannot be made by hand: this one fails before it reaches the database
		dead, cancel := context.WithCancel(ctx)
		cancel()
		return s.conn.QueryRowContext(dead, query, args...)
	}
	row := s.queryRow(ctx, query, args...)
	s.note(row.Err())
	return row
}

func (s *session) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if s.over {
		return nil, sql.ErrTxDone
	}
	return s.conn.PrepareContext(ctx, query)
}

func (s *session) note(err error) {
	if s.failed == nil {
		s.failed = err
	}
}
