package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	operationsql "github.com/customerkey/customerkey/internal/store/gen/operation"
)

// never is the due time of an operation that will not be claimed again.
const never = math.MaxInt64

// Operation keeps long work in the area operation. It implements operation.Store.
type Operation struct{ db *DB }

// NewOperation returns the operations of db, which must have been opened with that area.
func NewOperation(db *DB) *Operation { return &Operation{db: db} }

var _ operation.Store = (*Operation)(nil)

// Add implements operation.Store.
func (s *Operation) Add(ctx context.Context, op operation.Operation) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return AddOperation(ctx, q, op) })
}

// AddOperation stores a new operation in the transaction q, beside the change that calls for
// it; fault.Conflict if the id exists.
func AddOperation(ctx context.Context, q DBTX, op operation.Operation) error {
	n, err := operationsql.New(q).AddOperation(ctx, operationsql.AddOperationParams{
		TenantID: op.Tenant, ID: op.ID, Kind: op.Kind, Subject: op.Subject, State: string(op.State),
		Checkpoint: op.Checkpoint, Done: op.Done, Total: op.Total, Error: op.Error, Hint: op.Hint,
		Attempts: int64(op.Attempts), Cancelling: op.Cancelling, Fence: op.Fence, Owner: op.Owner,
		DueAt: micros(op.LeaseUntil), CreatedAt: micros(op.Created), StartedAt: micros(op.Started),
		UpdatedAt: micros(op.Updated), FinishedAt: micros(op.Finished),
		Pausing: op.Pausing, MaxRate: op.MaxRate, Calls: op.Calls, Reached: op.Reached, Rate: thousandths(op.Rate),
	})
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "an operation with this id exists already")
	}
	return err
}

// SaveOperation writes a checkpoint in the transaction q of the batch it tells of; a fence
// that is no longer the newest is refused with operation.Stale.
func SaveOperation(ctx context.Context, q DBTX, f operation.Fence) error {
	n, err := operationsql.New(q).SaveOperation(ctx, operationsql.SaveOperationParams{
		Checkpoint: f.Checkpoint, Done: f.Done, Total: f.Total, Reached: f.Reached, Rate: thousandths(f.Rate), UpdatedAt: micros(f.At),
		TenantID: f.Tenant, ID: f.ID, Fence: f.Number,
	})
	return fresh(n, err)
}

// fresh turns an update that met no row into operation.Stale.
func fresh(rows int64, err error) error {
	if err == nil && rows == 0 {
		return operation.Stale()
	}
	return err
}

// Get implements operation.Store.
func (s *Operation) Get(ctx context.Context, tenant, id string) (op operation.Operation, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		op, err = getOperation(ctx, q, tenant, id)
		return err
	})
	return op, err
}

func getOperation(ctx context.Context, q DBTX, tenant, id string) (operation.Operation, error) {
	row, err := operationsql.New(q).GetOperation(ctx, operationsql.GetOperationParams{TenantID: tenant, ID: id})
	if errors.Is(err, sql.ErrNoRows) {
		return operation.Operation{}, fault.New(fault.NotFound, "there is no such operation")
	}
	return operationOf(row), err
}

// List implements operation.Store.
func (s *Operation) List(ctx context.Context, tenant, before string, limit int) (ops []operation.Operation, err error) {
	rows := int32(min(max(limit, 0), math.MaxInt32))
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		found, err := listOperations(ctx, operationsql.New(q), tenant, before, rows)
		ops = make([]operation.Operation, len(found))
		for i, row := range found {
			ops[i] = operationOf(row)
		}
		return err
	})
	return ops, err
}

func listOperations(ctx context.Context, q *operationsql.Queries, tenant, before string, limit int32) ([]operationsql.Operation, error) {
	if before == "" {
		return q.ListOperations(ctx, operationsql.ListOperationsParams{TenantID: tenant, Limit: limit})
	}
	return q.ListOperationsBefore(ctx, operationsql.ListOperationsBeforeParams{TenantID: tenant, ID: before, Limit: limit})
}

// Claim implements operation.Store. It looks with a read first: a node without work costs
// no write.
func (s *Operation) Claim(ctx context.Context, c operation.Claim) (op operation.Operation, ok bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		_, ok, err = dueOperation(ctx, operationsql.New(q), c)
		return err
	})
	if err != nil || !ok {
		return op, false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		var due operationsql.Operation
		due, ok, err = dueOperation(ctx, operationsql.New(q), c)
		if err != nil || !ok {
			return err
		}
		row, err := operationsql.New(q).ClaimOperation(ctx, operationsql.ClaimOperationParams{
			Owner: c.Owner, DueAt: micros(c.Until), UpdatedAt: micros(c.Now), TenantID: due.TenantID, ID: due.ID,
		})
		op = operationOf(row)
		return err
	})
	return op, ok && err == nil, err
}

