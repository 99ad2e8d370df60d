package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	operationsql "github.com/customerkey/customerkey/internal/store/gen/operation"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// Apply implements policy.Store.
func (s *Policy) Apply(ctx context.Context, e policy.Edit) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if e.Policy != nil {
			if err := putPolicy(ctx, policysql.New(q), *e.Policy); err != nil {
				return err
			}
			if err := keepMostActive(ctx, policysql.New(q), *e.Policy, e.MostActive); err != nil {
				return err
			}
		}
		if e.Generation != nil {
			if err := AddGeneration(ctx, q, *e.Generation); err != nil {
				return err
			}
		}
		if e.Assignment != nil {
			if err := setAssignment(ctx, q, e.Tenant, *e.Assignment); err != nil {
				return err
			}
		}
		if e.Reassignment != nil {
			if err := reassign(ctx, q, e.Tenant, *e.Reassignment); err != nil {
				return err
			}
		}
		if e.Operation != nil {
			return addUnlessWaiting(ctx, q, *e.Operation)
		}
		return nil
	})
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

// setAssignment puts a policy in force for a container of its own, or for a family.
func setAssignment(ctx context.Context, tx DBTX, tenant string, a policy.Assignment) error {
	if err := wantAssignable(ctx, tx, tenant, a.Policy); err != nil {
		return err
	}
	q := policysql.New(tx)
	switch {
	case a.Container != "" && a.Policy == "":
		return q.ClearOwn(ctx, policysql.ClearOwnParams{TenantID: tenant, ContainerID: a.Container})
	case a.Container != "":
		return q.SetOwn(ctx, policysql.SetOwnParams{TenantID: tenant, ContainerID: a.Container, PolicyID: a.Policy})
	case a.Policy == "":
		return q.ClearInForce(ctx, policysql.ClearInForceParams{TenantID: tenant, Family: string(a.Family), Geo: a.Geo})
	}
	return q.SetInForce(ctx, policysql.SetInForceParams{TenantID: tenant, Family: string(a.Family), Geo: a.Geo, PolicyID: a.Policy})
}

// reassign gives all containers that have one policy for themselves another, or none.
func reassign(ctx context.Context, tx DBTX, tenant string, r policy.Reassignment) error {
	if err := wantAssignable(ctx, tx, tenant, r.To); err != nil {
		return err
	}
	if r.To == "" {
		return policysql.New(tx).ClearOwns(ctx, policysql.ClearOwnsParams{TenantID: tenant, PolicyID: r.From})
	}
	return policysql.New(tx).MoveOwns(ctx, policysql.MoveOwnsParams{ToPolicy: r.To, TenantID: tenant, FromPolicy: r.From})
}

// wantAssignable refuses a policy that nothing can be put under any more. Both engines run
// writes one after the other, so it stays as it is until the commit.
func wantAssignable(ctx context.Context, tx DBTX, tenant, id string) error {
	if id == "" {
		return nil
	}
	p, err := getPolicy(ctx, tx, tenant, id)
	if err != nil {
		return err
	}
	return p.Assignable()
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

// addUnlessWaiting adds an operation, unless one of its kind has not begun yet: that one will
// see this change too.
func addUnlessWaiting(ctx context.Context, q DBTX, op operation.Operation) error {
	n, err := operationsql.New(q).CountUnstarted(ctx, operationsql.CountUnstartedParams{TenantID: op.Tenant, Kind: op.Kind})
	if err != nil || n > 0 {
		return err
	}
	return AddOperation(ctx, q, op)
}

// Move implements policy.Store.
func (s *Policy) Move(ctx context.Context, moves []policy.Move, f operation.Fence) (left int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		left = 0
		for _, m := range moves {
			err := MoveContainerKey(ctx, q, m.Key, m.From)
			switch {
			case overtaken(err):
				left++
			case err != nil:
				return err
			}
		}
		return SaveOperation(ctx, q, f)
	})
	return left, err
}

// overtaken reports whether a move was refused because somebody else came first.
func overtaken(err error) bool {
	if !fault.Is(err, fault.Conflict) {
		return false
	}
	reason := fault.As(err).Reason
	return reason == hierarchy.ReasonKeyMoved || reason == hierarchy.ReasonGenerationMoved
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
		p = policy.Picture{Current: map[string]string{}}
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
	rows, err := policysql.New(q).ListCurrentGenerations(ctx, tenant)
	if err != nil {
		return err
	}
	for _, row := range rows {
		p.Current[row.ID] = row.GenerationID
	}
	p.Operation, err = newestOperation(ctx, q, tenant, kind)
	return err
}

// newestOperation returns the tenant's newest operation of a kind, nil if there was none.
func newestOperation(ctx context.Context, q DBTX, tenant, kind string) (*operation.Operation, error) {
	row, err := operationsql.New(q).NewestOperation(ctx, operationsql.NewestOperationParams{TenantID: tenant, Kind: kind})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	op := operationOf(row)
	return &op, err
}
