package store

import (
	"context"
	"encoding/json"
	"math"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// AddPerson implements directory.Store.
func (d *Directory) AddPerson(ctx context.Context, a directory.Account) error {
	roles, err := encodeRoles(a.Roles)
	if err != nil {
		return err
	}
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error { return addPerson(ctx, q, a, roles) })
}

// AddFirstPerson implements directory.Store.
func (d *Directory) AddFirstPerson(ctx context.Context, a directory.Account) error {
	roles, err := encodeRoles(a.Roles)
	if err != nil {
		return err
	}
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		n, err := q.CountPeople(ctx, a.Tenant)
		if err == nil && n > 0 {
			err = fault.New(fault.Conflict, "the organisation has people already").WithHint("one of its administrators can add more")
		}
		if err != nil {
			return err
		}
		return addPerson(ctx, q, a, roles)
	})
}

func addPerson(ctx context.Context, q *directorysql.Queries, a directory.Account, roles string) error {
	n, err := q.CountMailboxesNamed(ctx, directorysql.CountMailboxesNamedParams{TenantID: a.Tenant, Name: a.UPN})
	if err == nil && n > 0 {
		err = fault.New(fault.Conflict, "there is a mailbox by that name already").WithHint("choose another name")
	}
	if err != nil {
		return err
	}
	licences, err := encodeLicences(a.Licences)
	if err != nil {
		return err
	}
	return q.AddPerson(ctx, directorysql.AddPersonParams{
		TenantID: a.Tenant, ID: a.ID, Upn: a.UPN, DisplayName: a.DisplayName, Roles: roles, Disabled: a.Disabled,
		MustChange: a.MustChangePassword, Password: a.Password, Epoch: a.Epoch, Created: micros(a.Created), Licences: licences,
	})
}

// Person implements directory.Store.
func (d *Directory) Person(ctx context.Context, tenant, id string) (a directory.Account, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetPerson(ctx, directorysql.GetPersonParams{TenantID: tenant, ID: id})
		if err == nil {
			a, err = accountOf(row)
		}
		return err
	})
	return a, err
}

// PersonByUPN implements directory.Store.
func (d *Directory) PersonByUPN(ctx context.Context, tenant, upn string) (a directory.Account, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetPersonByUPN(ctx, directorysql.GetPersonByUPNParams{TenantID: tenant, Upn: upn})
		if err == nil {
			a, err = accountOf(row)
		}
		return err
	})
	return a, err
}

// SetPassword implements directory.Store.
func (d *Directory) SetPassword(ctx context.Context, a directory.Account, hash string, mustChange bool) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := changedMeanwhile(q.SetPassword(ctx, directorysql.SetPasswordParams{
			Password: hash, MustChange: mustChange, TenantID: a.Tenant, ID: a.ID, Epoch: a.Epoch,
		}))
		if err != nil {
			return err
		}
		return deleteGrants(ctx, q, a.Tenant, a.ID, math.MaxInt64)
	})
}

// SetDisabled implements directory.Store.
func (d *Directory) SetDisabled(ctx context.Context, tenant, id string, disabled bool) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := changedMeanwhile(q.SetDisabled(ctx, directorysql.SetDisabledParams{Disabled: disabled, TenantID: tenant, ID: id}))
		if err != nil {
			return err
		}
		return deleteGrants(ctx, q, tenant, id, math.MaxInt64)
	})
}

// deleteGrants deletes the grants of a person that expire before a time, and their tokens.
func deleteGrants(ctx context.Context, q *directorysql.Queries, tenant, person string, before int64) error {
	err := q.DeleteRefreshTokensOf(ctx, directorysql.DeleteRefreshTokensOfParams{TenantID: tenant, Person: person, Expires: before})
	if err != nil {
		return err
	}
	return q.DeleteGrantsOf(ctx, directorysql.DeleteGrantsOfParams{TenantID: tenant, Person: person, Expires: before})
}

// AddApp implements directory.Store.
func (d *Directory) AddApp(ctx context.Context, a directory.Registration, s directory.Secret, p directory.ServicePrincipal) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := q.AddApp(ctx, directorysql.AddAppParams{TenantID: a.HomeTenant, ID: a.ID, DisplayName: a.DisplayName, Created: micros(a.Created)})
		if err != nil {
			return err
		}
		if err := addSecret(ctx, q, s); err != nil {
			return err
		}
		return addPrincipal(ctx, q, p)
	})
}

// AddPrincipal implements directory.Store.
func (d *Directory) AddPrincipal(ctx context.Context, p directory.ServicePrincipal) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error { return addPrincipal(ctx, q, p) })
}

// Principal implements directory.Store.
func (d *Directory) Principal(ctx context.Context, tenant, id string) (p directory.ServicePrincipal, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetPrincipal(ctx, directorysql.GetPrincipalParams{TenantID: tenant, ID: id})
		if err == nil {
			p, err = principalOf(row)
		}
		return err
	})
	return p, err
}

// AppHome implements directory.Store.
func (d *Directory) AppHome(ctx context.Context, app string) (tenant string, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		tenant, err = q.GetAppHome(ctx, app)
		return err
	})
	return tenant, err
}

// PrincipalByApp implements directory.Store.
func (d *Directory) PrincipalByApp(ctx context.Context, tenant, app string) (p directory.ServicePrincipal, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetPrincipalByApp(ctx, directorysql.GetPrincipalByAppParams{TenantID: tenant, AppID: app})
		if err == nil {
			p, err = principalOf(row)
		}
		return err
	})
	return p, err
}

func addPrincipal(ctx context.Context, q *directorysql.Queries, p directory.ServicePrincipal) error {
	roles, err := encodeRoles(p.Roles)
	if err != nil {
		return err
	}
	return q.AddPrincipal(ctx, directorysql.AddPrincipalParams{
		TenantID: p.Tenant, ID: p.ID, AppID: p.AppID, Home: p.HomeTenant, DisplayName: p.DisplayName,
		Roles: roles, Disabled: p.Disabled, Created: micros(p.Created),
	})
}

func accountOf(row directorysql.DirectoryPerson) (directory.Account, error) {
	roles, err := decodeRoles(row.Roles)
	if err != nil {
		return directory.Account{}, err
	}
	licences, err := decodeLicences(row.Licences)
	return directory.Account{
		Person: directory.Person{
			Tenant: row.TenantID, ID: row.ID, UPN: row.Upn, DisplayName: row.DisplayName, Roles: roles,
			Disabled: row.Disabled, MustChangePassword: row.MustChange, Licences: licences, Created: fromMicros(row.Created),
		},
		Password: row.Password, Epoch: row.Epoch,
	}, err
}

func principalOf(row directorysql.DirectoryPrincipal) (directory.ServicePrincipal, error) {
	roles, err := decodeRoles(row.Roles)
	return directory.ServicePrincipal{
		Tenant: row.TenantID, ID: row.ID, AppID: row.AppID, HomeTenant: row.Home, DisplayName: row.DisplayName,
		Roles: roles, Disabled: row.Disabled, Created: fromMicros(row.Created),
	}, err
}

// encodeRoles writes roles as a JSON array: names have spaces, and never a fixed number.
func encodeRoles(roles []directory.Role) (string, error) {
	if roles == nil {
		roles = []directory.Role{}
	}
	text, err := json.Marshal(roles)
	return string(text), err
}

func decodeRoles(text string) (roles []directory.Role, err error) {
	if err := json.Unmarshal([]byte(text), &roles); err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "stored roles cannot be read")
	}
	if len(roles) == 0 {
		return nil, nil
	}
	return roles, nil
}
