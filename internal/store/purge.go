package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	purgesql "github.com/customerkey/customerkey/internal/store/gen/purge"
)

// Purge keeps orders of purges in the area purge, and sees and destroys what is purged in the
// areas hierarchy, policy and workload. It implements policy.PurgeStore.
type Purge struct{ db *DB }

// NewPurge returns the purges of db, which must have been opened with all areas of the service.
func NewPurge(db *DB) *Purge { return &Purge{db: db} }

var _ policy.PurgeStore = (*Purge)(nil)

func (s *Purge) read(ctx context.Context, fn func(ctx context.Context, q *purgesql.Queries) error) error {
	return s.db.Read(ctx, func(ctx context.Context, q DBTX) error { return fn(ctx, purgesql.New(q)) })
}

// fenced makes a change under the fence of an operation.
func (s *Purge) fenced(ctx context.Context, f operation.Fence, fn func(ctx context.Context, q *purgesql.Queries) error) error {
	return s.within(ctx, f, func(ctx context.Context, q DBTX) error { return fn(ctx, purgesql.New(q)) })
}

func (s *Purge) within(ctx context.Context, f operation.Fence, fn func(ctx context.Context, q DBTX) error) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if err := SaveOperation(ctx, q, f); err != nil {
			return err
		}
		return fn(ctx, q)
	})
}

// Keys implements policy.PurgeStore.
func (s *Purge) Keys(ctx context.Context, tenant, id string, after policy.Place, limit int) (keys []policy.PurgeKey, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		rows, err := q.ListKeysOf(ctx, purgesql.ListKeysOfParams{
			TenantID: tenant, AfterContainer: after.Container, AfterVersion: int64(after.Version), PolicyID: id, Most: int64(limit),
		})
		keys = make([]policy.PurgeKey, len(rows))
		for i, row := range rows {
			keys[i] = policy.PurgeKey{Container: row.ContainerID, Version: int(row.Version), Oldest: row.Oldest}
		}
		return err
	})
	return keys, err
}

// Owners implements policy.PurgeStore.
func (s *Purge) Owners(ctx context.Context, tenant, id, after string, limit int) (ids []string, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		ids, err = q.ListOwnersOf(ctx, purgesql.ListOwnersOfParams{TenantID: tenant, PolicyID: id, After: after, Most: int64(limit)})
		return err
	})
	return ids, err
}

// Halfway implements policy.PurgeStore.
func (s *Purge) Halfway(ctx context.Context, tenant, id string) (n int64, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		n, err = q.CountHalfway(ctx, purgesql.CountHalfwayParams{TenantID: tenant, PolicyID: id})
		return err
	})
	return n, err
}

// Contents implements policy.PurgeStore.
func (s *Purge) Contents(ctx context.Context, tenant, id string) (items, bytes int64, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		row, err := q.SumItemsOf(ctx, purgesql.SumItemsOfParams{TenantID: tenant, PolicyID: id})
		items, bytes = row.Items, row.Bytes
		return err
	})
	return items, bytes, err
}

// Containers implements policy.PurgeStore.
func (s *Purge) Containers(ctx context.Context, tenant, id, after string, limit int) (list []policy.PurgeContainer, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		rows, err := q.ListContainersOf(ctx, purgesql.ListContainersOfParams{PolicyID: id, TenantID: tenant, After: after, Most: int64(limit)})
		list = make([]policy.PurgeContainer, len(rows))
		for i, row := range rows {
			list[i] = policy.PurgeContainer{ID: row.ContainerID, Workload: row.Workload, Name: row.Name, Items: row.Items, Bytes: row.Bytes}
		}
		return err
	})
	return list, err
}

// Order implements policy.PurgeStore.
func (s *Purge) Order(ctx context.Context, tenant, id string) (o policy.PurgeOrder, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		row, err := q.GetOrder(ctx, purgesql.GetOrderParams{TenantID: tenant, PolicyID: id})
		if errors.Is(err, sql.ErrNoRows) {
			o = policy.PurgeOrder{}
			return nil
		}
		o = policy.PurgeOrder{
			Tenant: row.TenantID, Policy: row.PolicyID, Request: row.RequestID, Reason: row.Reason, Contact: row.Contact, Force: row.Forced,
			Plan: row.Plan, Digest: row.Digest, AskedBy: row.AskedBy, Name: row.AskedName, Asked: fromMicros(row.AskedAt),
			Keys: row.KeysGone, Items: row.ItemsGone, Bytes: row.BytesGone, Finished: fromMicros(row.DoneAt),
		}
		return err
	})
	return o, err
}

// Pending implements policy.PurgeStore.
func (s *Purge) Pending(ctx context.Context, tenant, id string, limit int) (list []policy.PurgeOrder, err error) {
	err = s.read(ctx, func(ctx context.Context, q *purgesql.Queries) error {
		rows, err := q.ListPendingOrders(ctx, purgesql.ListPendingOrdersParams{AfterTenant: tenant, AfterPolicy: id, Most: int64(limit)})
		list = make([]policy.PurgeOrder, len(rows))
		for i, row := range rows {
			list[i] = policy.PurgeOrder{Tenant: row.TenantID, Policy: row.PolicyID}
		}
		return err
	})
	return list, err
}

