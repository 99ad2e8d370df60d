package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	availabilitysql "github.com/customerkey/customerkey/internal/store/gen/availability"
)

// AddUse implements availability.Store.
func (s *Availability) AddUse(ctx context.Context, r availability.Record, day int64) error {
	return s.db.Write(ctx, func(ctx context.Context, db DBTX) error {
		q := availabilitysql.New(db)
		last, err := lastDay(ctx, q, r.Tenant, r.Policy, day)
		if err != nil {
			return err
		}
		limit, err := limitOf(ctx, q, r.Tenant, r.Policy)
		if err != nil {
			return err
		}
		if r.AfterDenial && limit != nil && last.Denials >= int64(*limit) {
			return availability.LimitReached(*limit)
		}
		count := availabilitysql.CountUseParams{TenantID: r.Tenant, PolicyID: r.Policy, Day: last.Day, Outages: 1}
		if r.AfterDenial {
			count.Outages, count.Denials = 0, 1
		}
		if err := q.CountUse(ctx, count); err != nil {
			return err
		}
		return addUse(ctx, q, r)
	})
}

// lastDay returns what is counted on day, or on the policy's last day if that is later.
func lastDay(ctx context.Context, q *availabilitysql.Queries, tenant, policy string, day int64) (availabilitysql.AvailabilityDay, error) {
	last, err := q.LastDay(ctx, availabilitysql.LastDayParams{TenantID: tenant, PolicyID: policy})
	if errors.Is(err, sql.ErrNoRows) || err == nil && last.Day < day {
		return availabilitysql.AvailabilityDay{Day: day}, nil
	}
	return last, err
}

// limitOf returns the tenant's limit, nil if there is none.
func limitOf(ctx context.Context, q *availabilitysql.Queries, tenant, policy string) (*int, error) {
	perDay, err := q.GetLimit(ctx, availabilitysql.GetLimitParams{TenantID: tenant, PolicyID: policy})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	n := int(perDay)
	return &n, err
}

func addUse(ctx context.Context, q *availabilitysql.Queries, r availability.Record) error {
	return q.AddUse(ctx, availabilitysql.AddUseParams{
		TenantID: r.Tenant, ID: r.ID, PolicyID: r.Policy, GenerationID: r.Generation, KeyID: r.Key, Cause: r.Cause, AfterDenial: r.AfterDenial,
		CallerKind: string(r.Caller.Kind), CallerID: r.Caller.ID, CallerName: r.Caller.Name, CallerApp: r.Caller.App,
		Address: r.Caller.Address, Request: r.Caller.Request, UsedAt: micros(r.Time),
	})
}

// Usage implements availability.Store.
func (s *Availability) Usage(ctx context.Context, tenant, policy string, day int64) (u availability.Usage, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, db DBTX) error {
		q := availabilitysql.New(db)
		last, err := lastDay(ctx, q, tenant, policy, day)
		if err != nil {
			return err
		}
		sum, err := q.SumDays(ctx, availabilitysql.SumDaysParams{TenantID: tenant, PolicyID: policy})
		if err != nil {
			return err
		}
		u = availability.Usage{Today: last.Outages + last.Denials, DenialsToday: last.Denials, Ever: sum.Outages + sum.Denials}
		u.PerDay, err = limitOf(ctx, q, tenant, policy)
		return err
	})
	return u, err
}

// SetLimit implements availability.Store.
func (s *Availability) SetLimit(ctx context.Context, tenant, policy string, perDay *int) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		if perDay == nil {
			return availabilitysql.New(q).ClearLimit(ctx, availabilitysql.ClearLimitParams{TenantID: tenant, PolicyID: policy})
		}
		return availabilitysql.New(q).SetLimit(ctx, availabilitysql.SetLimitParams{TenantID: tenant, PolicyID: policy, PerDay: int64(*perDay)})
	})
}

// afterAll is behind every id.
const afterAll = "~"

// Uses implements availability.Store.
func (s *Availability) Uses(ctx context.Context, tenant, policy, before string, limit int) (all []availability.Record, err error) {
	if before == "" {
		before = afterAll
	}
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := availabilitysql.New(q).ListUses(ctx, availabilitysql.ListUsesParams{TenantID: tenant, PolicyID: policy, ID: before, Limit: page(limit)})
		all = make([]availability.Record, len(rows))
		for i, row := range rows {
			all[i] = availability.Record{
				ID: row.ID,
				Use: availability.Use{
					Tenant: row.TenantID, Policy: row.PolicyID, Generation: row.GenerationID, Key: row.KeyID,
					Cause: row.Cause, AfterDenial: row.AfterDenial,
				},
				Caller: directory.Caller{
					Tenant: row.TenantID, Kind: directory.Kind(row.CallerKind), ID: row.CallerID, Name: row.CallerName, App: row.CallerApp,
					Address: row.Address, Request: row.Request,
				},
				Time: fromMicros(row.UsedAt),
			}
		}
		return err
	})
	return all, err
}
