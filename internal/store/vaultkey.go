package store

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// Key implements keyvault.Store.
func (k *KeyVault) Key(ctx context.Context, tenant, vault, name, version string) (key keyvault.Key, m keyvault.Material, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := getVersion(ctx, q, tenant, foldName(vault), foldName(name), version)
		if err != nil {
			return err
		}
		m = keyvault.Material{Protector: row.Protector, Handle: row.Handle}
		key, err = keyOf(tenant, vault, keyvaultsql.ListLiveRow{
			Ordinal: row.Ordinal, Version: row.Version, Kty: row.Kty, Bits: row.Bits, Curve: row.Curve, Ops: row.Ops,
			Enabled: row.Enabled, NotBefore: row.NotBefore, Expires: row.Expires, Tags: row.Tags, Created: row.Created,
			Updated: row.Updated, Display: row.Display, Deleted: row.Deleted, PurgeAt: row.PurgeAt,
		})
		if err != nil {
			return err
		}
		key.Public, err = x509.ParsePKIXPublicKey(row.PublicKey)
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, "a stored public key cannot be read")
		}
		return nil
	})
	return key, m, err
}

func getVersion(ctx context.Context, q *keyvaultsql.Queries, tenant, vault, name, version string) (keyvaultsql.GetVersionRow, error) {
	if version == "" {
		row, err := q.GetNewest(ctx, keyvaultsql.GetNewestParams{TenantID: tenant, Vault: vault, Name: name})
		return keyvaultsql.GetVersionRow(row), err
	}
	return q.GetVersion(ctx, keyvaultsql.GetVersionParams{TenantID: tenant, Vault: vault, Name: name, Version: version})
}

// keyOf reads what every list of keys has; a ListLiveRow has the columns of the other lists.
func keyOf(tenant, vault string, row keyvaultsql.ListLiveRow) (keyvault.Key, error) {
	tags, err := decodeTags(row.Tags)
	ops := strings.Fields(row.Ops)
	return keyvault.Key{
		Tenant: tenant, Vault: vault, Name: row.Display, Version: row.Version, Ordinal: row.Ordinal,
		Type: protect.Type(row.Kty), Bits: int(row.Bits), Curve: row.Curve, Ops: ops, Enabled: row.Enabled,
		NotBefore: fromInstant(row.NotBefore), Expires: fromInstant(row.Expires), Tags: tags,
		Created: fromMicros(row.Created), Updated: fromMicros(row.Updated),
		Deletion: keyvault.Deletion{Deleted: fromInstant(row.Deleted), PurgeAt: fromInstant(row.PurgeAt)},
	}, err
}

// AddVersion implements keyvault.Store.
func (k *KeyVault) AddVersion(ctx context.Context, key keyvault.Key, m keyvault.Material) error {
	public, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the public key cannot be encoded")
	}
	row := keyvaultsql.AddVersionParams{
		TenantID: key.Tenant, Vault: foldName(key.Vault), Name: foldName(key.Name), Version: key.Version,
		Kty: string(key.Type), Bits: int64(key.Bits), Curve: key.Curve, PublicKey: public, Protector: m.Protector,
		Handle: m.Handle, Ops: strings.Join(key.Ops, " "), Enabled: key.Enabled, NotBefore: instant(key.NotBefore),
		Expires: instant(key.Expires), Tags: encodeTags(key.Tags), Created: micros(key.Created), Updated: micros(key.Updated),
	}
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if row.Ordinal, err = nextOrdinal(ctx, q, row, key.Name); err != nil {
			return err
		}
		return q.AddVersion(ctx, row)
	})
	if IsUnique(err) {
		return keyvault.ErrChanged()
	}
	return err
}

// nextOrdinal makes the key, or raises its newest version by one.
func nextOrdinal(ctx context.Context, q *keyvaultsql.Queries, row keyvaultsql.AddVersionParams, display string) (int64, error) {
	key, err := q.GetKey(ctx, keyvaultsql.GetKeyParams{TenantID: row.TenantID, Vault: row.Vault, Name: row.Name})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 1, q.AddKey(ctx, keyvaultsql.AddKeyParams{TenantID: row.TenantID, Vault: row.Vault, Name: row.Name, Display: display})
	case err != nil:
		return 0, err
	case key.Deleted.Valid:
		return 0, fault.New(fault.Conflict, "the key is deleted")
	}
	return key.Newest + 1, q.RaiseNewest(ctx, keyvaultsql.RaiseNewestParams{
		Newest: key.Newest + 1, TenantID: row.TenantID, Vault: row.Vault, Name: row.Name,
	})
}

