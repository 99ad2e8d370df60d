package store

import (
	"context"

	"github.com/customerkey/customerkey/internal/hierarchy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// Progress implements policy.Store.
func (s *Policy) Progress(ctx context.Context, tenant, generation string) (percent int, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		n, err := policysql.New(q).GetProgress(ctx, policysql.GetProgressParams{TenantID: tenant, GenerationID: generation})
		percent = int(n)
		return err
	})
	return percent, err
}

// RaiseProgress implements policy.Store.
func (s *Policy) RaiseProgress(ctx context.Context, tenant, generation string, percent int) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		return policysql.New(q).RaiseProgress(ctx, policysql.RaiseProgressParams{
			TenantID: tenant, GenerationID: generation, Percent: int64(percent),
		})
	})
}

// restoreGeneration gives a generation that is not destroyed other root copies, and has those
// roots watched. One that was destroyed meanwhile needs none.
func restoreGeneration(ctx context.Context, q DBTX, g hierarchy.Generation) error {
	a, b := g.Roots[0], g.Roots[1]
	n, err := hierarchysql.New(q).RestoreGeneration(ctx, hierarchysql.RestoreGenerationParams{
		Root1Tenant: a.Ref.Tenant, Root1App: a.Ref.App, Root1Uri: a.Ref.URI, Root1Kid: a.KeyID, Root1Alg: a.Alg, Root1Wrapped: a.Wrapped,
		Root2Tenant: b.Ref.Tenant, Root2App: b.Ref.App, Root2Uri: b.Ref.URI, Root2Kid: b.KeyID, Root2Alg: b.Alg, Root2Wrapped: b.Wrapped,
		TenantID: g.Tenant, ID: g.ID,
	})
	if err != nil || n == 0 {
		return err
	}
	return watchRoots(ctx, q, g)
}
