package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/customerkey/customerkey/internal/fault"
)

// migrate brings every area up to date, each file in its own transaction. A kill between two
// files leaves the older one applied; the next start goes on. On PostgreSQL a lock row keeps
// nodes that start together from doing it twice.
//
// A database that a newer program has migrated is refused: an older one would misread it.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, areas []Area) error {
	for _, a := range areas {
		opts := []goose.ProviderOption{
			goose.WithTableName("goose_" + a.Name),
			goose.WithDisableGlobalRegistry(true),
		}
		if dialect == goose.DialectPostgres {
			l, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(100*time.Millisecond, 600))
			if err != nil {
				return err
			}
			opts = append(opts, goose.WithLocker(l))
		}
		p, err := goose.NewProvider(dialect, db, a.Migrations, opts...)
		if err != nil {
			return fmt.Errorf("reading the migrations of area %s: %w", a.Name, err)
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrating area %s: %w", a.Name, err)
		}
		current, known, err := p.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("reading the version of area %s: %w", a.Name, err)
		}
		if current > known {
			return fault.New(fault.Unavailable, "the tables of area %s have version %d, this program knows %d", a.Name, current, known).
				WithHint("they were written by a newer program: run that one")
		}
	}
	return nil
}
