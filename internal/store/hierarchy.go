package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
)

// Hierarchy keeps generations and container keys in the area hierarchy. It implements
// hierarchy.Store. The functions beside it do the same inside a transaction that others
// share: a batch of moved keys and its checkpoint are committed together that way.
type Hierarchy struct{ db *DB }

// NewHierarchy returns the hierarchy of db, which must have been opened with that area.
func NewHierarchy(db *DB) *Hierarchy { return &Hierarchy{db: db} }

var _ hierarchy.Store = (*Hierarchy)(nil)

// Generation implements hierarchy.Store.
func (s *Hierarchy) Generation(ctx context.Context, tenant, id string) (g hierarchy.Generation, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		g, err = GetGeneration(ctx, q, tenant, id)
		return err
	})
	return g, err
}

// ContainerKey implements hierarchy.Store.
func (s *Hierarchy) ContainerKey(ctx context.Context, tenant, container string, version int) (k hierarchy.ContainerKey, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		k, err = getContainerKey(ctx, hierarchysql.New(q), tenant, container, version)
		return err
	})
	return k, err
}

// AddContainerKey implements hierarchy.Store.
func (s *Hierarchy) AddContainerKey(ctx context.Context, k hierarchy.ContainerKey) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return addContainerKey(ctx, q, k) })
}

// MoveContainerKey implements hierarchy.Store.
func (s *Hierarchy) MoveContainerKey(ctx context.Context, k hierarchy.ContainerKey, from string) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return MoveContainerKey(ctx, q, k, from) })
}

// AddGeneration stores a new, active generation in the transaction q, makes the older ones
// of its policy draining, and has its root keys watched. It is fault.Conflict if the id or the number exists.
func AddGeneration(ctx context.Context, q DBTX, g hierarchy.Generation) error {
	gen := hierarchysql.New(q)
	if err := gen.DrainGenerations(ctx, hierarchysql.DrainGenerationsParams{TenantID: g.Tenant, PolicyID: g.Policy}); err != nil {
		return err
	}
	a, b := g.Roots[0], g.Roots[1]
	n, err := gen.AddGeneration(ctx, hierarchysql.AddGenerationParams{
		TenantID: g.Tenant, ID: g.ID, PolicyID: g.Policy, Number: int64(g.Number), State: string(hierarchy.Active),
		Root1Tenant: a.Ref.Tenant, Root1App: a.Ref.App, Root1Uri: a.Ref.URI, Root1Kid: a.KeyID, Root1Alg: a.Alg, Root1Wrapped: a.Wrapped,
		Root2Tenant: b.Ref.Tenant, Root2App: b.Ref.App, Root2Uri: b.Ref.URI, Root2Kid: b.KeyID, Root2Alg: b.Alg, Root2Wrapped: b.Wrapped,
		AvailabilityKey: g.AvailabilityKey, AvailabilityWrapped: g.AvailabilityWrapped, Commitment: g.Commitment,
		CreatedAt: micros(g.Created), Unwrapping: string(g.Unwrapping),
	})
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "generation %d of the policy exists already", g.Number).
			WithHint("another change of the policy came first; try again")
	}
	if err != nil {
		return err
	}
	return watchRoots(ctx, q, g)
}

// GetGeneration returns a generation; fault.NotFound if the tenant has none of that id.
func GetGeneration(ctx context.Context, q DBTX, tenant, id string) (hierarchy.Generation, error) {
	row, err := hierarchysql.New(q).GetGeneration(ctx, hierarchysql.GetGenerationParams{TenantID: tenant, ID: id})
	if errors.Is(err, sql.ErrNoRows) {
		return hierarchy.Generation{}, fault.New(fault.NotFound, "there is no such generation of a policy key")
	}
	return generationOf(row), err
}

// ListGenerations returns all generations of a policy, oldest first.
func ListGenerations(ctx context.Context, q DBTX, tenant, policy string) ([]hierarchy.Generation, error) {
	rows, err := hierarchysql.New(q).ListGenerations(ctx, hierarchysql.ListGenerationsParams{TenantID: tenant, PolicyID: policy})
	if err != nil {
		return nil, err
	}
	gs := make([]hierarchy.Generation, len(rows))
	for i, row := range rows {
		gs[i] = generationOf(row)
	}
	return gs, nil
}

// DestroyGeneration empties the wrapped copies of a draining generation under which no
// container key is left. destroyed is false, and nothing changes, in any other state.
// Whoever calls it drops the leases of the generation (hierarchy.Keyring.Drop) afterwards.
func DestroyGeneration(ctx context.Context, q DBTX, tenant, id string, now time.Time) (destroyed bool, err error) {
	gen := hierarchysql.New(q)
	keys, err := gen.CountKeysUnder(ctx, hierarchysql.CountKeysUnderParams{TenantID: tenant, GenerationID: id})
	if err != nil || keys > 0 {
		return false, err
	}
	if err := gen.ForgetEmptyCounts(ctx, tenant); err != nil {
		return false, err
	}
	n, err := gen.DestroyGeneration(ctx, hierarchysql.DestroyGenerationParams{
		Nothing: []byte{}, DestroyedAt: micros(now), TenantID: tenant, ID: id,
	})
	return n == 1, err
}

func generationOf(row hierarchysql.Generation) hierarchy.Generation {
	return hierarchy.Generation{
		Tenant: row.TenantID, ID: row.ID, Policy: row.PolicyID, Number: int(row.Number), State: hierarchy.GenerationState(row.State),
		Unwrapping: hierarchy.Unwrapping(row.Unwrapping),
		Roots: [2]hierarchy.RootCopy{
			{
				Ref:   hierarchy.RootRef{Tenant: row.Root1Tenant, App: row.Root1App, URI: row.Root1Uri},
				KeyID: row.Root1Kid, Alg: row.Root1Alg, Wrapped: row.Root1Wrapped,
			},
			{
				Ref:   hierarchy.RootRef{Tenant: row.Root2Tenant, App: row.Root2App, URI: row.Root2Uri},
				KeyID: row.Root2Kid, Alg: row.Root2Alg, Wrapped: row.Root2Wrapped,
			},
		},
		AvailabilityKey: row.AvailabilityKey, AvailabilityWrapped: row.AvailabilityWrapped, Commitment: row.Commitment,
		Created: fromMicros(row.CreatedAt), Destroyed: fromMicros(row.DestroyedAt),
	}
}
