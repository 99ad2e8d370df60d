package store

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// AddAuthCode implements directory.Store.
func (d *Directory) AddAuthCode(ctx context.Context, c directory.AuthCode, stale time.Time) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := q.DeleteExpiredAuthCodes(ctx, directorysql.DeleteExpiredAuthCodesParams{TenantID: c.Tenant, Expires: micros(stale)})
		if err != nil {
			return err
		}
		return q.AddAuthCode(ctx, directorysql.AddAuthCodeParams{
			TenantID: c.Tenant, Hash: c.Hash, Client: c.Client, Redirect: c.Redirect, Challenge: c.Challenge, Scope: c.Scope, Nonce: c.Nonce,
			Person: c.Person, Epoch: c.Epoch, Created: micros(c.Created), Expires: micros(c.Expires),
		})
	})
}

// AuthCode implements directory.Store.
func (d *Directory) AuthCode(ctx context.Context, tenant string, hash []byte) (c directory.AuthCode, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetAuthCode(ctx, directorysql.GetAuthCodeParams{TenantID: tenant, Hash: hash})
		c = directory.AuthCode{
			Tenant: row.TenantID, Hash: row.Hash, Client: row.Client, Redirect: row.Redirect, Challenge: row.Challenge, Scope: row.Scope,
			Nonce: row.Nonce, Person: row.Person, Epoch: row.Epoch, Grant: row.GrantID, Created: fromMicros(row.Created), Expires: fromMicros(row.Expires),
		}
		return err
	})
	return c, err
}

// RedeemAuthCode implements directory.Store.
func (d *Directory) RedeemAuthCode(ctx context.Context, hash []byte, g directory.Grant, t directory.RefreshToken) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		err := changedMeanwhile(q.RedeemAuthCode(ctx, directorysql.RedeemAuthCodeParams{GrantID: g.ID, TenantID: g.Tenant, Hash: hash}))
		if err != nil {
			return err
		}
		return addGrant(ctx, q, g, t)
	})
}

// AddGrant implements directory.Store.
func (d *Directory) AddGrant(ctx context.Context, g directory.Grant, t directory.RefreshToken) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error { return addGrant(ctx, q, g, t) })
}

// ChangeIssuerKeys implements directory.Store.
func (d *Directory) ChangeIssuerKeys(ctx context.Context, c directory.KeyChange) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		if c.Delete != "" {
			if err := changedMeanwhile(q.DeleteIssuerKey(ctx, c.Delete)); err != nil {
				return err
			}
		}
		for _, move := range []struct {
			id       string
			from, to directory.KeyState
		}{{c.Retire, directory.CurrentKey, directory.RetiredKey}, {c.Promote, directory.NextKey, directory.CurrentKey}} {
			if move.id == "" {
				continue
			}
			err := changedMeanwhile(q.SetIssuerKeyState(ctx, directorysql.SetIssuerKeyStateParams{
				State: string(move.to), Since: micros(c.At), ID: move.id, State_2: string(move.from),
			}))
			if err != nil {
				return err
			}
		}
		if c.Add == nil {
			return nil
		}
		return addIssuerKey(ctx, q, *c.Add)
	})
}

func addIssuerKey(ctx context.Context, q *directorysql.Queries, k directory.IssuerKey) error {
	return q.AddIssuerKey(ctx, directorysql.AddIssuerKeyParams{
		ID: k.ID, State: string(k.State), Sealed: k.Sealed, Created: micros(k.Created), Since: micros(k.Since),
	})
}
