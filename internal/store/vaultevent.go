package store

import (
	"context"

	"github.com/customerkey/customerkey/internal/keyvault"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// addEvents stores events and wakes the webhooks of their vaults. It comes last in the
// transaction of a change: changes of the same tenant wait for each other from here on.
func addEvents(ctx context.Context, q *keyvaultsql.Queries, events []keyvault.Event) error {
	for _, e := range events {
		seq, err := q.NextEvent(ctx, e.Tenant)
		if err != nil {
			return err
		}
		vault := foldName(e.Vault)
		err = q.AddEvent(ctx, keyvaultsql.AddEventParams{
			TenantID: e.Tenant, Seq: seq, ID: e.ID, Type: string(e.Type), Vault: vault, Display: e.Vault, Name: e.Name,
			Version: e.Version, NotBefore: instant(e.NotBefore), Expires: instant(e.Expires), Created: micros(e.Time),
		})
		if err != nil {
			return err
		}
		if err := q.WakeHooks(ctx, keyvaultsql.WakeHooksParams{Now: micros(e.Time), TenantID: e.Tenant, Vault: vault}); err != nil {
			return err
		}
	}
	return nil
}

// Events implements keyvault.Store.
func (k *KeyVault) Events(ctx context.Context, tenant, vault string, after int64, limit int) (list []keyvault.Event, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListEvents(ctx, keyvaultsql.ListEventsParams{TenantID: tenant, Vault: foldName(vault), Seq: after, Limit: int32(limit)})
		list = nil
		for _, row := range rows {
			list = append(list, keyvault.Event{
				Seq: row.Seq, ID: row.ID, Type: keyvault.EventType(row.Type), Tenant: tenant, Vault: row.Display, Name: row.Name,
				Version: row.Version, NotBefore: fromInstant(row.NotBefore), Expires: fromInstant(row.Expires), Time: fromMicros(row.Created),
			})
		}
		return err
	})
	return list, err
}
