package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// PutHook implements keyvault.Store. It takes a number of the tenant's events for itself: every
// event with a lower one is committed by then, every later one finds the hook.
func (k *KeyVault) PutHook(ctx context.Context, h keyvault.HookRow) (kept keyvault.Hook, err error) {
	types := ""
	if len(h.Types) > 0 {
		b, err := json.Marshal(h.Types)
		if err != nil {
			return kept, err
		}
		types = string(b)
	}
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if err := liveVault(ctx, q, h.Tenant, h.Vault, h.VaultMade); err != nil {
			return err
		}
		reached, err := q.NextEvent(ctx, h.Tenant)
		if err != nil {
			return err
		}
		row, err := q.PutHook(ctx, keyvaultsql.PutHookParams{
			TenantID: h.Tenant, Vault: foldName(h.Vault), Name: foldName(h.Name), Display: h.Name, SubscriptionID: h.Subscription,
			GroupName: h.Group, VaultDisplay: h.Vault, Endpoint: h.Base, Sealed: h.Sealed, SchemaName: string(h.Schema), Types: types,
			Created: micros(h.Created), Updated: micros(h.Updated), Reached: reached,
		})
		kept = keyvault.Hook{Created: fromMicros(row.Created), Delivered: row.Delivered, Dropped: row.Dropped}
		return err
	})
	return kept, err
}

// Hook implements keyvault.Store.
func (k *KeyVault) Hook(ctx context.Context, tenant, vault, name string) (h keyvault.HookRow, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.GetHook(ctx, keyvaultsql.GetHookParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(name)})
		if err == nil {
			h, err = hookOf(row)
		}
		return err
	})
	return h, err
}

// Hooks implements keyvault.Store.
func (k *KeyVault) Hooks(ctx context.Context, tenant, vault string) (list []keyvault.HookRow, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListHooks(ctx, keyvaultsql.ListHooksParams{TenantID: tenant, Vault: foldName(vault)})
		if err != nil {
			return err
		}
		list, err = hooksOf(rows)
		return err
	})
	return list, err
}

// DeleteHook implements keyvault.Store.
func (k *KeyVault) DeleteHook(ctx context.Context, tenant, vault, name string) (gone bool, err error) {
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.DeleteHook(ctx, keyvaultsql.DeleteHookParams{TenantID: tenant, Vault: foldName(vault), Name: foldName(name)})
		gone = rows > 0
		return err
	})
	return gone, err
}

// longestWait is beyond every time that a hook is ever put off by.
const longestWait = 3 * time.Hour

// ClaimHooks implements keyvault.Store. One that another node claims at the same time is left to
// that one.
func (k *KeyVault) ClaimHooks(ctx context.Context, now, until time.Time, limit int) (list []keyvault.HookRow, err error) {
	due := keyvaultsql.ListDueHooksParams{Now: micros(now), Never: micros(now.Add(longestWait)), Most: int32(limit)}
	var rows []keyvaultsql.KeyvaultHook
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) (err error) {
		rows, err = q.ListDueHooks(ctx, due)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var damaged error // of one row, which must not keep the others back
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		list, damaged = nil, nil
		for _, row := range rows {
			n, err := q.ClaimHook(ctx, keyvaultsql.ClaimHookParams{Until: instant(until), TenantID: row.TenantID, Vault: row.Vault, Name: row.Name, Was: row.Due})
			if err != nil {
				return err
			}
			row.Due = instant(until)
			switch h, err := hookOf(row); {
			case n == 0: // another one has it
			case err != nil:
				damaged = err
			default:
				list = append(list, h)
			}
		}
		return nil
	})
	return list, errors.Join(err, damaged)
}

