package store

import (
	"context"
	"time"

	workloadsql "github.com/customerkey/customerkey/internal/store/gen/workload"
	"github.com/customerkey/customerkey/internal/workload"
)

// Geos implements workload.Store.
func (s *Workload) Geos(ctx context.Context, tenant string) (geos []workload.Geo, err error) {
	err = s.read(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		rows, err := q.ListGeos(ctx, tenant)
		geos = make([]workload.Geo, len(rows))
		for i, row := range rows {
			geos[i] = workload.Geo{Name: row.Geo, Default: row.IsDefault}
		}
		return err
	})
	return geos, err
}

// PutGeos implements workload.Store.
func (s *Workload) PutGeos(ctx context.Context, tenant string, geos []workload.Geo, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, q *workloadsql.Queries) error {
		for _, g := range geos {
			if g.Default {
				if err := q.UnsetDefaultGeo(ctx, tenant); err != nil {
					return err
				}
			}
			if err := q.AddGeo(ctx, workloadsql.AddGeoParams{TenantID: tenant, Geo: g.Name, IsDefault: g.Default, CreatedAt: micros(now)}); err != nil {
				return err
			}
		}
		return nil
	})
}
