package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// NameTaken implements keyvault.Store.
func (k *KeyVault) NameTaken(ctx context.Context, name string) (taken bool, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		_, err := q.NameHolder(ctx, foldName(name))
		taken = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return taken, err
}

// DeletedVault implements keyvault.Store.
func (k *KeyVault) DeletedVault(ctx context.Context, name string) (keyvault.Vault, error) {
	v, purging, err := k.anyVault(ctx, name)
	if err == nil && (!v.IsDeleted() || purging) {
		return keyvault.Vault{}, notInVault(sql.ErrNoRows)
	}
	return v, err
}

// DeletedVaults implements keyvault.Store.
func (k *KeyVault) DeletedVaults(ctx context.Context, tenant, subscription, after string, limit int) (list []keyvault.Vault, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		names, err := q.ListDeletedVaults(ctx, keyvaultsql.ListDeletedVaultsParams{
			TenantID: tenant, SubscriptionID: subscription, Name: after, Limit: int32(limit),
		})
		if err == nil {
			list, err = getVaults(ctx, q, names)
		}
		return err
	})
	return list, err
}

// DeleteVault implements keyvault.Store.
func (k *KeyVault) DeleteVault(ctx context.Context, v keyvault.Vault, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.DeleteVault(ctx, keyvaultsql.DeleteVaultParams{
			Deleted: instant(v.Deleted), PurgeAt: instant(v.PurgeAt), TenantID: v.Tenant, Name: foldName(v.Name), Created: micros(v.Created),
		})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

// RecoverVault implements keyvault.Store.
func (k *KeyVault) RecoverVault(ctx context.Context, v keyvault.Vault, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if _, err := q.GetGroup(ctx, groupKey(v)); err != nil {
			return err
		}
		rows, err := q.RecoverVault(ctx, keyvaultsql.RecoverVaultParams{TenantID: v.Tenant, Name: foldName(v.Name), Deleted: instant(v.Deleted)})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

// CondemnVault implements keyvault.Store.
func (k *KeyVault) CondemnVault(ctx context.Context, tenant, name string, deleted time.Time, may func(keyvault.Vault) error, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if err := mayOf(ctx, q, name, may); err != nil {
			return err
		}
		rows, err := q.CondemnVault(ctx, keyvaultsql.CondemnVaultParams{TenantID: tenant, Name: foldName(name), Deleted: instant(deleted)})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

// PurgeKeys implements keyvault.Store. Handles are overwritten as by PurgeKey.
func (k *KeyVault) PurgeKeys(ctx context.Context, tenant, vault string, limit int) (gone []keyvault.Purged, err error) {
	vault = foldName(vault)
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		gone = nil
		if _, err := q.CondemnedVault(ctx, keyvaultsql.CondemnedVaultParams{TenantID: tenant, Name: vault}); err != nil {
			return err
		}
		names, err := q.ListKeyNames(ctx, keyvaultsql.ListKeyNamesParams{TenantID: tenant, Vault: vault, Limit: int32(limit)})
		if err != nil {
			return err
		}
		for _, name := range names {
			versions, err := destroyVersions(ctx, q, tenant, vault, name)
			if err != nil {
				return err
			}
			if err := q.DropKey(ctx, keyvaultsql.DropKeyParams{TenantID: tenant, Vault: vault, Name: name}); err != nil {
				return err
			}
			gone = append(gone, keyvault.Purged{Name: name, Versions: versions})
		}
		return nil
	})
	return gone, err
}

// RemoveVault implements keyvault.Store.
func (k *KeyVault) RemoveVault(ctx context.Context, tenant, name string) error {
	name = foldName(name)
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.RemoveVault(ctx, keyvaultsql.RemoveVaultParams{TenantID: tenant, Name: name})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		if err := q.ClearAccess(ctx, keyvaultsql.ClearAccessParams{TenantID: tenant, Vault: name}); err != nil {
			return err
		}
		if err := q.ClearVaultRoles(ctx, keyvaultsql.ClearVaultRolesParams{TenantID: tenant, Vault: name}); err != nil {
			return err
		}
		if err := endHooks(ctx, q, tenant, name); err != nil {
			return err
		}
		return q.RemoveName(ctx, keyvaultsql.RemoveNameParams{Name: name, TenantID: tenant})
	})
}

// DueVaults implements keyvault.Store.
func (k *KeyVault) DueVaults(ctx context.Context, now time.Time, after keyvault.DueVault, limit int) (list []keyvault.DueVault, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListDueVaults(ctx, keyvaultsql.ListDueVaultsParams{
			Now: micros(now), AfterTime: after.PurgeAt.UnixMicro(), AfterTenant: after.Tenant, AfterName: after.Name, Most: int32(limit),
		})
		list = nil
		for _, row := range rows {
			list = append(list, keyvault.DueVault{
				Tenant: row.TenantID, Name: row.Name, Condemned: row.Purging,
				Deletion: keyvault.Deletion{Deleted: fromInstant(row.Deleted), PurgeAt: fromInstant(row.PurgeAt)},
			})
		}
		return err
	})
	return list, err
}

// liveVault refuses what was begun before the vault went, and would come to be after: also in
// another vault that has its name now, if made, the time when the vault was made, is not zero.
func liveVault(ctx context.Context, q *keyvaultsql.Queries, tenant, vault string, made time.Time) error {
	created, err := q.LiveVault(ctx, keyvaultsql.LiveVaultParams{TenantID: tenant, Name: foldName(vault)})
	if errors.Is(err, sql.ErrNoRows) || err == nil && !made.IsZero() && created != micros(made) {
		return fault.New(fault.NotFound, "There is no such key vault").WithReason(keyvault.ReasonVaultNotFound)
	}
	return err
}

// RemoveGroup implements keyvault.Store.
func (k *KeyVault) RemoveGroup(ctx context.Context, g keyvault.Group) (removed bool, err error) {
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		removed = false
		used, err := q.ListUsedGroups(ctx, keyvaultsql.ListUsedGroupsParams{TenantID: g.Tenant, SubscriptionID: g.Subscription})
		if err != nil {
			return err
		}
		for _, name := range used {
			if naming.Same(name, g.Name) {
				return nil
			}
		}
		rows, err := q.RemoveGroup(ctx, keyvaultsql.RemoveGroupParams{TenantID: g.Tenant, SubscriptionID: g.Subscription, Name: foldName(g.Name)})
		removed = rows > 0
		return oneRow(rows, err, sql.ErrNoRows)
	})
	return removed, err
}
