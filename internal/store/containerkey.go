package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
)

func getContainerKey(ctx context.Context, q *hierarchysql.Queries, tenant, container string, version int) (hierarchy.ContainerKey, error) {
	var row hierarchysql.ContainerKey
	var err error
	if version == 0 {
		row, err = q.GetNewestContainerKey(ctx, hierarchysql.GetNewestContainerKeyParams{TenantID: tenant, ContainerID: container})
	} else {
		row, err = q.GetContainerKey(ctx, hierarchysql.GetContainerKeyParams{TenantID: tenant, ContainerID: container, Version: int64(version)})
	}
	if errors.Is(err, sql.ErrNoRows) {
		return hierarchy.ContainerKey{}, fault.New(fault.NotFound, "there is no such version of the container's key")
	}
	return containerKeyOf(row), err
}

// addContainerKey adds a version under an active generation.
func addContainerKey(ctx context.Context, q DBTX, k hierarchy.ContainerKey) error {
	gen := hierarchysql.New(q)
	if err := wantActive(ctx, gen, k); err != nil {
		return err
	}
	n, err := gen.AddContainerKey(ctx, hierarchysql.AddContainerKeyParams{
		TenantID: k.Tenant, ContainerID: k.Container, Version: int64(k.Version), Workload: k.Workload,
		PolicyID: k.Policy, GenerationID: k.Generation, Wrapped: k.Wrapped, CreatedAt: micros(k.Created), Geo: k.Geo,
	})
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "version %d of the container's key exists already", k.Version).
			WithReason(hierarchy.ReasonKeyExists)
	}
	if err != nil {
		return err
	}
	return countOne(ctx, q, k, 1)
}

// MoveContainerKey puts a container key under another generation in the transaction q. See
// hierarchy.Store for its refusals.
func MoveContainerKey(ctx context.Context, q DBTX, k hierarchy.ContainerKey, from string) error {
	gen := hierarchysql.New(q)
	if err := wantActive(ctx, gen, k); err != nil {
		return err
	}
	before, err := getContainerKey(ctx, gen, k.Tenant, k.Container, k.Version)
	if fault.Is(err, fault.NotFound) || err == nil && before.Generation != from {
		return fault.New(fault.Conflict, "the container's key is under another generation by now").
			WithReason(hierarchy.ReasonKeyMoved)
	}
	if err != nil {
		return err
	}
	_, err = gen.MoveContainerKey(ctx, hierarchysql.MoveContainerKeyParams{
		Wrapped: k.Wrapped, PolicyID: k.Policy, GenerationID: k.Generation,
		TenantID: k.Tenant, ContainerID: k.Container, Version: int64(k.Version), FromGeneration: from,
	})
	if err != nil {
		return err
	}
	if err := countOne(ctx, q, before, -1); err != nil {
		return err
	}
	before.Policy, before.Generation = k.Policy, k.Generation
	return countOne(ctx, q, before, 1)
}

// wantActive refuses to put a key under a generation that is not the active one of its policy.
// Both engines run writes one after the other, so the generation stays active until the commit.
func wantActive(ctx context.Context, q *hierarchysql.Queries, k hierarchy.ContainerKey) error {
	n, err := q.CountActive(ctx, hierarchysql.CountActiveParams{TenantID: k.Tenant, PolicyID: k.Policy, ID: k.Generation})
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "the generation of the policy key is not active any more").
			WithReason(hierarchy.ReasonGenerationMoved).WithHint("try again")
	}
	return err
}

// ContainerKeyCursor is a place in the order of a tenant's container keys: the last one that
// was seen. The zero cursor is before all of them.
type ContainerKeyCursor struct {
	Container string
	Version   int
}

// ListContainerKeys returns the next container keys of a tenant after a cursor, at most limit,
// by container and version.
func ListContainerKeys(ctx context.Context, q DBTX, tenant string, after ContainerKeyCursor, limit int32) ([]hierarchy.ContainerKey, error) {
	rows, err := hierarchysql.New(q).ListContainerKeys(ctx, hierarchysql.ListContainerKeysParams{
		TenantID: tenant, AfterContainer: after.Container, AfterVersion: int64(after.Version), Page: limit,
	})
	keys := make([]hierarchy.ContainerKey, len(rows))
	for i, row := range rows {
		keys[i] = containerKeyOf(row)
	}
	return keys, err
}

func containerKeyOf(row hierarchysql.ContainerKey) hierarchy.ContainerKey {
	return hierarchy.ContainerKey{
		Tenant: row.TenantID, Container: row.ContainerID, Version: int(row.Version), Workload: row.Workload, Geo: row.Geo,
		Policy: row.PolicyID, Generation: row.GenerationID, Wrapped: row.Wrapped, Created: fromMicros(row.CreatedAt),
	}
}