// Mark implements policy.PurgeStore.
func (s *Purge) Mark(ctx context.Context, p policy.Policy, o policy.PurgeOrder) error {
	return s.db.Write(ctx, func(ctx context.Context, db DBTX) error {
		q := purgesql.New(db)
		n, err := q.MarkPolicy(ctx, purgesql.MarkPolicyParams{UpdatedAt: micros(o.Asked), TenantID: p.Tenant, ID: p.ID, Revision: p.Revision})
		if err == nil && n == 0 {
			return policy.Stale()
		}
		if err != nil {
			return err
		}
		return q.PutOrder(ctx, purgesql.PutOrderParams{
			TenantID: p.Tenant, PolicyID: p.ID, Reason: o.Reason, Contact: o.Contact, Forced: o.Force,
			AskedBy: o.AskedBy, AskedName: o.Name, AskedAt: micros(o.Asked), WasState: string(p.State),
		})
	})
}

// Complete implements policy.PurgeStore.
func (s *Purge) Complete(ctx context.Context, o policy.PurgeOrder) error {
	return s.db.Write(ctx, func(ctx context.Context, db DBTX) error {
		n, err := purgesql.New(db).CompleteOrder(ctx, purgesql.CompleteOrderParams{
			RequestID: o.Request, Digest: o.Digest, Plan: o.Plan, TenantID: o.Tenant, PolicyID: o.Policy, AskedAt: micros(o.Asked),
		})
		if err == nil && n == 0 {
			return policy.Stale()
		}
		return err
	})
}

// Unmark implements policy.PurgeStore.
func (s *Purge) Unmark(ctx context.Context, tenant, id, request string, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, db DBTX) error {
		q := purgesql.New(db)
		o, err := q.GetOrder(ctx, purgesql.GetOrderParams{TenantID: tenant, PolicyID: id})
		if errors.Is(err, sql.ErrNoRows) || err == nil && o.RequestID != request {
			return nil
		}
		if err != nil {
			return err
		}
		n, err := q.UnmarkPolicy(ctx, purgesql.UnmarkPolicyParams{State: o.WasState, UpdatedAt: micros(now), TenantID: tenant, ID: id})
		if err != nil || n == 0 {
			return err
		}
		return reopen(ctx, q, tenant, id, request)
	})
}

// reopen puts the generations of a policy back to use, and drops its order.
func reopen(ctx context.Context, q *purgesql.Queries, tenant, id, request string) error {
	p, err := q.GetPolicyState(ctx, purgesql.GetPolicyStateParams{TenantID: tenant, ID: id})
	if err != nil {
		return err
	}
	if err := q.ReopenGenerations(ctx, purgesql.ReopenGenerationsParams{TenantID: tenant, PolicyID: id}); err != nil {
		return err
	}
	if err := q.ActivateGeneration(ctx, purgesql.ActivateGenerationParams{TenantID: tenant, ID: p.GenerationID}); err != nil {
		return err
	}
	_, err = q.DropOrder(ctx, purgesql.DropOrderParams{TenantID: tenant, PolicyID: id, RequestID: request})
	return err
}

// Close implements policy.PurgeStore.
func (s *Purge) Close(ctx context.Context, id, request string, f operation.Fence) error {
	return s.fenced(ctx, f, func(ctx context.Context, q *purgesql.Queries) error {
		o, err := q.GetOrder(ctx, purgesql.GetOrderParams{TenantID: f.Tenant, PolicyID: id})
		if errors.Is(err, sql.ErrNoRows) || err == nil && o.RequestID != request {
			return policy.Stale()
		}
		if err != nil {
			return err
		}
		p, err := q.GetPolicyState(ctx, purgesql.GetPolicyStateParams{TenantID: f.Tenant, ID: id})
		if err == nil && p.State != string(policy.PendingDeletion) {
			return policy.Stale()
		}
		if err != nil {
			return err
		}
		return q.CloseGenerations(ctx, purgesql.CloseGenerationsParams{TenantID: f.Tenant, PolicyID: id})
	})
}

// Repeat implements policy.PurgeStore.
func (s *Purge) Repeat(ctx context.Context, op operation.Operation) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		n, err := purgesql.New(q).CountOpenOperations(ctx, purgesql.CountOpenOperationsParams{TenantID: op.Tenant, Kind: op.Kind, Subject: op.Subject})
		if err != nil || n > 0 {
			return err
		}
		return AddOperation(ctx, q, op)
	})
}

// errPurged is the refusal of a write under a key that was purged, and into a container that was
// purged as a whole.
func errPurged(ctx context.Context, q DBTX, tenant, container string, version int) error {
	n, err := purgesql.New(q).CountPurged(ctx, purgesql.CountPurgedParams{TenantID: tenant, ContainerID: container, Version: int64(version)})
	if err == nil && n > 0 {
		return fault.New(fault.Conflict, "this content was purged for ever at the order of its owner").WithReason("Purged")
	}
	return err
}
