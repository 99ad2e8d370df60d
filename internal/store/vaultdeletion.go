package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// DeleteKey implements keyvault.Store.
func (k *KeyVault) DeleteKey(ctx context.Context, tenant, vault, name string, d keyvault.Deletion, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.DeleteKey(ctx, keyvaultsql.DeleteKeyParams{
			Deleted: instant(d.Deleted), PurgeAt: instant(d.PurgeAt), TenantID: tenant, Vault: foldName(vault), Name: foldName(name),
		})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

// RecoverKey implements keyvault.Store.
func (k *KeyVault) RecoverKey(ctx context.Context, tenant, vault, name string, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.RecoverKey(ctx, keyvaultsql.RecoverKeyParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(name)})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		return keyChanged(ctx, q, keyvault.Key{Tenant: tenant, Vault: vault, Name: name}, events)
	})
}

// PurgeKey implements keyvault.Store. Handles are overwritten with zeros of the same length
// before their rows go, so that no free page keeps them.
func (k *KeyVault) PurgeKey(ctx context.Context, d keyvault.Due, may func(keyvault.Vault) error, events ...keyvault.Event) (versions []string, err error) {
	vault, name := foldName(d.Vault), foldName(d.Name)
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		versions = nil
		if err := mayOf(ctx, q, d.Vault, may); err != nil {
			return err
		}
		rows, err := q.RemoveKey(ctx, keyvaultsql.RemoveKeyParams{TenantID: d.Tenant, Vault: vault, Name: name, Deleted: instant(d.Deleted)})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		if versions, err = destroyVersions(ctx, q, d.Tenant, vault, name); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
	return versions, err
}

// mayOf asks may, if it is given, about a vault as it is in this transaction.
func mayOf(ctx context.Context, q *keyvaultsql.Queries, vault string, may func(keyvault.Vault) error) error {
	if may == nil {
		return nil
	}
	v, _, err := getVault(ctx, q, foldName(vault))
	if err != nil {
		return err
	}
	return may(v)
}

// destroyVersions overwrites the handles of a key and removes its versions, whose ids it returns.
func destroyVersions(ctx context.Context, q *keyvaultsql.Queries, tenant, vault, name string) (versions []string, err error) {
	handles, err := q.ListHandles(ctx, keyvaultsql.ListHandlesParams{TenantID: tenant, Vault: vault, Name: name})
	if err != nil {
		return nil, err
	}
	for _, h := range handles {
		versions = append(versions, h.Version)
		if err := loosen(ctx, q, protect.ID{Tenant: tenant, Vault: vault, Key: name, Version: h.Version}, h.Protector, h.Handle); err != nil {
			return nil, err
		}
		err := q.OverwriteHandle(ctx, keyvaultsql.OverwriteHandleParams{
			Handle: make([]byte, len(h.Handle)), TenantID: tenant, Vault: vault, Name: name, Version: h.Version,
		})
		if err != nil {
			return nil, err
		}
	}
	return versions, q.RemoveVersions(ctx, keyvaultsql.RemoveVersionsParams{TenantID: tenant, Vault: vault, Name: name})
}

// Due implements keyvault.Store.
func (k *KeyVault) Due(ctx context.Context, now time.Time, after keyvault.Due, limit int) (list []keyvault.Due, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListDue(ctx, keyvaultsql.ListDueParams{
			Now: micros(now), AfterTime: micros(after.PurgeAt), AfterTenant: after.Tenant, AfterVault: after.Vault,
			AfterName: after.Name, Most: int32(limit),
		})
		list = nil
		for _, row := range rows {
			list = append(list, keyvault.Due{
				Tenant: row.TenantID, Vault: row.Vault, Name: row.Name,
				Deletion: keyvault.Deletion{Deleted: fromInstant(row.Deleted), PurgeAt: fromInstant(row.PurgeAt)},
			})
		}
		return err
	})
	return list, err
}
