package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	requestsql "github.com/customerkey/customerkey/internal/store/gen/request"
)

// Onboarding keeps onboarding reports and enabled families in the area request. It implements
// onboarding.Store.
type Onboarding struct{ db *DB }

// NewOnboarding returns those of db, which must have been opened with that area.
func NewOnboarding(db *DB) *Onboarding { return &Onboarding{db: db} }

var _ onboarding.Store = (*Onboarding)(nil)

// Add implements onboarding.Store.
func (s *Onboarding) Add(ctx context.Context, r onboarding.Report) error {
	input, err := json.Marshal(r.Input)
	if err != nil {
		return err
	}
	checks, err := jsonList(r.Checks)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		gen := requestsql.New(q)
		err := gen.AddOnboarding(ctx, requestsql.AddOnboardingParams{
			TenantID: r.Tenant, ID: r.ID, Input: string(input), Checks: checks, ByID: r.By.ID, ByName: r.By.Name,
			RequestID: r.Request, Already: r.Already, CreatedAt: micros(r.Created),
		})
		if err != nil {
			return err
		}
		oldest, err := gen.OldestKeptOnboarding(ctx, requestsql.OldestKeptOnboardingParams{TenantID: r.Tenant, Offset: onboarding.MaxReports - 1})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return gen.ForgetOnboardings(ctx, requestsql.ForgetOnboardingsParams{TenantID: r.Tenant, ID: oldest})
	})
}

// Report implements onboarding.Store.
func (s *Onboarding) Report(ctx context.Context, tenant, id string) (r onboarding.Report, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		row, err := requestsql.New(q).GetOnboarding(ctx, requestsql.GetOnboardingParams{TenantID: tenant, ID: id})
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no such onboarding request")
		}
		if err != nil {
			return err
		}
		r, err = reportOf(row)
		return err
	})
	return r, err
}

// Reports implements onboarding.Store.
func (s *Onboarding) Reports(ctx context.Context, tenant string) (all []onboarding.Report, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err := requestsql.New(q).ListOnboardings(ctx, requestsql.ListOnboardingsParams{TenantID: tenant, Limit: onboarding.MaxReports})
		if err != nil {
			return err
		}
		all = make([]onboarding.Report, len(rows))
		for i, row := range rows {
			if all[i], err = reportOf(row); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// Enable implements onboarding.Store.
func (s *Onboarding) Enable(ctx context.Context, tenant string, f policy.Family, request string, at time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		return requestsql.New(q).EnableFamily(ctx, requestsql.EnableFamilyParams{
			TenantID: tenant, Family: string(f), RequestID: request, EnabledAt: micros(at),
		})
	})
}

// Enabled implements onboarding.Store.
func (s *Onboarding) Enabled(ctx context.Context, tenant string, f policy.Family) (enabled bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		n, err := requestsql.New(q).CountEnabled(ctx, requestsql.CountEnabledParams{TenantID: tenant, Family: string(f)})
		enabled = n > 0
		return err
	})
	return enabled, err
}

// reportOf turns a row into a report.
func reportOf(row requestsql.Onboarding) (onboarding.Report, error) {
	r := onboarding.Report{
		Tenant: row.TenantID, ID: row.ID, By: request.Person{Tenant: row.TenantID, ID: row.ByID, Name: row.ByName},
		Created: fromMicros(row.CreatedAt), Request: row.RequestID, Already: row.Already,
	}
	if err := errors.Join(json.Unmarshal([]byte(row.Input), &r.Input), json.Unmarshal([]byte(row.Checks), &r.Checks)); err != nil {
		return r, fault.Wrap(fault.Corrupt, err, "the onboarding request %s cannot be read", row.ID).WithHint("restore the database from a backup")
	}
	return r, nil
}
