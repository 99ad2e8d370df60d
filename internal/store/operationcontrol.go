package store

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/operation"
	operationsql "github.com/customerkey/customerkey/internal/store/gen/operation"
)

// Cancel implements operation.Store.
func (s *Operation) Cancel(ctx context.Context, tenant, id string, now time.Time) (operation.Operation, error) {
	return s.control(ctx, tenant, id, func(ctx context.Context, q *operationsql.Queries) error {
		if err := q.CancelRunning(ctx, operationsql.CancelRunningParams{UpdatedAt: micros(now), TenantID: tenant, ID: id}); err != nil {
			return err
		}
		return q.CancelWaiting(ctx, operationsql.CancelWaitingParams{UpdatedAt: micros(now), TenantID: tenant, ID: id})
	})
}

// Pause implements operation.Store.
func (s *Operation) Pause(ctx context.Context, tenant, id string, now time.Time) (operation.Operation, error) {
	return s.control(ctx, tenant, id, func(ctx context.Context, q *operationsql.Queries) error {
		if err := q.PauseRunning(ctx, operationsql.PauseRunningParams{UpdatedAt: micros(now), TenantID: tenant, ID: id}); err != nil {
			return err
		}
		return q.PauseWaiting(ctx, operationsql.PauseWaitingParams{UpdatedAt: micros(now), TenantID: tenant, ID: id})
	})
}

// Resume implements operation.Store.
func (s *Operation) Resume(ctx context.Context, tenant, id string, now time.Time) (operation.Operation, error) {
	return s.control(ctx, tenant, id, func(ctx context.Context, q *operationsql.Queries) error {
		if err := q.ResumeRunning(ctx, operationsql.ResumeRunningParams{UpdatedAt: micros(now), TenantID: tenant, ID: id}); err != nil {
			return err
		}
		return q.ResumeWaiting(ctx, operationsql.ResumeWaitingParams{DueAt: micros(now), TenantID: tenant, ID: id})
	})
}

// Limit implements operation.Store.
func (s *Operation) Limit(ctx context.Context, tenant, id string, perSecond int64, now time.Time) (operation.Operation, error) {
	return s.control(ctx, tenant, id, func(ctx context.Context, q *operationsql.Queries) error {
		return q.LimitOperation(ctx, operationsql.LimitOperationParams{MaxRate: perSecond, UpdatedAt: micros(now), TenantID: tenant, ID: id})
	})
}

// control changes an operation and returns it as it then stands, in one transaction.
func (s *Operation) control(ctx context.Context, tenant, id string, change func(context.Context, *operationsql.Queries) error) (op operation.Operation, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if err := change(ctx, operationsql.New(q)); err != nil {
			return err
		}
		op, err = getOperation(ctx, q, tenant, id)
		return err
	})
	return op, err
}

// callOrAdd stores work that a change calls for: if such work is open already, it is called
// once more, and sees this change too.
func callOrAdd(ctx context.Context, q DBTX, op operation.Operation) error {
	n, err := operationsql.New(q).CallOperation(ctx, operationsql.CallOperationParams{
		DueAt: micros(op.LeaseUntil), TenantID: op.Tenant, Kind: op.Kind,
	})
	if err != nil || n > 0 {
		return err
	}
	return AddOperation(ctx, q, op)
}
