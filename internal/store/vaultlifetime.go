package store

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// keyChanged ends the transaction of a change to a key: it sets when to look at the key again, and
// stores the events. Of key, Tenant, Vault and Name count.
func keyChanged(ctx context.Context, q *keyvaultsql.Queries, key keyvault.Key, events []keyvault.Event) error {
	l, err := getLifetime(ctx, q, key.Tenant, foldName(key.Vault), foldName(key.Name))
	if err != nil {
		return err
	}
	if next := l.Next(); !next.Equal(l.Due) {
		err := q.SetNext(ctx, keyvaultsql.SetNextParams{
			Due: instant(next), TenantID: key.Tenant, Vault: foldName(key.Vault), Name: foldName(key.Name),
		})
		if err != nil {
			return err
		}
	}
	return addEvents(ctx, q, events)
}

// getLifetime reads a live key's; names are folded.
func getLifetime(ctx context.Context, q *keyvaultsql.Queries, tenant, vault, name string) (l keyvault.Lifetime, err error) {
	row, err := q.GetLifetime(ctx, keyvaultsql.GetLifetimeParams{TenantID: tenant, Vault: vault, Name: name})
	if err != nil {
		return l, err
	}
	newest, err := q.GetNewest(ctx, keyvaultsql.GetNewestParams{TenantID: tenant, Vault: vault, Name: name})
	if err != nil {
		return l, err
	}
	if l.Key, _, err = storedOf(tenant, row.Display, keyvaultsql.GetVersionRow(newest)); err != nil {
		return l, err
	}
	if l.Policy, err = decodeRotation(row.Rotation); err != nil {
		return l, err
	}
	l.NearTold, l.ExpiredTold, l.Due = markOf(row.NearTold), markOf(row.ExpiredTold), fromInstant(row.Due)
	return l, nil
}

// noExpiry is the mark of a version without one; no expiry is before 1970.
const noExpiry = -1

// markOf reads a mark, which is stored as the expiry that it is about.
func markOf(us sql.NullInt64) keyvault.Mark {
	if !us.Valid || us.Int64 == noExpiry {
		return keyvault.Mark{Set: us.Valid}
	}
	return keyvault.Mark{Set: us.Valid, Expires: fromInstant(us)}
}

func mark(m keyvault.Mark) sql.NullInt64 {
	if m.Expires.IsZero() {
		return sql.NullInt64{Int64: noExpiry, Valid: m.Set}
	}
	return sql.NullInt64{Int64: m.Expires.UnixMicro(), Valid: m.Set}
}

// Lifetime implements keyvault.Store.
func (k *KeyVault) Lifetime(ctx context.Context, tenant, vault, name string) (l keyvault.Lifetime, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		l, err = getLifetime(ctx, q, tenant, foldName(vault), foldName(name))
		return err
	})
	return l, err
}

// SetLifetime implements keyvault.Store.
func (k *KeyVault) SetLifetime(ctx context.Context, l keyvault.Lifetime, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if err := stillIs(ctx, q, l); err != nil {
			return err
		}
		err := q.SetTold(ctx, keyvaultsql.SetToldParams{
			NearTold: mark(l.NearTold), ExpiredTold: mark(l.ExpiredTold), TenantID: l.Tenant,
			Vault: foldName(l.Vault), Name: foldName(l.Name), Version: l.Version,
		})
		if err != nil {
			return err
		}
		return keyChanged(ctx, q, l.Key, events)
	})
}

// stillIs reports ErrChanged unless the key's newest version, its policy and its Due are as in l. A policy
// that only says when versions expire changes no Due.
func stillIs(ctx context.Context, q *keyvaultsql.Queries, l keyvault.Lifetime) error {
	now, err := getLifetime(ctx, q, l.Tenant, foldName(l.Vault), foldName(l.Name))
	if err != nil {
		return err
	}
	if now.Version != l.Version || !now.Updated.Equal(l.Updated) || !now.Policy.Updated.Equal(l.Policy.Updated) || !now.Due.Equal(l.Due) {
		return keyvault.ErrChanged()
	}
	return nil
}

// AddSuccessor implements keyvault.Store.
func (k *KeyVault) AddSuccessor(ctx context.Context, key keyvault.Key, m keyvault.Material, l keyvault.Lifetime, events ...keyvault.Event) error {
	row, err := versionRow(key, m)
	if err != nil {
		return err
	}
	return k.addVersion(ctx, row, key, events, func(ctx context.Context, q *keyvaultsql.Queries) error { return stillIs(ctx, q, l) })
}

// Aging implements keyvault.Store.
func (k *KeyVault) Aging(ctx context.Context, now time.Time, after keyvault.Aging, limit int) (list []keyvault.Aging, err error) {
	from := int64(math.MinInt64) // 30 days before an expiry in January 1970 is a time, too
	if after != (keyvault.Aging{}) {
		from = after.Due.UnixMicro()
	}
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListAging(ctx, keyvaultsql.ListAgingParams{
			Now: micros(now), AfterTime: from, AfterTenant: after.Tenant, AfterVault: after.Vault,
			AfterName: after.Name, Most: int32(limit),
		})
		list = nil
		for _, row := range rows {
			list = append(list, keyvault.Aging{Tenant: row.TenantID, Vault: row.Vault, Name: row.Name, Due: fromInstant(row.Due)})
		}
		return err
	})
	return list, err
}

// NextDue implements keyvault.Store.
func (k *KeyVault) NextDue(ctx context.Context) (due time.Time, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		us, err := q.FirstAging(ctx)
		due = fromInstant(us)
		return err
	})
	return due, err
}
