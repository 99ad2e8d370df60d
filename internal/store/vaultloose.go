package store

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// AddLoose implements keyvault.Store.
func (k *KeyVault) AddLoose(ctx context.Context, l keyvault.Loose) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error { return addLoose(ctx, q, l) })
}

func addLoose(ctx context.Context, q *keyvaultsql.Queries, l keyvault.Loose) error {
	return q.AddLoose(ctx, keyvaultsql.AddLooseParams{
		TenantID: l.ID.Tenant, Handle: hex.EncodeToString(l.Handle), Protector: l.Protector,
		Vault: l.ID.Vault, Name: l.ID.Key, Version: l.ID.Version, Due: micros(l.Due), Condemned: l.Condemned,
	})
}

// Loose implements keyvault.Store.
func (k *KeyVault) Loose(ctx context.Context, now time.Time, after keyvault.Loose, limit int) (list []keyvault.Loose, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListLoose(ctx, keyvaultsql.ListLooseParams{
			Now: micros(now), AfterDue: micros(after.Due), AfterTenant: after.ID.Tenant, AfterHandle: hex.EncodeToString(after.Handle), Most: int32(limit),
		})
		list = nil
		for _, row := range rows {
			handle, err := hex.DecodeString(row.Handle)
			if err != nil {
				return fault.Wrap(fault.Corrupt, err, "a stored handle cannot be read")
			}
			list = append(list, keyvault.Loose{
				ID:       protect.ID{Tenant: row.TenantID, Vault: row.Vault, Key: row.Name, Version: row.Version},
				Material: keyvault.Material{Protector: row.Protector, Handle: handle}, Due: fromMicros(row.Due),
			})
		}
		return err
	})
	return list, err
}

// CondemnLoose implements keyvault.Store.
func (k *KeyVault) CondemnLoose(ctx context.Context, l keyvault.Loose) (doomed bool, err error) {
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.CondemnLoose(ctx, keyvaultsql.CondemnLooseParams{TenantID: l.ID.Tenant, Handle: hex.EncodeToString(l.Handle)})
		doomed = rows == 1
		return err
	})
	return doomed, err
}

// RemoveLoose implements keyvault.Store.
func (k *KeyVault) RemoveLoose(ctx context.Context, l keyvault.Loose) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		return q.RemoveLoose(ctx, keyvaultsql.RemoveLooseParams{TenantID: l.ID.Tenant, Handle: hex.EncodeToString(l.Handle)})
	})
}

// insertVersion adds a version, which comes to own its key pair if that lies outside of the
// database and nobody destroys it.
func insertVersion(ctx context.Context, q *keyvaultsql.Queries, row keyvaultsql.AddVersionParams) error {
	m := keyvault.Material{Protector: row.Protector, Handle: row.Handle}
	if m.Outside() {
		rows, err := q.OwnLoose(ctx, keyvaultsql.OwnLooseParams{TenantID: row.TenantID, Handle: hex.EncodeToString(m.Handle)})
		if err := oneRow(rows, err, keyvault.ErrGivenUp()); err != nil {
			return err
		}
	}
	return q.AddVersion(ctx, row)
}

// loosen writes down that the key pair of a version that goes, if it lies outside of the
// database, is to be destroyed.
func loosen(ctx context.Context, q *keyvaultsql.Queries, id protect.ID, protector string, handle []byte) error {
	m := keyvault.Material{Protector: protector, Handle: handle}
	if !m.Outside() {
		return nil
	}
	return addLoose(ctx, q, keyvault.LooseOf(id, m))
}
