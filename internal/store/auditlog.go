package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	auditsql "github.com/customerkey/customerkey/internal/store/gen/audit"
)

// NewAudit returns the rows of the audit logs in db, which has the area audit.
func NewAudit(db *DB) audit.Store { return auditStore{db} }

type auditStore struct{ db *DB }

func (s auditStore) Append(ctx context.Context, fn func(ctx context.Context, tx audit.Tx) error) error {
	return s.db.record(ctx, func(ctx context.Context, q DBTX) error {
		return fn(ctx, auditTx{q, auditsql.New(q)})
	})
}

func (s auditStore) Latest(ctx context.Context, tenant string) (latest audit.Latest, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		latest, err = auditTx{q, auditsql.New(q)}.Latest(ctx, tenant)
		return err
	})
	return latest, err
}

func (s auditStore) Leaves(ctx context.Context, tenant string, after int64, limit int) (leaves []audit.Leaf, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := auditsql.New(q).ListLeaves(ctx, auditsql.ListLeavesParams{TenantID: tenant, Idx: after, Limit: int32(limit)})
		if err != nil {
			return err
		}
		leaves = make([]audit.Leaf, len(rows))
		for i, row := range rows {
			leaves[i] = audit.Leaf{Index: row.Idx, Bytes: row.Leaf}
		}
		return nil
	})
	return leaves, err
}

func (s auditStore) Hashes(ctx context.Context, tenant string, indexes []int64) (hashes [][]byte, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		hashes = make([][]byte, len(indexes))
		for i, index := range indexes {
			hashes[i], err = auditsql.New(q).GetHashes(ctx, auditsql.GetHashesParams{TenantID: tenant, Idx: index})
			if errors.Is(err, sql.ErrNoRows) {
				return fault.Wrap(fault.Corrupt, err, "entry %d of the log is missing", index)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return hashes, err
}

// auditTx is audit.Tx on one transaction.
type auditTx struct {
	db DBTX
	q  *auditsql.Queries
}

func (t auditTx) Latest(ctx context.Context, tenant string) (audit.Latest, error) {
	row, err := t.q.GetHead(ctx, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Latest{}, nil
	}
	return audit.Latest(row), err
}

// Add stores the rows by few statements, of many rows each: a statement costs more than a row.
func (t auditTx) Add(ctx context.Context, tenant string, first int64, rows []audit.Row) error {
	for len(rows) > 0 {
		power := min(bits.Len(uint(len(rows)))-1, len(addEntries)-1)
		n := 1 << power
		args := append(make([]any, 0, 1+3*n), tenant)
		for i, row := range rows[:n] {
			args = append(args, first+int64(i), row.Leaf, row.Hashes)
		}
		_, err := t.db.ExecContext(ctx, addEntries[power], args...)
		if IsUnique(err) {
			return fault.Wrap(fault.Corrupt, err, "of the entries %d to %d one is there though the head of the log does not count it", first, first+int64(n)-1)
		}
		if err != nil {
			return err
		}
		first, rows = first+int64(n), rows[n:]
	}
	return nil
}

// addEntries are the statements that add 1, 2, 4 ... 64 entries: SQL that both engines know has
// no list of any length.
var addEntries = func() (texts [7]string) {
	for power := range texts {
		var rows []string
		for i := range 1 << power {
			rows = append(rows, fmt.Sprintf("($1, $%d, $%d, $%d)", 3*i+2, 3*i+3, 3*i+4))
		}
		texts[power] = "INSERT INTO audit_entries (tenant_id, idx, leaf, hashes) VALUES " + strings.Join(rows, ", ")
	}
	return texts
}()

func (t auditTx) SetLatest(ctx context.Context, tenant string, l audit.Latest) error {
	return t.q.PutHead(ctx, auditsql.PutHeadParams{TenantID: tenant, Size: l.Size, Edge: l.Edge, Note: l.Note})
}
