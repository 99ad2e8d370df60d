package store

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	workloadsql "github.com/customerkey/customerkey/internal/store/gen/workload"
	"github.com/customerkey/customerkey/internal/workload"
)

// Intend implements workload.Store.
func (s *Workload) Intend(ctx context.Context, i workload.Intent) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		return q.AddIntent(ctx, workloadsql.AddIntentParams{TenantID: i.Tenant, BlobID: i.Blob, DueAt: micros(i.Due)})
	})
}

// Extend implements workload.Store.
func (s *Workload) Extend(ctx context.Context, i workload.Intent) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		n, err := q.ExtendIntent(ctx, workloadsql.ExtendIntentParams{DueAt: micros(i.Due), TenantID: i.Tenant, BlobID: i.Blob})
		if err == nil && n == 0 {
			return errUploadExpired()
		}
		return err
	})
}

// Due implements workload.Store.
func (s *Workload) Due(ctx context.Context, now time.Time, after workload.Intent, limit int) (list []workload.Intent, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.ListIntents(ctx, workloadsql.ListIntentsParams{
			Now: micros(now), AfterDue: micros(after.Due), AfterTenant: after.Tenant, AfterBlob: after.Blob, Most: int64(limit),
		})
		list = make([]workload.Intent, len(found))
		for i, f := range found {
			list[i] = workload.Intent{Tenant: f.TenantID, Blob: f.BlobID, Due: fromMicros(f.DueAt)}
		}
		return err
	})
	return list, err
}

// Condemn implements workload.Store.
func (s *Workload) Condemn(ctx context.Context, i workload.Intent) (doomed bool, err error) {
	err = s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		doomed = false
		items, err := q.CountBlobUsers(ctx, workloadsql.CountBlobUsersParams{TenantID: i.Tenant, BlobID: i.Blob})
		if err != nil {
			return err
		}
		if items > 0 { // no write leaves both behind; if it happens the item counts
			return q.DropIntent(ctx, workloadsql.DropIntentParams{TenantID: i.Tenant, BlobID: i.Blob})
		}
		n, err := q.CondemnIntent(ctx, workloadsql.CondemnIntentParams{TenantID: i.Tenant, BlobID: i.Blob})
		doomed = err == nil && n == 1
		return err
	})
	return doomed, err
}

// Settle implements workload.Store.
func (s *Workload) Settle(ctx context.Context, i workload.Intent) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		return q.DropIntent(ctx, workloadsql.DropIntentParams{TenantID: i.Tenant, BlobID: i.Blob})
	})
}

func errUploadExpired() error {
	return fault.New(fault.Conflict, "the upload was given up because nothing came for too long").
		WithReason(workload.ReasonUploadExpired).
		WithHint("send the content again")
}
