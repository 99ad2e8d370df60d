package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

var _ backup.Store = (*KeyVault)(nil)

// Whole implements keyvault.Store.
func (k *KeyVault) Whole(ctx context.Context, tenant, vault, name string, limit int) (list []keyvault.Stored, p keyvault.RotationPolicy, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListWhole(ctx, keyvaultsql.ListWholeParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(name), Limit: int32(limit)})
		list = nil
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			key, m, err := storedOf(tenant, vault, keyvaultsql.GetVersionRow(row))
			if err != nil {
				return err
			}
			list = append(list, keyvault.Stored{Key: key, Material: m})
		}
		p, err = getRotation(ctx, q, tenant, vault, name)
		return err
	})
	return list, p, err
}

// Restore implements keyvault.Store.
func (k *KeyVault) Restore(ctx context.Context, versions []keyvault.Stored, p keyvault.RotationPolicy, events ...keyvault.Event) error {
	first := versions[0].Key
	rotation, err := encodeRotation(p)
	if err != nil {
		return err
	}
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if err := liveVault(ctx, q, first.Tenant, first.Vault, first.VaultMade); err != nil {
			return err
		}
		rows, err := q.RestoreKey(ctx, keyvaultsql.RestoreKeyParams{
			TenantID: first.Tenant, Vault: foldName(first.Vault), Name: foldName(first.Name), Display: first.Name,
			Newest: int64(len(versions)), Rotation: rotation,
		})
		if err := oneRow(rows, err, fault.New(fault.Conflict, "the key's name is taken")); err != nil {
			return err
		}
		for i, v := range versions {
			row, err := versionRow(v.Key, v.Material)
			if err != nil {
				return err
			}
			row.Ordinal = int64(i + 1)
			if err := insertVersion(ctx, q, row); err != nil {
				return err
			}
		}
		return keyChanged(ctx, q, first, events)
	})
}

// Rotation implements keyvault.Store.
func (k *KeyVault) Rotation(ctx context.Context, tenant, vault, name string) (p keyvault.RotationPolicy, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		p, err = getRotation(ctx, q, tenant, vault, name)
		return err
	})
	return p, err
}

// SetRotation implements keyvault.Store.
func (k *KeyVault) SetRotation(ctx context.Context, tenant, vault, name string, p keyvault.RotationPolicy, was time.Time) error {
	text, err := encodeRotation(p)
	if err != nil {
		return err
	}
	vault, name = foldName(vault), foldName(name)
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		old, err := q.GetRotation(ctx, keyvaultsql.GetRotationParams{TenantID: tenant, Vault: vault, Name: name})
		if err != nil {
			return err
		}
		if p, err := decodeRotation(old); err != nil || !p.Updated.Equal(was) {
			return oneRow(0, err, keyvault.ErrChanged())
		}
		rows, err := q.SetRotation(ctx, keyvaultsql.SetRotationParams{Rotation: text, TenantID: tenant, Vault: vault, Name: name, Was: old})
		if err := oneRow(rows, err, keyvault.ErrChanged()); err != nil {
			return err
		}
		return keyChanged(ctx, q, keyvault.Key{Tenant: tenant, Vault: vault, Name: name}, nil)
	})
}

func getRotation(ctx context.Context, q *keyvaultsql.Queries, tenant, vault, name string) (keyvault.RotationPolicy, error) {
	text, err := q.GetRotation(ctx, keyvaultsql.GetRotationParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(name)})
	if err != nil {
		return keyvault.RotationPolicy{}, err
	}
	return decodeRotation(text)
}

// encodeRotation writes the zero policy as "".
func encodeRotation(p keyvault.RotationPolicy) (string, error) {
	if p.Updated.IsZero() {
		return "", nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the rotation policy cannot be encoded")
	}
	return string(b), nil
}

func decodeRotation(s string) (p keyvault.RotationPolicy, err error) {
	if s == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(s), &p); err != nil {
		return p, fault.Wrap(fault.Corrupt, err, "a stored rotation policy cannot be read")
	}
	return p, nil
}

// storedOf reads a version with what protects it.
func storedOf(tenant, vault string, row keyvaultsql.GetVersionRow) (keyvault.Key, keyvault.Material, error) {
	m := keyvault.Material{Protector: row.Protector, Handle: row.Handle}
	key, err := keyOf(tenant, vault, keyvaultsql.ListLiveRow{
		Ordinal: row.Ordinal, Version: row.Version, Kty: row.Kty, Protector: row.Protector, Bits: row.Bits, Curve: row.Curve, Ops: row.Ops,
		Enabled: row.Enabled, NotBefore: row.NotBefore, Expires: row.Expires, Tags: row.Tags, Created: row.Created,
		Updated: row.Updated, Display: row.Display, Deleted: row.Deleted, PurgeAt: row.PurgeAt,
	})
	if err != nil {
		return key, m, err
	}
	if key.Public, err = protect.ParsePublic(row.PublicKey); err != nil {
		return key, m, fault.Wrap(fault.Corrupt, err, "a stored public key cannot be read")
	}
	return key, m, nil
}

// BackupKey implements backup.Store.
func (k *KeyVault) BackupKey(ctx context.Context, id string) (r backup.Row, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.GetBackupKey(ctx, id)
		r = backupRow(row)
		return err
	})
	return r, err
}

// NewestBackupKey implements backup.Store.
func (k *KeyVault) NewestBackupKey(ctx context.Context) (r backup.Row, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.NewestBackupKey(ctx)
		r = backupRow(row)
		return err
	})
	return r, err
}

// AddBackupKey implements backup.Store.
func (k *KeyVault) AddBackupKey(ctx context.Context, r backup.Row) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		return q.AddBackupKey(ctx, keyvaultsql.AddBackupKeyParams{ID: r.ID, Created: micros(r.Created), Sealed: r.Sealed})
	})
}

func backupRow(row keyvaultsql.KeyvaultBackupKey) backup.Row {
	return backup.Row{ID: row.ID, Created: fromMicros(row.Created), Sealed: row.Sealed}
}
