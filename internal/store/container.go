package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/fault"
	workloadsql "github.com/customerkey/customerkey/internal/store/gen/workload"
	"github.com/customerkey/customerkey/internal/workload"
)

// Container implements workload.Store.
func (s *Workload) Container(ctx context.Context, tenant, kind, name string) (c workload.Container, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := q.GetContainer(ctx, workloadsql.GetContainerParams{TenantID: tenant, Workload: kind, Name: name})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such container")
		}
		c = containerOf(found)
		return err
	})
	return c, err
}

// Containers implements workload.Store.
func (s *Workload) Containers(ctx context.Context, tenant, kind, owner, after string, limit int) (list []workload.Container, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		found, err := listContainers(ctx, q, tenant, kind, owner, after, int64(limit))
		list = make([]workload.Container, len(found))
		for i, f := range found {
			list[i] = containerOf(f)
			list[i].Secret, list[i].SecretVersion = nil, 0
		}
		return err
	})
	return list, err
}

func listContainers(ctx context.Context, q *workloadsql.Queries, tenant, kind, owner, after string, most int64) ([]workloadsql.Container, error) {
	if owner == "" {
		return q.ListContainers(ctx, workloadsql.ListContainersParams{TenantID: tenant, Workload: kind, After: after, Most: most})
	}
	return q.ListOwnedContainers(ctx, workloadsql.ListOwnedContainersParams{TenantID: tenant, Workload: kind, OwnerID: owner, After: after, Most: most})
}

// AddContainer implements workload.Store.
func (s *Workload) AddContainer(ctx context.Context, c workload.Container) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		n, err := q.AddContainer(ctx, workloadsql.AddContainerParams{
			TenantID: c.Tenant, Workload: c.Workload, Name: c.Name,
			ContainerID: c.ID, OwnerID: c.Owner, CreatedAt: micros(c.Created), Geo: c.Geo,
		})
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "there is a container of this name").WithReason(workload.ReasonContainerTaken)
		}
		return err
	})
}

// SetSecret implements workload.Store.
func (s *Workload) SetSecret(ctx context.Context, c workload.Container, from int) error {
	return s.db.Write(ctx, func(ctx context.Context, tx DBTX) error {
		if err := errPurged(ctx, tx, c.Tenant, c.ID, c.SecretVersion); err != nil {
			return err
		}
		n, err := workloadsql.New(tx).SetSecret(ctx, workloadsql.SetSecretParams{
			Secret: c.Secret, SecretVersion: int64(c.SecretVersion),
			TenantID: c.Tenant, Workload: c.Workload, Name: c.Name, FromVersion: int64(from),
		})
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "the container's secret was changed meanwhile").WithReason(workload.ReasonSecretMoved)
		}
		return err
	})
}

func containerOf(c workloadsql.Container) workload.Container {
	return workload.Container{
		Tenant: c.TenantID, Workload: c.Workload, Name: c.Name, ID: c.ContainerID, Owner: c.OwnerID, Geo: c.Geo,
		Created: fromMicros(c.CreatedAt), Secret: c.Secret, SecretVersion: int(c.SecretVersion), Floor: int(c.KeyFloor),
	}
}
