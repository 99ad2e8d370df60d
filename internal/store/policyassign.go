package store

import (
	"context"

	"github.com/customerkey/customerkey/internal/policy"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// setAssignment puts a policy in force for a container of its own, or for a family.
func setAssignment(ctx context.Context, tx DBTX, tenant string, a policy.Assignment) error {
	if err := wantAssignable(ctx, tx, tenant, a.Policy); err != nil {
		return err
	}
	q := policysql.New(tx)
	switch {
	case a.Container != "":
		return setOwn(ctx, tx, tenant, a)
	case a.Policy == "":
		return q.ClearInForce(ctx, policysql.ClearInForceParams{TenantID: tenant, Family: string(a.Family), Geo: a.Geo})
	}
	return q.SetInForce(ctx, policysql.SetInForceParams{TenantID: tenant, Family: string(a.Family), Geo: a.Geo, PolicyID: a.Policy})
}

// setOwn gives a container a policy for itself, or takes it away.
func setOwn(ctx context.Context, tx DBTX, tenant string, a policy.Assignment) error {
	q := policysql.New(tx)
	before, err := ownPolicy(ctx, tx, tenant, a.Container)
	if err != nil {
		return err
	}
	if a.Policy == "" {
		err = q.ClearOwn(ctx, policysql.ClearOwnParams{TenantID: tenant, ContainerID: a.Container})
	} else {
		err = q.SetOwn(ctx, policysql.SetOwnParams{TenantID: tenant, ContainerID: a.Container, PolicyID: a.Policy})
	}
	if err != nil {
		return err
	}
	return recountOwn(ctx, tx, tenant, a.Container, before, a.Policy)
}

// reassign gives all containers that have one policy for themselves another, or none.
func reassign(ctx context.Context, tx DBTX, tenant string, r policy.Reassignment) error {
	if err := wantAssignable(ctx, tx, tenant, r.To); err != nil {
		return err
	}
	q, err := policysql.New(tx), error(nil)
	if r.To == "" {
		err = q.ClearOwns(ctx, policysql.ClearOwnsParams{TenantID: tenant, PolicyID: r.From})
	} else {
		err = q.MoveOwns(ctx, policysql.MoveOwnsParams{ToPolicy: r.To, TenantID: tenant, FromPolicy: r.From})
	}
	if err != nil {
		return err
	}
	return recountOwns(ctx, tx, tenant, r)
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
