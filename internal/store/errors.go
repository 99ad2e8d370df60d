package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/customerkey/customerkey/internal/fault"
)

// IsUnique reports whether err says that a row with the same unique key is there already.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
			return true
		}
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505"
}

// isRetryable reports whether PostgreSQL asks for the transaction to be run again:
// serialization failure or deadlock.
func isRetryable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// explain turns an error that says the database failed into a fault with code Unavailable
// and a hint. Every other error, also a fault made above a failing database, stays as it is.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Code != fault.Internal {
		return err
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return explainSQLite(err, e.Code()&0xff) // the low byte is the primary code
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return explainPostgres(err, e.Code)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err // the caller's, though it looks like the network's
	}
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	_, broken := errors.AsType[net.Error](err)
	if refused || broken || pgconn.SafeToRetry(err) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Wrap(fault.Unavailable, err, "the database cannot be reached").
			WithHint("check that PostgreSQL runs and that its address is right, then try again")
	}
	return err
}

// explainSQLite names the trouble behind a primary result code (sqlite.org/rescode.html).
func explainSQLite(err error, code int) error {
	unavailable := func(message, hint string) error {
		return fault.Wrap(fault.Unavailable, err, "%s", message).WithHint("%s", hint)
	}
	switch code {
	case lib.SQLITE_FULL:
		return unavailable("the disk is full", "free space where the data folder lives, then try again; nothing was half written")
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return unavailable("the database cannot be written", "check owner and permissions of the data folder, and that its file system is not mounted read-only")
	case lib.SQLITE_CANTOPEN:
		return unavailable("the database file cannot be opened", "check that the data folder exists and that its owner runs the server")
	case lib.SQLITE_IOERR:
		return unavailable("the disk failed to read or write", "check free space and health of the disk under the data folder, then try again")
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return unavailable("the database file is damaged", "stop the server, keep the file aside, and restore the data folder from a backup")
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return unavailable("the database file is locked", "another program holds it; end that one, then try again")
	case lib.SQLITE_NOMEM:
		return unavailable("out of memory", "try again later")
	}
	return err
}

// explainPostgres names the trouble behind an SQLSTATE (PostgreSQL, appendix A).
func explainPostgres(err error, code string) error {
	unavailable := func(message, hint string) error {
		return fault.Wrap(fault.Unavailable, err, "%s", message).WithHint("%s", hint)
	}
	switch {
	case code == "53100":
		return unavailable("the database server's disk is full", "free space on the database server, then try again; nothing was half written")
	case code == "25006":
		return unavailable("the database server takes no writes", "it is a standby or set to read-only; point the server at the primary")
	case code == "40001" || code == "40P01":
		return unavailable("too many changes at once", "try again later")
	case strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "58"),
		strings.HasPrefix(code, "08"), strings.HasPrefix(code, "XX"):
		return unavailable("the database server is in trouble", "see its log, then try again")
	case strings.HasPrefix(code, "28"), code == "3D000":
		return unavailable("the database server refuses the connection", "check user, password and database name")
	}
	return err
}
