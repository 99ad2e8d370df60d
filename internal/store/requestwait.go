package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/request"
	operationsql "github.com/customerkey/customerkey/internal/store/gen/operation"
	requestsql "github.com/customerkey/customerkey/internal/store/gen/request"
)

// WaitingOut implements request.Store.
func (s *Request) WaitingOut(ctx context.Context, after request.Place, limit int) ([]request.Request, error) {
	return s.list(ctx, func(ctx context.Context, q *requestsql.Queries) ([]requestsql.Request, error) {
		return q.ListApprovedRequests(ctx, requestsql.ListApprovedRequestsParams{TenantID: after.Tenant, ID: after.ID, Limit: page(limit)})
	})
}

// Wait implements request.Store.
func (s *Request) Wait(ctx context.Context, r request.Request, was time.Duration) (counted bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		n, err := requestsql.New(q).CountWaited(ctx, requestsql.CountWaitedParams{
			Waited: r.Waited.Microseconds(), NotBefore: micros(r.NotBefore), TenantID: r.Tenant, ID: r.ID, Was: was.Microseconds(),
		})
		counted = n > 0
		return err
	})
	return counted && err == nil, err
}

// Held implements request.Store.
func (s *Request) Held(ctx context.Context, beyond time.Time, after request.Place, limit int) ([]request.Request, error) {
	return s.list(ctx, func(ctx context.Context, q *requestsql.Queries) ([]requestsql.Request, error) {
		return q.ListHeldRequests(ctx, requestsql.ListHeldRequestsParams{
			DueAt: micros(beyond), TenantID: after.Tenant, ID: after.ID, Limit: page(limit),
		})
	})
}

// Hasten implements request.Store.
func (s *Request) Hasten(ctx context.Context, r request.Request, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		return operationsql.New(q).HastenWaiting(ctx, operationsql.HastenWaitingParams{DueAt: micros(now), TenantID: r.Tenant, ID: r.Operation})
	})
}

// Trouble implements request.Store.
func (s *Request) Trouble(ctx context.Context, tenant, id string) (message, hint string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := requestsql.New(q).GetTrouble(ctx, requestsql.GetTroubleParams{TenantID: tenant, ID: id})
		if errors.Is(err, sql.ErrNoRows) {
			message, hint = "", ""
			return nil
		}
		message, hint = row.Error, row.Hint
		return err
	})
	return message, hint, err
}