// SetVersion implements keyvault.Store.
func (k *KeyVault) SetVersion(ctx context.Context, key keyvault.Key, was time.Time) error {
	vault, name := foldName(key.Vault), foldName(key.Name)
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.GetKey(ctx, keyvaultsql.GetKeyParams{TenantID: key.Tenant, Vault: vault, Name: name})
		if err != nil {
			return err
		}
		if row.Deleted.Valid {
			return fault.New(fault.NotFound, "the key is deleted")
		}
		rows, err := q.SetVersion(ctx, keyvaultsql.SetVersionParams{
			Ops: strings.Join(key.Ops, " "), Enabled: key.Enabled, NotBefore: instant(key.NotBefore),
			Expires: instant(key.Expires), Tags: encodeTags(key.Tags), Updated: micros(key.Updated),
			TenantID: key.Tenant, Vault: vault, Name: name, Version: key.Version, Was: micros(was),
		})
		return oneRow(rows, err, keyvault.ErrChanged())
	})
}

// Keys implements keyvault.Store.
func (k *KeyVault) Keys(ctx context.Context, tenant, vault string, deleted bool, after string, limit int) (list []keyvault.Key, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		arg := keyvaultsql.ListLiveParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(after), Limit: int32(limit)}
		list = nil
		if deleted {
			rows, err := q.ListDeleted(ctx, keyvaultsql.ListDeletedParams(arg))
			return errors.Join(err, appendKeys(&list, tenant, vault, rows))
		}
		rows, err := q.ListLive(ctx, arg)
		return errors.Join(err, appendKeys(&list, tenant, vault, rows))
	})
	return list, err
}

// Versions implements keyvault.Store.
func (k *KeyVault) Versions(ctx context.Context, tenant, vault, name string, after int64, limit int) (list []keyvault.Key, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		list = nil
		rows, err := q.ListVersions(ctx, keyvaultsql.ListVersionsParams{
			TenantID: tenant, Vault: foldName(vault), Name: foldName(name), Ordinal: after, Limit: int32(limit),
		})
		return errors.Join(err, appendKeys(&list, tenant, vault, rows))
	})
	return list, err
}

func appendKeys[Row keyvaultsql.ListLiveRow | keyvaultsql.ListDeletedRow | keyvaultsql.ListVersionsRow](list *[]keyvault.Key, tenant, vault string, rows []Row) error {
	for _, row := range rows {
		key, err := keyOf(tenant, vault, keyvaultsql.ListLiveRow(row))
		if err != nil {
			return err
		}
		*list = append(*list, key)
	}
	return nil
}

// DeleteKey implements keyvault.Store.
func (k *KeyVault) DeleteKey(ctx context.Context, tenant, vault, name string, d keyvault.Deletion) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.DeleteKey(ctx, keyvaultsql.DeleteKeyParams{
			Deleted: instant(d.Deleted), PurgeAt: instant(d.PurgeAt), TenantID: tenant, Vault: foldName(vault), Name: foldName(name),
		})
		return oneRow(rows, err, sql.ErrNoRows)
	})
}

// RecoverKey implements keyvault.Store.
func (k *KeyVault) RecoverKey(ctx context.Context, tenant, vault, name string) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.RecoverKey(ctx, keyvaultsql.RecoverKeyParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(name)})
		return oneRow(rows, err, sql.ErrNoRows)
	})
}

// PurgeKey implements keyvault.Store. Handles are overwritten with zeros of the same length
// before their rows go, so that no free page keeps them.
func (k *KeyVault) PurgeKey(ctx context.Context, tenant, vault, name string, deleted time.Time) (versions []string, err error) {
	vault, name = foldName(vault), foldName(name)
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		versions = nil
		rows, err := q.RemoveKey(ctx, keyvaultsql.RemoveKeyParams{TenantID: tenant, Vault: vault, Name: name, Deleted: instant(deleted)})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		handles, err := q.ListHandles(ctx, keyvaultsql.ListHandlesParams{TenantID: tenant, Vault: vault, Name: name})
		if err != nil {
			return err
		}
		for _, h := range handles {
			versions = append(versions, h.Version)
			err := q.OverwriteHandle(ctx, keyvaultsql.OverwriteHandleParams{
				Handle: make([]byte, len(h.Handle)), TenantID: tenant, Vault: vault, Name: name, Version: h.Version,
			})
			if err != nil {
				return err
			}
		}
		return q.RemoveVersions(ctx, keyvaultsql.RemoveVersionsParams{TenantID: tenant, Vault: vault, Name: name})
	})
	return versions, err
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
