// Package store keeps rows: one set of SQL texts, run unchanged on SQLite (the embedded
// default) and on PostgreSQL.
//
// A [DB] is one database. [DB.Read] hands a function one consistent snapshot, [DB.Write]
// one transaction that is durable when Write returns nil. Both engines promise the same:
// transactions behave as if they ran one after the other. Nothing else of database/sql is
// reachable from outside, so no caller can hold a transaction open by mistake.
//
// Rules do not live here. Each domain package owns a small Store interface; this package
// implements it (for example [NewAudit] for audit.Store) over code that sqlc generates
// from SQL. Bytes too big for rows live in package blob.
//
// # Adding a table
//
// Tables are grouped in areas (audit, directory, ...), each a folder under sql:
//
//	sql/<area>/migrations/0001_first.sql   "-- +goose Up", then CREATE TABLE; never edited once released
//	sql/<area>/queries.sql                 sqlc queries: "-- name: GetThing :one"
//	sql/<area>/sqlc.yaml                   copy of another area's, with the name changed
//	gen/<area>                             written by "go generate ./internal/store" (needs sqlc), committed
//
// An area that is listed in areas.go and has a migrations folder is created and brought up
// to date when its database opens; its version is kept in the table goose_<area>. The area
// audit is the worked example: sql/audit, gen/audit, auditlog.go.
//
// The portable subset of SQL (the store suite runs every text on both engines):
//
//   - types TEXT, BIGINT, BYTEA, BOOLEAN. Times are BIGINT microseconds UTC. Ids are made by
//     the program. Write NOT NULL wherever it is true: a nil []byte is stored as NULL, an empty
//     one as an empty value, which may be read back as nil.
//   - a table that belongs to a tenant has tenant_id first in its primary key.
//   - placeholders $1, $2 numbered by first appearance; CAST($1 AS TEXT) where the type is unclear.
//   - ON CONFLICT, RETURNING and row-value paging ((a, b) > ($1, $2)) are fine. No ANY($1), ILIKE,
//     now(), no INSERT or UPDATE inside WITH, no SELECT ... FOR UPDATE (Write is serializable).
//   - where two nodes may add to the same thing, change the row they share first, then insert the
//     rest: PostgreSQL answers a collision on the first by running the write again, one on a
//     unique key by an error.
//   - text sorts by bytes on both engines: a PostgreSQL database is made with LOCALE 'C'.
//   - after a statement has failed, return: the transaction cannot be committed any more.
package store
