package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
	workloadsql "github.com/customerkey/customerkey/internal/store/gen/workload"
	"github.com/customerkey/customerkey/internal/workload"
)

// ContainerOf implements workload.Store.
func (s *Workload) ContainerOf(ctx context.Context, tenant, id string) (c workload.Container, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.GetContainerByID(ctx, workloadsql.GetContainerByIDParams{TenantID: tenant, ContainerID: id})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such container")
		}
		c = containerOf(found)
		return err
	})
	return c, err
}

// ContainersAfter implements workload.Store.
func (s *Workload) ContainersAfter(ctx context.Context, tenant, after string, limit int) (list []workload.Container, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.ListContainersByID(ctx, workloadsql.ListContainersByIDParams{TenantID: tenant, After: after, Most: int64(limit)})
		list = make([]workload.Container, len(found))
		for i, f := range found {
			list[i] = containerOf(f)
		}
		return err
	})
	return list, err
}

// Tally implements workload.Store.
func (s *Workload) Tally(ctx context.Context, tenant, container string, least int64) (t workload.Tally, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		row, err := q.CountItems(ctx, workloadsql.CountItemsParams{Least: least, TenantID: tenant, ContainerID: container})
		t = workload.Tally{Items: row.Items, Bytes: row.Bytes, Weight: row.Weight}
		return err
	})
	return t, err
}

// Versions implements workload.Store.
func (s *Workload) Versions(ctx context.Context, tenant, container string) (keys []hierarchy.ContainerKey, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		keys, err = containerKeyVersions(ctx, q, tenant, container)
		return err
	})
	return keys, err
}

// containerKeyVersions returns the versions of a container's key, oldest first.
func containerKeyVersions(ctx context.Context, q DBTX, tenant, container string) ([]hierarchy.ContainerKey, error) {
	rows, err := hierarchysql.New(q).ListContainerKeyVersions(ctx, hierarchysql.ListContainerKeyVersionsParams{TenantID: tenant, ContainerID: container})
	keys := make([]hierarchy.ContainerKey, len(rows))
	for i, row := range rows {
		keys[i] = containerKeyOf(row)
	}
	return keys, err
}

// RaiseFloor implements workload.Store.
func (s *Workload) RaiseFloor(ctx context.Context, tenant, container string, version int) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		return q.RaiseFloor(ctx, workloadsql.RaiseFloorParams{Floor: int64(version), TenantID: tenant, ContainerID: container})
	})
}

// wantFloor refuses to write under a version of the container's key that is on its way out.
func wantFloor(ctx context.Context, q *workloadsql.Queries, row workload.Row) error {
	floor, err := q.GetFloor(ctx, workloadsql.GetFloorParams{TenantID: row.Tenant, ContainerID: row.Container})
	if err == nil && int64(row.KeyVersion) < floor {
		return fault.New(fault.Conflict, "the container was encrypted anew meanwhile").
			WithReason(workload.ReasonKeyRetired).WithHint("try again")
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// ItemsBelow implements workload.Store.
func (s *Workload) ItemsBelow(ctx context.Context, tenant, container string, floor int, after string, limit int) (rows []workload.Row, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.ListItemsBelow(ctx, workloadsql.ListItemsBelowParams{
			TenantID: tenant, ContainerID: container, After: after, Floor: int64(floor), Most: int64(limit),
		})
		rows = make([]workload.Row, len(found))
		for i, f := range found {
			rows[i] = itemRow(f)
		}
		return err
	})
	return rows, err
}

// errSuperseded undoes an exchange whose item is another one by now.
var errSuperseded = errors.New("store: the item was replaced or deleted")

// Exchange implements workload.Store.
func (s *Workload) Exchange(ctx context.Context, row workload.Row, from string, now time.Time) (bool, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx DBTX) error {
		q := workloadsql.New(tx)
		if err := errPurged(ctx, tx, row.Tenant, row.Container, row.KeyVersion); err != nil {
			return err
		}
		if err := wantFloor(ctx, q, row); err != nil {
			return err
		}
		if err := takeIntent(ctx, q, row); err != nil {
			return err
		}
		n, err := q.ReplaceSealed(ctx, workloadsql.ReplaceSealedParams{
			BlobID: row.Blob, KeyVersion: int64(row.KeyVersion), ItemKey: row.ItemKey, Metadata: row.Metadata,
			TenantID: row.Tenant, ContainerID: row.Container, ItemID: row.Item, Version: row.Version, FromBlob: from,
		})
		if err == nil && n == 0 {
			err = errSuperseded
		}
		if err != nil {
			return err
		}
		return q.AddIntent(ctx, workloadsql.AddIntentParams{TenantID: row.Tenant, BlobID: from, DueAt: micros(now)})
	})
	if errors.Is(err, errSuperseded) {
		return false, nil
	}
	return err == nil, err
}

// DestroyVersions implements workload.Store.
func (s *Workload) DestroyVersions(ctx context.Context, tenant, container string, floor int) (destroyed int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		destroyed = 0
		needed, err := needsVersionsBelow(ctx, workloadsql.New(q), tenant, container, int64(floor))
		if err != nil || needed {
			return err
		}
		keys, err := containerKeyVersions(ctx, q, tenant, container)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.Version >= floor {
				break
			}
			if err := deleteContainerKey(ctx, q, k); err != nil {
				return err
			}
			destroyed++
		}
		return nil
	})
	return destroyed, err
}

// needsVersionsBelow reports whether an item or the secret of a container is under a version
// of its key below the floor.
func needsVersionsBelow(ctx context.Context, q *workloadsql.Queries, tenant, container string, floor int64) (bool, error) {
	items, err := q.CountItemsBelow(ctx, workloadsql.CountItemsBelowParams{TenantID: tenant, ContainerID: container, KeyVersion: floor})
	if err != nil {
		return true, err
	}
	secrets, err := q.CountSecretBelow(ctx, workloadsql.CountSecretBelowParams{TenantID: tenant, ContainerID: container, SecretVersion: floor})
	return items+secrets > 0, err
}

// deleteContainerKey removes a version of a container's key. SQLite overwrites what the row held.
func deleteContainerKey(ctx context.Context, q DBTX, k hierarchy.ContainerKey) error {
	_, err := hierarchysql.New(q).DeleteContainerKey(ctx, hierarchysql.DeleteContainerKeyParams{
		TenantID: k.Tenant, ContainerID: k.Container, Version: int64(k.Version),
	})
	if err != nil {
		return err
	}
	return countOne(ctx, q, k, -1)
}
