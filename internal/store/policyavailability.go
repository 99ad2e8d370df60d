package store

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	policysql "github.com/customerkey/customerkey/internal/store/gen/policy"
)

// KeyTenants implements policy.Store.
func (s *Policy) KeyTenants(ctx context.Context, key, after string, limit int) (tenants []string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		tenants, err = policysql.New(q).ListKeyTenants(ctx, policysql.ListKeyTenantsParams{AvailabilityKey: key, TenantID: after, Limit: page(limit)})
		return err
	})
	return tenants, err
}

// NamedKeys implements policy.Store.
func (s *Policy) NamedKeys(ctx context.Context, after policy.NamedKey, limit int) (keys []policy.NamedKey, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := policysql.New(q).ListNamedKeys(ctx, policysql.ListNamedKeysParams{AfterKey: after.Key, AfterTenant: after.Tenant, Most: int64(limit)})
		keys = make([]policy.NamedKey, len(rows))
		for i, row := range rows {
			keys[i] = policy.NamedKey{Key: row.AvailabilityKey, Tenant: row.TenantID}
		}
		return err
	})
	return keys, err
}

// KeyNeed implements policy.Store.
func (s *Policy) KeyNeed(ctx context.Context, key string) (need policy.KeyNeed, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		policies, err := policysql.New(q).CountKeyPolicies(ctx, key)
		if err != nil {
			return err
		}
		generations, err := policysql.New(q).CountKeyGenerations(ctx, key)
		if err != nil {
			return err
		}
		row, err := policysql.New(q).LastKeyGeneration(ctx, key)
		need = policy.KeyNeed{Now: policies+generations > 0, Known: policies+row.Known > 0, Last: fromMicros(row.Last)}
		return err
	})
	return need, err
}

// wantKeyStays refuses to put a generation under an availability key that the purge of another policy
// destroys, or is about to. Who took the key before sees its purge refused, for it is shared then.
func wantKeyStays(ctx context.Context, q *policysql.Queries, g hierarchy.Generation) error {
	purged, err := q.CountKeyPurged(ctx, policysql.CountKeyPurgedParams{AvailabilityKey: g.AvailabilityKey, ID: g.Policy})
	if err != nil {
		return err
	}
	closed, err := q.CountKeyClosed(ctx, policysql.CountKeyClosedParams{AvailabilityKey: g.AvailabilityKey, PolicyID: g.Policy})
	if err == nil && purged+closed > 0 {
		return policy.KeyGoes()
	}
	return err
}

// NewestOperation implements policy.Store.
func (s *Policy) NewestOperation(ctx context.Context, tenant, kind string) (op *operation.Operation, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		op, err = newestOperation(ctx, q, tenant, kind)
		return err
	})
	return op, err
}

// Begin implements policy.Store. It looks with a read first: work that is under way costs no
// write.
func (s *Policy) Begin(ctx context.Context, op operation.Operation, quiet time.Time) (begun bool, err error) {
	at := func(ctx context.Context, q DBTX) error {
		newest, err := newestOperation(ctx, q, op.Tenant, op.Kind)
		begun = err == nil && (newest == nil || newest.State == operation.Done ||
			newest.State.Final() && (quiet.IsZero() || !newest.Finished.After(quiet)))
		return err
	}
	if err := s.db.Read(ctx, at); err != nil || !begun {
		return false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if err := at(ctx, q); err != nil || !begun {
			return err
		}
		return AddOperation(ctx, q, op)
	})
	return begun && err == nil, err
}