// SettleHook implements keyvault.Store. It takes the hook's row before it looks for events, as
// those do before they are committed: none is overlooked.
func (k *KeyVault) SettleHook(ctx context.Context, h keyvault.HookRow, was time.Time) error {
	vault, name := foldName(h.Vault), foldName(h.Name)
	due := sql.NullInt64{Int64: micros(h.Due), Valid: true}
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.SettleHook(ctx, keyvaultsql.SettleHookParams{
			Reached: h.Reached, Attempts: int64(h.Attempts), Delivered: h.Delivered, Dropped: h.Dropped, Due: due,
			TenantID: h.Tenant, Vault: vault, Name: name, Updated: micros(h.Updated), Was: instant(was),
		})
		if err := oneRow(rows, err, keyvault.ErrChanged()); err != nil || !h.Due.IsZero() {
			return err
		}
		if err := q.RemoveEndedHooks(ctx, keyvaultsql.RemoveEndedHooksParams{TenantID: h.Tenant, Vault: vault}); err != nil {
			return err
		}
		last, err := q.LastEvent(ctx, keyvaultsql.LastEventParams{TenantID: h.Tenant, Vault: vault})
		if err != nil || last > h.Reached {
			return err
		}
		return q.RestHook(ctx, keyvaultsql.RestHookParams{TenantID: h.Tenant, Vault: vault, Name: name})
	})
}

// endHooks has the webhooks of a vault that is gone sent what there is, and go then.
func endHooks(ctx context.Context, q *keyvaultsql.Queries, tenant, vault string) error {
	last, err := q.LastEvent(ctx, keyvaultsql.LastEventParams{TenantID: tenant, Vault: vault})
	if err != nil {
		return err
	}
	err = q.EndHooks(ctx, keyvaultsql.EndHooksParams{Seq: sql.NullInt64{Int64: last, Valid: true}, TenantID: tenant, Vault: vault})
	if err != nil {
		return err
	}
	return q.RemoveEndedHooks(ctx, keyvaultsql.RemoveEndedHooksParams{TenantID: tenant, Vault: vault})
}

// OlderEvents implements keyvault.Store.
func (k *KeyVault) OlderEvents(ctx context.Context, tenant, vault string, after int64, old time.Time) (count, last int64, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.CountOlder(ctx, keyvaultsql.CountOlderParams{TenantID: tenant, Vault: foldName(vault), Seq: after, Created: micros(old)})
		count, last = row.Events, row.Last
		return err
	})
	return count, last, err
}

// PruneEvents implements keyvault.Store.
func (k *KeyVault) PruneEvents(ctx context.Context, old time.Time) error {
	var first int64
	err := k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) (err error) {
		first, err = q.OldestEvent(ctx)
		return err
	})
	if err != nil || first == 0 || first >= micros(old) {
		return err
	}
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		_, err := q.PruneEvents(ctx, micros(old))
		return err
	})
}

func hooksOf(rows []keyvaultsql.KeyvaultHook) (list []keyvault.HookRow, err error) {
	for _, row := range rows {
		h, err := hookOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}

func hookOf(row keyvaultsql.KeyvaultHook) (keyvault.HookRow, error) {
	h := keyvault.HookRow{Base: row.Endpoint, Sealed: row.Sealed, Hook: keyvault.Hook{
		Tenant: row.TenantID, Subscription: row.SubscriptionID, Group: row.GroupName, Vault: row.VaultDisplay, Name: row.Display,
		Schema: keyvault.Schema(row.SchemaName), Created: fromMicros(row.Created), Updated: fromMicros(row.Updated),
		Delivered: row.Delivered, Dropped: row.Dropped, Ends: row.Ends.Int64,
		HookProgress: keyvault.HookProgress{Reached: row.Reached, Attempts: int(row.Attempts), Due: fromInstant(row.Due)},
	}}
	if row.Types != "" {
		if err := json.Unmarshal([]byte(row.Types), &h.Types); err != nil {
			return h, fault.Wrap(fault.Corrupt, err, "the types of a stored webhook cannot be read")
		}
	}
	return h, nil
}
