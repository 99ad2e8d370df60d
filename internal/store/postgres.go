package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/customerkey/customerkey/internal/fault"
)

const (
	postgresConns = 16               // connections of one node
	retryFor      = 10 * time.Second // how long a write that keeps colliding is tried again
	firstPause    = time.Millisecond // doubled after each collision
	longestPause  = 200 * time.Millisecond
)

// postgresDB is a database on a server that speaks PostgreSQL's protocol.
type postgresDB struct {
	pool *sql.DB
}

// OpenPostgres connects to the database that dsn names (a URL or key=value words, see pgx) and
// brings the areas up to date. The database must sort text by bytes (LOCALE 'C').
func OpenPostgres(ctx context.Context, dsn string, areas ...Area) (*DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil { // its text may hold the password: leave the cause out
		return nil, fault.New(fault.Invalid, "the address of the database cannot be understood").
			WithHint("write it as postgres://user@host:5432/name")
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns)
	err = checkOrder(ctx, pool)
	if err == nil {
		err = migrate(ctx, goose.DialectPostgres, pool, areas)
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the database %q: %w", config.Database, explain(err))
	}
	return &DB{engine: &postgresDB{pool: pool}, changes: changes{shared: true}}, nil
}

// checkOrder refuses a database whose text does not sort as on SQLite: pages would skip rows.
func checkOrder(ctx context.Context, db *sql.DB) error {
	var bytewise bool
	if err := db.QueryRowContext(ctx, `SELECT CAST('B' AS TEXT) < CAST('a' AS TEXT)`).Scan(&bytewise); err != nil {
		return err
	}
	if !bytewise {
		return fault.New(fault.Unavailable, "the database does not sort text by bytes").
			WithHint("make it with: CREATE DATABASE name LOCALE 'C' TEMPLATE template0")
	}
	return nil
}

func (p *postgresDB) read(ctx context.Context, fn transaction) error {
	return p.retry(ctx, func() error {
		return p.once(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, fn)
	})
}

func (p *postgresDB) write(ctx context.Context, fn transaction) error {
	return p.retry(ctx, func() error {
		return p.once(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable}, fn)
	})
}

func (p *postgresDB) once(ctx context.Context, opts *sql.TxOptions, fn transaction) error {
	tx, err := p.pool.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing; also on the way of a panic
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// retry runs a transaction again while the server says that it collided with another one.
// The pauses are random, so that two that collided do not meet again.
func (p *postgresDB) retry(ctx context.Context, run func() error) error {
	give := time.NewTimer(retryFor)
	defer give.Stop()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := run()
		if !isRetryable(err) {
			return err
		}
		select {
		case <-time.After(rand.N(pause)):
		case <-ctx.Done():
			return ctx.Err()
		case <-give.C:
			return err
		}
	}
}

func (p *postgresDB) close() error { return p.pool.Close() }
