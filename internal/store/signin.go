package store

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// AddIssuerKey implements directory.Store.
func (d *Directory) AddIssuerKey(ctx context.Context, k directory.IssuerKey) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		return addIssuerKey(ctx, q, k)
	})
}

// IssuerKeys implements directory.Store.
func (d *Directory) IssuerKeys(ctx context.Context) (list []directory.IssuerKey, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListIssuerKeys(ctx)
		list = nil
		for _, r := range rows {
			list = append(list, directory.IssuerKey{ID: r.ID, State: directory.KeyState(r.State), Sealed: r.Sealed, Created: fromMicros(r.Created), Since: fromMicros(r.Since)})
		}
		return err
	})
	return list, err
}

// AddDevice implements directory.Store.
func (d *Directory) AddDevice(ctx context.Context, v directory.Device, stale time.Time, limit int) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		if err := q.DeleteExpiredDevices(ctx, micros(stale)); err != nil {
			return err
		}
		n, err := q.CountDevices(ctx)
		if err != nil {
			return err
		}
		if n >= int64(limit) {
			return fault.New(fault.Throttled, "too many sign-ins are waiting to be approved").WithHint("try again in some minutes")
		}
		return q.AddDevice(ctx, directorysql.AddDeviceParams{
			Hash: v.Hash, UserHash: v.UserHash, Authority: v.Authority, Client: v.Client, Scope: v.Scope, State: string(v.State),
			TenantID: v.Tenant, Person: v.Person, Epoch: v.Epoch, Polled: micros(v.Polled),
			Created: micros(v.Created), Expires: micros(v.Expires),
		})
	})
}

// Device implements directory.Store.
func (d *Directory) Device(ctx context.Context, hash []byte) (v directory.Device, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetDevice(ctx, hash)
		v = deviceOf(row)
		return err
	})
	return v, err
}

// DeviceByUserCode implements directory.Store.
func (d *Directory) DeviceByUserCode(ctx context.Context, hash []byte) (v directory.Device, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetDeviceByUserCode(ctx, hash)
		v = deviceOf(row)
		return err
	})
	return v, err
}

func deviceOf(row directorysql.DirectoryDeviceCode) directory.Device {
	return directory.Device{
		Hash: row.Hash, UserHash: row.UserHash, Authority: row.Authority, Client: row.Client, Scope: row.Scope,
		State: directory.DeviceState(row.State), Tenant: row.TenantID, Person: row.Person, Epoch: row.Epoch,
		Polled: fromMicros(row.Polled), Created: fromMicros(row.Created), Expires: fromMicros(row.Expires),
	}
}

// SetPolled implements directory.Store.
func (d *Directory) SetPolled(ctx context.Context, hash []byte, at time.Time) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		return q.SetDevicePolled(ctx, directorysql.SetDevicePolledParams{Polled: micros(at), Hash: hash})
	})
}

// ApproveDevice implements directory.Store.
func (d *Directory) ApproveDevice(ctx context.Context, hash []byte, a directory.Account) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		return changedMeanwhile(q.ApproveDevice(ctx, directorysql.ApproveDeviceParams{
			TenantID: a.Tenant, Person: a.ID, Epoch: a.Epoch, Hash: hash,
		}))
	})
}

// RedeemDevice implements directory.Store.
func (d *Directory) RedeemDevice(ctx context.Context, hash []byte, g directory.Grant, t directory.RefreshToken) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		if err := changedMeanwhile(q.RedeemDevice(ctx, hash)); err != nil {
			return err
		}
		return addGrant(ctx, q, g, t)
	})
}

func addGrant(ctx context.Context, q *directorysql.Queries, g directory.Grant, t directory.RefreshToken) error {
	if err := deleteGrants(ctx, q, g.Tenant, g.Person, micros(g.Created)); err != nil {
		return err
	}
	err := q.AddGrant(ctx, directorysql.AddGrantParams{
		TenantID: g.Tenant, ID: g.ID, Person: g.Person, Client: g.Client, Scope: g.Scope,
		Epoch: g.Epoch, Created: micros(g.Created), Expires: micros(g.Expires),
	})
	if err != nil {
		return err
	}
	return addRefreshToken(ctx, q, g, t)
}

func addRefreshToken(ctx context.Context, q *directorysql.Queries, g directory.Grant, t directory.RefreshToken) error {
	return q.AddRefreshToken(ctx, directorysql.AddRefreshTokenParams{
		TenantID: g.Tenant, Hash: t.Hash, GrantID: g.ID, Expires: micros(t.Expires), Used: micros(t.Used),
	})
}

// RefreshToken implements directory.Store.
func (d *Directory) RefreshToken(ctx context.Context, tenant string, hash []byte) (g directory.Grant, t directory.RefreshToken, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetRefreshToken(ctx, directorysql.GetRefreshTokenParams{TenantID: tenant, Hash: hash})
		g = directory.Grant{
			Tenant: row.TenantID, ID: row.ID, Person: row.Person, Client: row.Client, Scope: row.Scope,
			Epoch: row.Epoch, Created: fromMicros(row.Created), Expires: fromMicros(row.Expires),
		}
		t = directory.RefreshToken{Hash: row.Hash, Expires: fromMicros(row.TokenExpires), Used: fromMicros(row.Used)}
		return err
	})
	return g, t, err
}

// Rotate implements directory.Store.
func (d *Directory) Rotate(ctx context.Context, g directory.Grant, old []byte, used time.Time, next directory.RefreshToken) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := changedMeanwhile(q.ExtendGrant(ctx, directorysql.ExtendGrantParams{Expires: micros(next.Expires), TenantID: g.Tenant, ID: g.ID}))
		if err != nil {
			return err
		}
		err = q.UseRefreshToken(ctx, directorysql.UseRefreshTokenParams{Used: micros(used), TenantID: g.Tenant, Hash: old})
		if err != nil {
			return err
		}
		err = q.DeleteExpiredRefreshTokens(ctx, directorysql.DeleteExpiredRefreshTokensParams{TenantID: g.Tenant, GrantID: g.ID, Expires: micros(used)})
		if err != nil {
			return err
		}
		return addRefreshToken(ctx, q, g, next)
	})
}

// DeleteGrant implements directory.Store.
func (d *Directory) DeleteGrant(ctx context.Context, tenant, id string) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := q.DeleteRefreshTokens(ctx, directorysql.DeleteRefreshTokensParams{TenantID: tenant, GrantID: id})
		if err != nil {
			return err
		}
		return q.DeleteGrant(ctx, directorysql.DeleteGrantParams{TenantID: tenant, ID: id})
	})
}
