package store

import (
	"context"

	rehearsalsql "github.com/customerkey/customerkey/internal/store/gen/rehearsal"
	"github.com/customerkey/customerkey/internal/workload"
)

// UnderPolicy implements workload.Store.
func (s *Workload) UnderPolicy(ctx context.Context, tenant, policy string) (list []workload.Extent, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := rehearsalsql.New(q).UnderPolicy(ctx, rehearsalsql.UnderPolicyParams{TenantID: tenant, PolicyID: policy})
		list = make([]workload.Extent, len(rows))
		for i, row := range rows {
			list[i] = workload.Extent{Workload: row.Workload, Containers: row.Containers, Items: row.Items}
		}
		return err
	})
	return list, err
}

// SampleItems implements workload.Store. It reads an entry of each item under the policy.
func (s *Workload) SampleItems(ctx context.Context, tenant, policy, of string, most int) (list []workload.Place, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := rehearsalsql.New(q).SampleItems(ctx, rehearsalsql.SampleItemsParams{TenantID: tenant, PolicyID: policy, Workload: of, Limit: page(most)})
		list = make([]workload.Place, len(rows))
		for i, row := range rows {
			list[i] = workload.Place{Container: row.ContainerID, Item: row.ItemID}
		}
		return err
	})
	return list, err
}
