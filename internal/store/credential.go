package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// App implements directory.Store.
func (d *Directory) App(ctx context.Context, tenant, id string) (a directory.Registration, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetApp(ctx, directorysql.GetAppParams{TenantID: tenant, ID: id})
		if err != nil {
			return err
		}
		a = directory.Registration{ID: row.ID, HomeTenant: row.TenantID, DisplayName: row.DisplayName, Created: fromMicros(row.Created)}
		if err := json.Unmarshal([]byte(row.Redirects), &a.Redirects); err != nil {
			return fault.Wrap(fault.Corrupt, err, "stored redirect addresses cannot be read")
		}
		return nil
	})
	return a, err
}

// SetRedirects implements directory.Store.
func (d *Directory) SetRedirects(ctx context.Context, tenant, app string, redirects []string) error {
	text, err := json.Marshal(append([]string{}, redirects...)) // an empty list is no null
	if err != nil {
		return err
	}
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		return changedMeanwhile(q.SetRedirects(ctx, directorysql.SetRedirectsParams{Redirects: string(text), TenantID: tenant, ID: app}))
	})
}

// AddSecret implements directory.Store.
func (d *Directory) AddSecret(ctx context.Context, s directory.Secret, limit int) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		n, err := q.CountAppSecrets(ctx, directorysql.CountAppSecretsParams{TenantID: s.Tenant, AppID: s.App})
		if err := room(n, err, limit, "secrets"); err != nil {
			return err
		}
		return addSecret(ctx, q, s)
	})
}

func addSecret(ctx context.Context, q *directorysql.Queries, s directory.Secret) error {
	return q.AddAppSecret(ctx, directorysql.AddAppSecretParams{
		TenantID: s.Tenant, AppID: s.App, ID: s.ID, Name: s.Name, Hash: s.Hash, Created: micros(s.Created), Expires: micros(s.Expires),
	})
}

// room is the error of one more where n of limit are there.
func room(n int64, err error, limit int, what string) error {
	if err == nil && n >= int64(limit) {
		return fault.New(fault.Conflict, "the app has %d %s already", n, what).WithHint("remove one that is not used any more")
	}
	return err
}

// Secrets implements directory.Store.
func (d *Directory) Secrets(ctx context.Context, tenant, app string) (list []directory.Secret, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListAppSecrets(ctx, directorysql.ListAppSecretsParams{TenantID: tenant, AppID: app})
		list = nil
		for _, r := range rows {
			list = append(list, directory.Secret{
				Tenant: tenant, App: app, ID: r.ID, Name: r.Name, Hash: r.Hash, Created: fromMicros(r.Created), Expires: fromMicros(r.Expires),
			})
		}
		return err
	})
	return list, err
}

// AddCertificate implements directory.Store.
func (d *Directory) AddCertificate(ctx context.Context, c directory.Certificate, limit int) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		n, err := q.CountCertificates(ctx, directorysql.CountCertificatesParams{TenantID: c.Tenant, AppID: c.App})
		if err := room(n, err, limit, "certificates"); err != nil {
			return err
		}
		return q.AddCertificate(ctx, directorysql.AddCertificateParams{
			TenantID: c.Tenant, AppID: c.App, ID: c.ID, Name: c.Name, Certificate: c.DER, Created: micros(c.Created), Expires: micros(c.Expires),
		})
	})
}

// Certificates implements directory.Store.
func (d *Directory) Certificates(ctx context.Context, tenant, app string) (list []directory.Certificate, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListCertificates(ctx, directorysql.ListCertificatesParams{TenantID: tenant, AppID: app})
		list = nil
		for _, r := range rows {
			list = append(list, directory.Certificate{
				Tenant: tenant, App: app, ID: r.ID, Name: r.Name, DER: r.Certificate, Created: fromMicros(r.Created), Expires: fromMicros(r.Expires),
			})
		}
		return err
	})
	return list, err
}

// DeleteCredential implements directory.Store.
func (d *Directory) DeleteCredential(ctx context.Context, tenant, app, id string) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		secrets, err := q.DeleteAppSecret(ctx, directorysql.DeleteAppSecretParams{TenantID: tenant, AppID: app, ID: id})
		if err != nil {
			return err
		}
		certificates, err := q.DeleteCertificate(ctx, directorysql.DeleteCertificateParams{TenantID: tenant, AppID: app, ID: id})
		if err == nil && secrets+certificates == 0 {
			return fault.New(fault.NotFound, "the app has no credential with that id").WithHint("list them with: ck credential list APP")
		}
		return err
	})
}

// UseAssertion implements directory.Store.
func (d *Directory) UseAssertion(ctx context.Context, tenant, app string, hash []byte, expires, forget time.Time) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		if err := forgetAssertions(ctx, q, tenant, app, forget); err != nil {
			return err
		}
		until, err := q.ForgottenUntil(ctx, directorysql.ForgottenUntilParams{TenantID: tenant, AppID: app})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && micros(expires) <= until {
			return fault.New(fault.Conflict, "the assertion expires no later than one that is forgotten")
		}
		return q.AddAssertion(ctx, directorysql.AddAssertionParams{TenantID: tenant, AppID: app, Hash: hash, Expires: micros(expires)})
	})
}

// forgetAssertions deletes those of an app that expired before a time, and keeps when the last of
// them did.
func forgetAssertions(ctx context.Context, q *directorysql.Queries, tenant, app string, before time.Time) error {
	err := q.NoteForgotten(ctx, directorysql.NoteForgottenParams{TenantID: tenant, AppID: app, Expires: micros(before)})
	if err != nil {
		return err
	}
	return q.DeleteExpiredAssertions(ctx, directorysql.DeleteExpiredAssertionsParams{TenantID: tenant, AppID: app, Expires: micros(before)})
}
