package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	operationsql "github.com/customerkey/customerkey/internal/store/gen/operation"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// Apply implements policy.Store.
func (s *Policy) Apply(ctx context.Context, e policy.Edit) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error { return applyEdit(ctx, q, e) })
}

func applyEdit(ctx context.Context, q DBTX, e policy.Edit) error {
	if e.Policy != nil {
		if err := putPolicy(ctx, policysql.New(q), *e.Policy); err != nil {
			return err
		}
		if err := keepMostActive(ctx, policysql.New(q), *e.Policy, e.MostActive); err != nil {
			return err
		}
	}
	if e.Generation != nil {
		if err := wantKeyStays(ctx, policysql.New(q), *e.Generation); err != nil {
			return err
		}
		if err := AddGeneration(ctx, q, *e.Generation); err != nil {
			return err
		}
	}
	for _, g := range e.Restored {
		if err := restoreGeneration(ctx, q, g); err != nil {
			return err
		}
	}
	if e.Recovery != nil {
		if err := putRecovery(ctx, q, *e.Recovery); err != nil {
			return err
		}
	}
	if e.Assignment != nil {
		if err := setAssignment(ctx, q, e.Tenant, *e.Assignment); err != nil {
			return err
		}
	}
	if e.Left != "" {
		if err := policysql.New(q).ClearEverywhere(ctx, policysql.ClearEverywhereParams{TenantID: e.Tenant, PolicyID: e.Left}); err != nil {
			return err
		}
	}
	if e.Reassignment != nil {
		if err := reassign(ctx, q, e.Tenant, *e.Reassignment); err != nil {
			return err
		}
	}
	if e.Operation != nil {
		return callOrAdd(ctx, q, *e.Operation)
	}
	return nil
}

// putPolicy adds a policy, or replaces the revision of it that p names.
func putPolicy(ctx context.Context, q *policysql.Queries, p policy.Policy) error {
	if p.Revision == 0 {
		return addPolicy(ctx, q, p)
	}
	a, b := p.Roots[0], p.Roots[1]
	n, err := q.ReplacePolicy(ctx, policysql.ReplacePolicyParams{
		Root1Tenant: a.Tenant, Root1App: a.App, Root1Uri: a.URI, Root2Tenant: b.Tenant, Root2App: b.App, Root2Uri: b.URI,
		Name: p.Name, NameKey: policy.FoldName(p.Name), Description: p.Description, Enabled: p.Enabled, State: string(p.State),
		GenerationID: p.Generation, GenerationNumber: int64(p.Number), AvailabilityKey: p.AvailabilityKey, UpdatedAt: micros(p.Updated),
		TenantID: p.Tenant, ID: p.ID, Revision: p.Revision,
	})
	switch {
	case IsUnique(err):
		return policy.NameTaken(p.Name)
	case err == nil && n == 0:
		return policy.Stale()
	}
	return err
}

func addPolicy(ctx context.Context, q *policysql.Queries, p policy.Policy) error {
	a, b := p.Roots[0], p.Roots[1]
	n, err := q.AddPolicy(ctx, policysql.AddPolicyParams{
		TenantID: p.Tenant, ID: p.ID, Family: string(p.Family), Name: p.Name, NameKey: policy.FoldName(p.Name),
		Description: p.Description, Enabled: p.Enabled, State: string(p.State),
		Root1Tenant: a.Tenant, Root1App: a.App, Root1Uri: a.URI, Root2Tenant: b.Tenant, Root2App: b.App, Root2Uri: b.URI,
		AvailabilityKey: p.AvailabilityKey, GenerationID: p.Generation, GenerationNumber: int64(p.Number),
		CreatedAt: micros(p.Created), UpdatedAt: micros(p.Updated),
	})
	if err == nil && n == 0 {
		return policy.NameTaken(p.Name)
	}
	return err
}

// keepMostActive refuses what would make one enabled policy of a family too many.
func keepMostActive(ctx context.Context, q *policysql.Queries, p policy.Policy, most int) error {
	if most == 0 {
		return nil
	}
	n, err := q.CountEnabled(ctx, policysql.CountEnabledParams{TenantID: p.Tenant, Family: string(p.Family)})
	if err == nil && n > int64(most) {
		return policy.TooManyActive(most)
	}
	return err
}

// DestroyGeneration implements policy.Store.
func (s *Policy) DestroyGeneration(ctx context.Context, id string, f operation.Fence) (destroyed bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if err := SaveOperation(ctx, q, f); err != nil {
			return err
		}
		destroyed, err = DestroyGeneration(ctx, q, f.Tenant, id, f.At)
		return err
	})
	return destroyed && err == nil, err
}

// Picture implements policy.Store.
func (s *Policy) Picture(ctx context.Context, tenant, id, kind string) (p policy.Picture, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		p = policy.Picture{}
		if p.Policy, err = getPolicy(ctx, q, tenant, id); err != nil {
			return err
		}
		if p.Generations, err = ListGenerations(ctx, q, tenant, id); err != nil {
			return err
		}
		if p.Live, err = liveGenerations(ctx, q, tenant); err != nil {
			return err
		}
		if p.InForce, err = inForce(ctx, q, tenant); err != nil {
			return err
		}
		if p.Usage, err = usage(ctx, q, tenant); err != nil {
			return err
		}
		if p.Owned, err = policysql.New(q).CountOwn(ctx, policysql.CountOwnParams{TenantID: tenant, PolicyID: id}); err != nil {
			return err
		}
		return completePicture(ctx, q, tenant, kind, &p)
	})
	return p, err
}

// completePicture adds what needs a look at all policies and at the operations.
func completePicture(ctx context.Context, q DBTX, tenant, kind string, p *policy.Picture) error {
	var err error
	if p.Current, err = currentGenerations(ctx, q, tenant); err != nil {
		return err
	}
	p.Operation, err = newestOperation(ctx, q, tenant, kind)
	return err
}

// currentGenerations returns the active generation of each of a tenant's policies.
func currentGenerations(ctx context.Context, q DBTX, tenant string) (map[string]string, error) {
	rows, err := policysql.New(q).ListCurrentGenerations(ctx, tenant)
	current := make(map[string]string, len(rows))
	for _, row := range rows {
		current[row.ID] = row.GenerationID
	}
	return current, err
}

// newestOperation returns the tenant's operation of a kind that is open, else the newest one,
// nil if there was none.
func newestOperation(ctx context.Context, q DBTX, tenant, kind string) (*operation.Operation, error) {
	row, err := operationsql.New(q).PresentOperation(ctx, operationsql.PresentOperationParams{TenantID: tenant, Kind: kind})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	op := operationOf(row)
	return &op, err
}
