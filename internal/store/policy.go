package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// Policy keeps policies and assignments in the area policy, beside the areas hierarchy and
// operation. It implements policy.Store.
type Policy struct{ db *DB }

// NewPolicy returns the policies of db, which must have been opened with the three areas.
func NewPolicy(db *DB) *Policy { return &Policy{db: db} }

var _ policy.Store = (*Policy)(nil)

// Policy implements policy.Store.
func (s *Policy) Policy(ctx context.Context, tenant, id string) (p policy.Policy, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		p, err = getPolicy(ctx, q, tenant, id)
		return err
	})
	return p, err
}

func getPolicy(ctx context.Context, q DBTX, tenant, id string) (policy.Policy, error) {
	row, err := policysql.New(q).GetPolicy(ctx, policysql.GetPolicyParams{TenantID: tenant, ID: id})
	return policyOf(row, err)
}

// PolicyNamed implements policy.Store.
func (s *Policy) PolicyNamed(ctx context.Context, tenant string, f policy.Family, key string) (p policy.Policy, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := policysql.New(q).GetPolicyByName(ctx, policysql.GetPolicyByNameParams{TenantID: tenant, Family: string(f), NameKey: key})
		p, err = policyOf(row, err)
		return err
	})
	return p, err
}

// Policies implements policy.Store.
func (s *Policy) Policies(ctx context.Context, tenant string, f policy.Family, limit int) (ps []policy.Policy, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := policysql.New(q).ListPolicies(ctx, policysql.ListPoliciesParams{TenantID: tenant, Family: string(f), Limit: page(limit)})
		ps = make([]policy.Policy, len(rows))
		for i, row := range rows {
			ps[i], _ = policyOf(row, nil)
		}
		return err
	})
	return ps, err
}

// page returns a limit as SQL takes it.
func page(limit int) int32 { return int32(min(max(limit, 0), math.MaxInt32)) }

// InForce implements policy.Store.
func (s *Policy) InForce(ctx context.Context, tenant string) (standing []policy.Standing, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		standing, err = inForce(ctx, q, tenant)
		return err
	})
	return standing, err
}

func inForce(ctx context.Context, q DBTX, tenant string) ([]policy.Standing, error) {
	rows, err := policysql.New(q).ListInForce(ctx, tenant)
	standing := make([]policy.Standing, len(rows))
	for i, row := range rows {
		standing[i] = policy.Standing{Family: policy.Family(row.Family), Geo: row.Geo, Policy: row.PolicyID, Generation: row.GenerationID}
	}
	return standing, err
}

// Own implements policy.Store.
func (s *Policy) Own(ctx context.Context, tenant, container string) (own policy.Standing, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := policysql.New(q).GetOwn(ctx, policysql.GetOwnParams{TenantID: tenant, ContainerID: container})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		own = policy.Standing{Family: policy.Mailbox, Policy: row.PolicyID, Generation: row.GenerationID}
		return err
	})
	return own, err
}

// Owns implements policy.Store.
func (s *Policy) Owns(ctx context.Context, tenant, first, last string) (owns map[string]string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := policysql.New(q).ListOwn(ctx, policysql.ListOwnParams{TenantID: tenant, First: first, Last: last})
		owns = make(map[string]string, len(rows))
		for _, row := range rows {
			owns[row.ContainerID] = row.PolicyID
		}
		return err
	})
	return owns, err
}

// CountOwn implements policy.Store.
func (s *Policy) CountOwn(ctx context.Context, tenant, id string) (n int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		n, err = policysql.New(q).CountOwn(ctx, policysql.CountOwnParams{TenantID: tenant, PolicyID: id})
		return err
	})
	return n, err
}

// Generation implements policy.Store.
func (s *Policy) Generation(ctx context.Context, tenant, id string) (g hierarchy.Generation, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		g, err = GetGeneration(ctx, q, tenant, id)
		return err
	})
	return g, err
}

// LiveGenerations implements policy.Store.
func (s *Policy) LiveGenerations(ctx context.Context, tenant string) (gs []hierarchy.Generation, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		gs, err = liveGenerations(ctx, q, tenant)
		return err
	})
	return gs, err
}

func liveGenerations(ctx context.Context, q DBTX, tenant string) ([]hierarchy.Generation, error) {
	rows, err := policysql.New(q).ListLiveGenerations(ctx, tenant)
	gs := make([]hierarchy.Generation, len(rows))
	for i, row := range rows {
		gs[i] = generationOf(hierarchysql.Generation(row)) // the same table, read by another area
	}
	return gs, err
}

// Usage implements policy.Store.
func (s *Policy) Usage(ctx context.Context, tenant string) (u []policy.Usage, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		u, err = usage(ctx, q, tenant)
		return err
	})
	return u, err
}

// ContainerKeys implements policy.Store.
func (s *Policy) ContainerKeys(ctx context.Context, tenant string, after policy.Place, limit int) (keys []hierarchy.ContainerKey, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		keys, err = ListContainerKeys(ctx, q, tenant, ContainerKeyCursor(after), page(limit))
		return err
	})
	return keys, err
}

// policyOf turns a row into a policy.
func policyOf(row policysql.Policy, err error) (policy.Policy, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return policy.Policy{}, fault.New(fault.NotFound, "there is no such policy")
	}
	return policy.Policy{
		Tenant: row.TenantID, ID: row.ID, Family: policy.Family(row.Family), Name: row.Name, Description: row.Description,
		Enabled: row.Enabled, State: policy.State(row.State),
		Roots: [2]hierarchy.RootRef{
			{Tenant: row.Root1Tenant, App: row.Root1App, URI: row.Root1Uri},
			{Tenant: row.Root2Tenant, App: row.Root2App, URI: row.Root2Uri},
		},
		AvailabilityKey: row.AvailabilityKey, Generation: row.GenerationID, Number: int(row.GenerationNumber),
		Revision: row.Revision, Created: fromMicros(row.CreatedAt), Updated: fromMicros(row.UpdatedAt),
	}, err
}
