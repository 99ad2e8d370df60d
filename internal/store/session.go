package store

import (
	"context"
	"database/sql"
)

// maxStatements bounds how many prepared statements the writer keeps. The texts are fixed at
// build time and fewer; the bound is for a caller that builds texts.
const maxStatements = 512

// statements runs texts on one connection and remembers them prepared. It is for statements
// without rows: the driver would reset a prepared query under a reader of the same text.
type statements struct {
	conn  *sql.Conn
	known map[string]*sql.Stmt
}

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.known[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.known) >= maxStatements {
		s.close()
	}
	s.known[query] = stmt
	return stmt, nil
}

func (s *statements) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// close forgets all statements.
func (s *statements) close() {
	for query, stmt := range s.known {
		stmt.Close()
		delete(s.known, query)
	}
}

// A session is the DBTX of one write on SQLite. It keeps two promises that PostgreSQL keeps
// by itself: a statement that failed dooms the write, and nothing runs after its function
// has returned. Its statements cannot be cancelled: SQLite answers an interrupted change by
// rolling back the whole transaction, also what others wrote into it.
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
	rows, err := s.conn.QueryContext(context.WithoutCancel(ctx), query, args...)
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
	row := s.conn.QueryRowContext(ctx, query, args...)
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
