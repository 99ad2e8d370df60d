package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	hierarchysql "github.com/customerkey/customerkey/internal/store/gen/hierarchy"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// A tally is what one transaction changes in the counts of a tenant's container keys. Every
// transaction that adds, moves or removes keys, or gives their containers another policy of
// their own, writes one as its last statement: the counts are always exact.
type tally map[policy.Usage]int64 // Keys is 0 in each

// add counts n more keys like k.
func (t tally) add(k hierarchy.ContainerKey, own string, n int64) {
	t[policy.Usage{Workload: k.Workload, Geo: k.Geo, Own: own, Policy: k.Policy, Generation: k.Generation}] += n
}

// write puts the tally into the counts.
func (t tally) write(ctx context.Context, q DBTX, tenant string) error {
	gen := hierarchysql.New(q)
	for u, n := range t {
		if n == 0 {
			continue
		}
		err := gen.AddToCount(ctx, hierarchysql.AddToCountParams{
			TenantID: tenant, Workload: u.Workload, Geo: u.Geo, Own: u.Own, PolicyID: u.Policy, GenerationID: u.Generation, Keys: n,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// countOne counts n more keys like k.
func countOne(ctx context.Context, q DBTX, k hierarchy.ContainerKey, n int64) error {
	own, err := ownPolicy(ctx, q, k.Tenant, k.Container)
	if err != nil {
		return err
	}
	t := tally{}
	t.add(k, own, n)
	return t.write(ctx, q, k.Tenant)
}

// ownPolicy returns the policy that a container has for itself, "" if none.
func ownPolicy(ctx context.Context, q DBTX, tenant, container string) (string, error) {
	own, err := policysql.New(q).GetOwnPolicy(ctx, policysql.GetOwnPolicyParams{TenantID: tenant, ContainerID: container})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return own, err
}

// recountOwn counts the keys of a container as those of one whose own policy is to, no longer
// from.
func recountOwn(ctx context.Context, q DBTX, tenant, container, from, to string) error {
	keys, err := containerKeyVersions(ctx, q, tenant, container)
	if err != nil || from == to {
		return err
	}
	t := tally{}
	for _, k := range keys {
		t.add(k, from, -1)
		t.add(k, to, 1)
	}
	return t.write(ctx, q, tenant)
}

// recountOwns does so for all containers with the own policy r.From.
func recountOwns(ctx context.Context, q DBTX, tenant string, r policy.Reassignment) error {
	counts, err := usage(ctx, q, tenant)
	if err != nil || r.From == r.To {
		return err
	}
	t := tally{}
	for _, u := range counts {
		if u.Own != r.From {
			continue
		}
		n := u.Keys
		u.Keys = 0
		t[u] -= n
		u.Own = r.To
		t[u] += n
	}
	return t.write(ctx, q, tenant)
}

// usage returns the counts of a tenant's keys.
func usage(ctx context.Context, q DBTX, tenant string) ([]policy.Usage, error) {
	rows, err := hierarchysql.New(q).ListCounts(ctx, tenant)
	u := make([]policy.Usage, len(rows))
	for i, row := range rows {
		u[i] = policy.Usage{Workload: row.Workload, Geo: row.Geo, Own: row.Own, Policy: row.PolicyID, Generation: row.GenerationID, Keys: row.Keys}
	}
	return u, err
}

// Needed implements policy.Store.
func (s *Policy) Needed(ctx context.Context, tenant string) (under map[string]int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := hierarchysql.New(q).CountByGeneration(ctx, tenant)
		under = make(map[string]int64, len(rows))
		for _, row := range rows {
			under[row.GenerationID] = row.Keys
		}
		return err
	})
	return under, err
}

// Recount implements policy.Store.
func (s *Policy) Recount(ctx context.Context, tenant string) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		gen := policysql.New(q)
		if err := gen.ForgetCounts(ctx, tenant); err != nil {
			return err
		}
		return gen.CountAnew(ctx, tenant)
	})
}