// dueOperation returns the oldest operation that c may claim.
func dueOperation(ctx context.Context, q *operationsql.Queries, c operation.Claim) (oldest operationsql.Operation, ok bool, err error) {
	for _, kind := range c.Kinds {
		row, err := q.DueOperation(ctx, operationsql.DueOperationParams{Kind: kind, DueAt: micros(c.Now)})
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return oldest, false, err
		}
		if !ok || cmp.Or(cmp.Compare(row.CreatedAt, oldest.CreatedAt), cmp.Compare(row.ID, oldest.ID)) < 0 {
			oldest, ok = row, true
		}
	}
	return oldest, ok, nil
}

// Hasten implements operation.Store.
func (s *Operation) Hasten(ctx context.Context, tenant string, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		return operationsql.New(q).HastenRetries(ctx, operationsql.HastenRetriesParams{DueAt: micros(now), TenantID: tenant})
	})
}

// Free implements operation.Store. It looks with a read first: most often there is nothing.
func (s *Operation) Free(ctx context.Context, kinds []string, now, beyond time.Time) error {
	var stray []string
	err := s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		stray = nil
		for _, kind := range kinds {
			n, err := operationsql.New(q).CountStray(ctx, operationsql.CountStrayParams{Kind: kind, Beyond: micros(beyond)})
			if err != nil {
				return err
			}
			if n > 0 {
				stray = append(stray, kind)
			}
		}
		return nil
	})
	if err != nil || len(stray) == 0 {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		for _, kind := range stray {
			err := operationsql.New(q).FreeStray(ctx, operationsql.FreeStrayParams{Now: micros(now), Kind: kind, Beyond: micros(beyond)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Extend implements operation.Store.
func (s *Operation) Extend(ctx context.Context, tenant, id string, fence int64, until time.Time) (wish operation.Wish, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		row, err := operationsql.New(q).ExtendOperation(ctx, operationsql.ExtendOperationParams{
			DueAt: micros(until), TenantID: tenant, ID: id, Fence: fence,
		})
		if errors.Is(err, sql.ErrNoRows) {
			return operation.Stale()
		}
		wish = operation.Wish{Cancel: row.Cancelling, Pause: row.Pausing, MaxRate: row.MaxRate}
		return err
	})
	return wish, err
}

// Save implements operation.Store.
func (s *Operation) Save(ctx context.Context, f operation.Fence) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return SaveOperation(ctx, q, f) })
}

// Settle implements operation.Store.
func (s *Operation) Settle(ctx context.Context, o operation.Outcome) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		gen := operationsql.New(q)
		wish, err := gen.WishOfOperation(ctx, operationsql.WishOfOperationParams{TenantID: o.Tenant, ID: o.ID})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		o := reconsidered(o, wish)
		due, finished := micros(o.Due), int64(0)
		switch {
		case o.State.Final():
			due, finished = never, micros(o.At)
		case o.State == operation.Paused:
			due = never
		}
		return fresh(gen.SettleOperation(ctx, operationsql.SettleOperationParams{
			State: string(o.State), Error: o.Error, Hint: o.Hint, Attempts: int64(o.Attempts), DueAt: due,
			UpdatedAt: micros(o.At), FinishedAt: finished, TenantID: o.Tenant, ID: o.ID, Fence: o.Number,
		}))
	})
}

// reconsidered is an outcome in the light of what was asked since the runner last heard.
func reconsidered(o operation.Outcome, row operationsql.WishOfOperationRow) operation.Outcome {
	switch {
	case o.State == operation.Done && row.Calls != o.Calls:
		o.State = operation.Waiting
		if row.Pausing {
			o.State = operation.Paused
		}
	case o.State == operation.Waiting && row.Pausing:
		o.State = operation.Paused
	case o.State == operation.Paused && !row.Pausing:
		o.State = operation.Waiting
	}
	return o
}

// thousandths is how a rate is stored.
func thousandths(rate float64) int64 { return int64(math.Round(rate * 1000)) }

// operationOf turns a row into an operation. A final one has no lease.
func operationOf(row operationsql.Operation) operation.Operation {
	op := operation.Operation{
		Tenant: row.TenantID, ID: row.ID, Kind: row.Kind, Subject: row.Subject, State: operation.State(row.State),
		Checkpoint: row.Checkpoint, Done: row.Done, Total: row.Total, Error: row.Error, Hint: row.Hint,
		Attempts: int(row.Attempts), Cancelling: row.Cancelling, Fence: row.Fence, Owner: row.Owner,
		Created: fromMicros(row.CreatedAt), Started: fromMicros(row.StartedAt),
		Updated: fromMicros(row.UpdatedAt), Finished: fromMicros(row.FinishedAt),
		Pausing: row.Pausing, MaxRate: row.MaxRate, Calls: row.Calls, Reached: row.Reached, Rate: float64(row.Rate) / 1000,
	}
	if row.DueAt != never {
		op.LeaseUntil = fromMicros(row.DueAt)
	}
	return op
}
