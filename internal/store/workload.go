package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	workloadsql "github.com/customerkey/customerkey/internal/store/gen/workload"
	"github.com/customerkey/customerkey/internal/workload"
)

// Workload keeps containers, items and intents in the area workload. It implements workload.Store.
type Workload struct{ db *DB }

// NewWorkload returns the items of db, which must have been opened with that area.
func NewWorkload(db *DB) *Workload { return &Workload{db: db} }

var _ workload.Store = (*Workload)(nil)

// read and write run fn on the generated code of the area.
func (s *Workload) read(ctx context.Context, fn func(ctx context.Context, q *workloadsql.Queries) error) error {
	return s.db.Read(ctx, func(ctx context.Context, q DBTX) error { return fn(ctx, workloadsql.New(q)) })
}

func (s *Workload) write(ctx context.Context, fn func(ctx context.Context, q *workloadsql.Queries) error) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return fn(ctx, workloadsql.New(q)) })
}

// Item implements workload.Store.
func (s *Workload) Item(ctx context.Context, tenant, container, item string) (row workload.Row, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.GetItem(ctx, workloadsql.GetItemParams{TenantID: tenant, ContainerID: container, ItemID: item})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such item")
		}
		row = itemRow(found)
		return err
	})
	return row, err
}

// Items implements workload.Store.
func (s *Workload) Items(ctx context.Context, tenant, container, after string, limit int) (rows []workload.Row, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.ListItems(ctx, workloadsql.ListItemsParams{TenantID: tenant, ContainerID: container, After: after, Most: int64(limit)})
		rows = make([]workload.Row, len(found))
		for i, f := range found {
			rows[i] = itemRow(f)
		}
		return err
	})
	return rows, err
}

// PutItem implements workload.Store.
func (s *Workload) PutItem(ctx context.Context, row workload.Row, onlyNew bool) (written workload.Row, created bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if err := errPurged(ctx, q, row.Tenant, row.Container, row.KeyVersion); err != nil {
			return err
		}
		written, created, err = putItem(ctx, workloadsql.New(q), row, onlyNew)
		return err
	})
	return written, created, err
}

func putItem(ctx context.Context, q *workloadsql.Queries, row workload.Row, onlyNew bool) (workload.Row, bool, error) {
	if err := takeIntent(ctx, q, row); err != nil {
		return row, false, err
	}
	if err := wantFloor(ctx, q, row); err != nil {
		return row, false, err
	}
	before, err := q.GetItem(ctx, workloadsql.GetItemParams{TenantID: row.Tenant, ContainerID: row.Container, ItemID: row.Item})
	created := errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !created:
		return row, false, err
	case !created && onlyNew:
		return row, false, fault.New(fault.Conflict, "there is an item of this id").WithReason(workload.ReasonItemExists)
	case !created:
		row.Created = fromMicros(before.CreatedAt)
		letGo := workloadsql.AddIntentParams{TenantID: row.Tenant, BlobID: before.BlobID, DueAt: micros(row.Modified)}
		if err := q.AddIntent(ctx, letGo); err != nil {
			return row, false, err
		}
	}
	return row, created, q.PutItem(ctx, workloadsql.PutItemParams{
		TenantID: row.Tenant, ContainerID: row.Container, ItemID: row.Item, Version: row.Version, BlobID: row.Blob,
		KeyVersion: int64(row.KeyVersion), ItemKey: row.ItemKey, Metadata: row.Metadata, Size: row.Size,
		CreatedAt: micros(row.Created), ModifiedAt: micros(row.Modified),
	})
}

// takeIntent removes the intent of a row's blob, which becomes an item's.
func takeIntent(ctx context.Context, q *workloadsql.Queries, row workload.Row) error {
	n, err := q.TakeIntent(ctx, workloadsql.TakeIntentParams{TenantID: row.Tenant, BlobID: row.Blob})
	if err == nil && n == 0 {
		return errUploadExpired()
	}
	return err
}

// DeleteItem implements workload.Store.
func (s *Workload) DeleteItem(ctx context.Context, tenant, container, item string, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		blob, err := q.DeleteItem(ctx, workloadsql.DeleteItemParams{TenantID: tenant, ContainerID: container, ItemID: item})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such item")
		}
		if err != nil {
			return err
		}
		return q.AddIntent(ctx, workloadsql.AddIntentParams{TenantID: tenant, BlobID: blob, DueAt: micros(now)})
	})
}

func itemRow(r workloadsql.Item) workload.Row {
	return workload.Row{
		Tenant: r.TenantID, Container: r.ContainerID, Item: r.ItemID, Version: r.Version, Blob: r.BlobID,
		KeyVersion: int(r.KeyVersion), ItemKey: r.ItemKey, Metadata: r.Metadata, Size: r.Size,
		Created: fromMicros(r.CreatedAt), Modified: fromMicros(r.ModifiedAt),
	}
}
