package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// Directory keeps the rows of package directory, in the service database.
type Directory struct{ db *DB }

// NewDirectory returns the directory's store in db.
func NewDirectory(db *DB) *Directory { return &Directory{db} }

var _ directory.Store = (*Directory)(nil)

func (d *Directory) read(ctx context.Context, fn func(ctx context.Context, q *directorysql.Queries) error) error {
	return notInDirectory(d.db.Read(ctx, func(ctx context.Context, tx DBTX) error { return fn(ctx, directorysql.New(tx)) }))
}

func (d *Directory) write(ctx context.Context, fn func(ctx context.Context, q *directorysql.Queries) error) error {
	err := d.db.Write(ctx, func(ctx context.Context, tx DBTX) error { return fn(ctx, directorysql.New(tx)) })
	if IsUnique(err) {
		return fault.Wrap(fault.Conflict, err, "there is one by that name already").WithHint("choose another name")
	}
	return err
}

// notInDirectory says "not found" where a query found no row.
func notInDirectory(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Wrap(fault.NotFound, err, "there is nothing by that name")
	}
	return err
}

// changedMeanwhile is the error of a conditional update that met another state.
func changedMeanwhile(rows int64, err error) error {
	if err == nil && rows == 0 {
		return fault.New(fault.Conflict, "it was changed meanwhile").WithHint("try again")
	}
	return err
}

// AddTenant implements directory.Store.
func (d *Directory) AddTenant(ctx context.Context, t directory.Tenant, principals []directory.ServicePrincipal) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := q.AddTenant(ctx, directorysql.AddTenantParams{TenantID: t.ID, Name: t.Name, Domain: t.Domain, Created: micros(t.Created)})
		for _, p := range principals {
			if err == nil {
				err = addPrincipal(ctx, q, p)
			}
		}
		return err
	})
}

// Tenant implements directory.Store.
func (d *Directory) Tenant(ctx context.Context, id string) (t directory.Tenant, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetTenant(ctx, id)
		t = tenantOf(row)
		return err
	})
	return t, err
}

// TenantByDomain implements directory.Store.
func (d *Directory) TenantByDomain(ctx context.Context, domain string) (t directory.Tenant, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetTenantByDomain(ctx, domain)
		t = tenantOf(row)
		return err
	})
	return t, err
}

// Tenants implements directory.Store.
func (d *Directory) Tenants(ctx context.Context, after string, limit int) (list []directory.Tenant, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListTenants(ctx, directorysql.ListTenantsParams{TenantID: after, Limit: int32(limit)})
		list = nil
		for _, row := range rows {
			list = append(list, tenantOf(row))
		}
		return err
	})
	return list, err
}

func tenantOf(row directorysql.DirectoryTenant) directory.Tenant {
	return directory.Tenant{ID: row.TenantID, Name: row.Name, Domain: row.Domain, Created: fromMicros(row.Created)}
}
