package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
)

// Recovery keeps recoveries in the area hierarchy. It implements policy.Recoveries.
type Recovery struct{ db *DB }

// NewRecovery returns the recoveries of db, which must have been opened with that area.
func NewRecovery(db *DB) *Recovery { return &Recovery{db: db} }

var _ policy.Recoveries = (*Recovery)(nil)

// Recovery implements hierarchy.Recoveries.
func (s *Recovery) Recovery(ctx context.Context, tenant, id string) (r hierarchy.Recovery, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := hierarchysql.New(q).GetRecovery(ctx, hierarchysql.GetRecoveryParams{TenantID: tenant, PolicyID: id})
		if errors.Is(err, sql.ErrNoRows) {
			r = hierarchy.Recovery{}
			return nil
		}
		r = recoveryOf(row)
		return err
	})
	return r, err
}

// Start implements policy.Recoveries.
func (s *Recovery) Start(ctx context.Context, r hierarchy.Recovery) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return startRecovery(ctx, q, r) })
}

func startRecovery(ctx context.Context, q DBTX, r hierarchy.Recovery) error {
	_, err := hierarchysql.New(q).StartRecovery(ctx, hierarchysql.StartRecoveryParams{
		TenantID: r.Tenant, PolicyID: r.Policy, RequestID: r.Request, RootsOnly: r.RootsOnly,
		StartedAt: micros(r.Started), UntilAt: micros(r.Until), Span: r.Span.Microseconds(),
	})
	return err
}

func endRecovery(ctx context.Context, q *hierarchysql.Queries, r hierarchy.Recovery) (int64, error) {
	return q.EndRecovery(ctx, hierarchysql.EndRecoveryParams{
		EndedAt: micros(r.Ended), Why: r.Why, TenantID: r.Tenant, PolicyID: r.Policy, RequestID: r.Request,
	})
}

// putRecovery starts or ends a recovery in the transaction q of the change that it belongs to.
func putRecovery(ctx context.Context, q DBTX, r hierarchy.Recovery) error {
	if r.Ended.IsZero() {
		return startRecovery(ctx, q, r)
	}
	_, err := endRecovery(ctx, hierarchysql.New(q), r)
	return err
}

// Going implements policy.Recoveries.
func (s *Recovery) Going(ctx context.Context, after hierarchy.Recovery, limit int) (list []hierarchy.Recovery, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := hierarchysql.New(q).ListOpenRecoveries(ctx, hierarchysql.ListOpenRecoveriesParams{TenantID: after.Tenant, PolicyID: after.Policy, Limit: page(limit)})
		list = make([]hierarchy.Recovery, len(rows))
		for i, row := range rows {
			list[i] = recoveryOf(row)
		}
		return err
	})
	return list, err
}

// See implements policy.Recoveries.
func (s *Recovery) See(ctx context.Context, r hierarchy.Recovery, was time.Duration) (seen bool, err error) {
	return s.change(ctx, func(ctx context.Context, q *hierarchysql.Queries) (int64, error) {
		return q.SeeRecovery(ctx, hierarchysql.SeeRecoveryParams{
			Spent: r.Spent.Microseconds(), SeenAt: micros(r.Seen), UntilAt: micros(r.Until),
			TenantID: r.Tenant, PolicyID: r.Policy, RequestID: r.Request, Was: was.Microseconds(),
		})
	})
}

// End implements policy.Recoveries.
func (s *Recovery) End(ctx context.Context, r hierarchy.Recovery) (ended bool, err error) {
	return s.change(ctx, func(ctx context.Context, q *hierarchysql.Queries) (int64, error) {
		return endRecovery(ctx, q, r)
	})
}

func (s *Recovery) change(ctx context.Context, fn func(context.Context, *hierarchysql.Queries) (int64, error)) (changed bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		n, err := fn(ctx, hierarchysql.New(q))
		changed = n > 0
		return err
	})
	return changed && err == nil, err
}

func recoveryOf(row hierarchysql.Recovery) hierarchy.Recovery {
	return hierarchy.Recovery{
		Tenant: row.TenantID, Policy: row.PolicyID, Request: row.RequestID, RootsOnly: row.RootsOnly,
		Started: fromMicros(row.StartedAt), Until: fromMicros(row.UntilAt), Seen: fromMicros(row.SeenAt), Ended: fromMicros(row.EndedAt), Why: row.Why,
		Span: time.Duration(row.Span) * time.Microsecond, Spent: time.Duration(row.Spent) * time.Microsecond,
	}
}
