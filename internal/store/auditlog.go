package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/fault"
	auditsql "github.com/customerkey/customerkey/internal/store/gen/audit"
)

// NewAudit returns the rows of the audit logs in db, which has the area audit.
func NewAudit(db *DB) audit.Store { return auditStore{db} }

type auditStore struct{ db *DB }

func (s auditStore) Append(ctx context.Context, fn func(ctx context.Context, tx audit.Tx) error) error {
	return s.db.record(ctx, func(ctx context.Context, q DBTX) error {
		return fn(ctx, auditTx{auditsql.New(q)})
	})
}

func (s auditStore) Latest(ctx context.Context, tenant string) (latest audit.Latest, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		latest, err = auditTx{auditsql.New(q)}.Latest(ctx, tenant)
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
type auditTx struct{ q *auditsql.Queries }

func (t auditTx) Latest(ctx context.Context, tenant string) (audit.Latest, error) {
	row, err := t.q.GetHead(ctx, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Latest{}, nil
	}
	return audit.Latest(row), err
}

func (t auditTx) Add(ctx context.Context, tenant string, index int64, leaf, hashes []byte) error {
	err := t.q.AddEntry(ctx, auditsql.AddEntryParams{TenantID: tenant, Idx: index, Leaf: leaf, Hashes: hashes})
	if IsUnique(err) {
		return fault.Wrap(fault.Corrupt, err, "entry %d is there though the head of the log does not count it", index)
	}
	return err
}

func (t auditTx) SetLatest(ctx context.Context, tenant string, l audit.Latest) error {
	return t.q.PutHead(ctx, auditsql.PutHeadParams{TenantID: tenant, Size: l.Size, Edge: l.Edge, Note: l.Note})
}
