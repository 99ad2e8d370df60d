package store

import (
	"context"
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
func (k *KeyVault) Key(ctx context.Context, tenant, vault, name, version string) (keyvault.Key, keyvault.Material, error) {
	which := versionName{tenant, foldName(vault), foldName(name), version}
	v, err := k.versions.recall(which, func() (v keyvault.Stored, bytes int, err error) {
		err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
			row, err := getVersion(ctx, q, which)
			if err != nil {
				return err
			}
			bytes = 2<<10 + len(row.Tags) + len(row.Handle)
			v.Key, v.Material, err = storedOf(tenant, vault, row)
			return err
		})
		return v, bytes, err
	})
	return v.Key, v.Material, err
}

func getVersion(ctx context.Context, q *keyvaultsql.Queries, w versionName) (keyvaultsql.GetVersionRow, error) {
	if w.version == "" {
		row, err := q.GetNewest(ctx, keyvaultsql.GetNewestParams{TenantID: w.tenant, Vault: w.vault, Name: w.name})
		return keyvaultsql.GetVersionRow(row), err
	}
	return q.GetVersion(ctx, keyvaultsql.GetVersionParams{TenantID: w.tenant, Vault: w.vault, Name: w.name, Version: w.version})
}

// keyOf reads what every list of keys has; a ListLiveRow has the columns of the other lists.
func keyOf(tenant, vault string, row keyvaultsql.ListLiveRow) (keyvault.Key, error) {
	tags, err := decodeTags(row.Tags)
	ops := strings.Fields(row.Ops)
	kty, hsm := strings.CutSuffix(row.Kty, "-HSM")
	return keyvault.Key{
		Tenant: tenant, Vault: vault, Name: row.Display, Version: row.Version, Ordinal: row.Ordinal,
		Type: protect.Type(kty), HSM: hsm, HeldBy: row.Protector, Bits: int(row.Bits), Curve: row.Curve, Ops: ops, Enabled: row.Enabled,
		NotBefore: fromInstant(row.NotBefore), Expires: fromInstant(row.Expires), Tags: tags,
		Created: fromMicros(row.Created), Updated: fromMicros(row.Updated),
		Deletion: keyvault.Deletion{Deleted: fromInstant(row.Deleted), PurgeAt: fromInstant(row.PurgeAt)},
	}, err
}

// AddVersion implements keyvault.Store.
func (k *KeyVault) AddVersion(ctx context.Context, key keyvault.Key, m keyvault.Material, events ...keyvault.Event) error {
	row, err := versionRow(key, m)
	if err != nil {
		return err
	}
	return k.addVersion(ctx, row, key, events, func(context.Context, *keyvaultsql.Queries) error { return nil })
}

// addVersion adds a version if check, in the same transaction, has nothing against it.
func (k *KeyVault) addVersion(ctx context.Context, row keyvaultsql.AddVersionParams, key keyvault.Key, events []keyvault.Event, check func(context.Context, *keyvaultsql.Queries) error) error {
	err := k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) (err error) {
		if err := check(ctx, q); err != nil {
			return err
		}
		if err := liveVault(ctx, q, row.TenantID, row.Vault, key.VaultMade); err != nil {
			return err
		}
		if row.Ordinal, err = nextOrdinal(ctx, q, row, key.Name); err != nil {
			return err
		}
		if err := insertVersion(ctx, q, row); err != nil {
			return err
		}
		return keyChanged(ctx, q, key, events)
	})
	if IsUnique(err) {
		return keyvault.ErrChanged()
	}
	return err
}

// versionRow is the row of a version, but for its Ordinal.
func versionRow(key keyvault.Key, m keyvault.Material) (keyvaultsql.AddVersionParams, error) {
	public, err := protect.MarshalPublic(key.Public)
	if err != nil {
		return keyvaultsql.AddVersionParams{}, fault.Wrap(fault.Internal, err, "the public key cannot be encoded")
	}
	return keyvaultsql.AddVersionParams{
		TenantID: key.Tenant, Vault: foldName(key.Vault), Name: foldName(key.Name), Version: key.Version,
		Kty: key.KTY(), Bits: int64(key.Bits), Curve: key.Curve, PublicKey: public, Protector: m.Protector,
		Handle: m.Handle, Ops: strings.Join(key.Ops, " "), Enabled: key.Enabled, NotBefore: instant(key.NotBefore),
		Expires: instant(key.Expires), Tags: encodeTags(key.Tags), Created: micros(key.Created), Updated: micros(key.Updated),
	}, nil
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
func (k *KeyVault) SetVersion(ctx context.Context, key keyvault.Key, was time.Time, events ...keyvault.Event) error {
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
		if err := oneRow(rows, err, keyvault.ErrChanged()); err != nil {
			return err
		}
		return keyChanged(ctx, q, key, events)
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
