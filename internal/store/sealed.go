package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
	availabilitysql "github.com/customerkey/customerkey/internal/store/gen/availability"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// A sealedTable is a table with a column of sealed bytes: three queries and how a place is
// written. It is a seal.Rows.
type sealedTable struct {
	db    *DB
	count func(ctx context.Context, q DBTX) (int64, error)
	list  func(ctx context.Context, q DBTX, after []string, limit int32) ([]seal.Row, error)
	swap  func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error
	parts int // of a place
}

// placeOf writes a place. No part of one holds a slash: they are ids, numbers, and names of vaults
// and keys.
func placeOf(parts ...string) string { return strings.Join(parts, "/") }

// Count implements seal.Rows.
func (t sealedTable) Count(ctx context.Context) (n int64, err error) {
	err = t.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		n, err = t.count(ctx, q)
		return err
	})
	return n, err
}

// List implements seal.Rows.
func (t sealedTable) List(ctx context.Context, after string, limit int) (rows []seal.Row, err error) {
	from, err := t.read(after)
	if err != nil {
		return nil, err
	}
	err = t.db.Read(ctx, func(ctx context.Context, q DBTX) error {
		rows, err = t.list(ctx, q, from, int32(limit))
		return err
	})
	return rows, err
}

// Swap implements seal.Rows.
func (t sealedTable) Swap(ctx context.Context, swaps []seal.Swap) error {
	return t.db.Write(ctx, func(ctx context.Context, q DBTX) error {
		for _, s := range swaps {
			place, err := t.read(s.Place)
			if err != nil {
				return err
			}
			if err := t.swap(ctx, q, place, s.Old, s.New); err != nil {
				return err
			}
		}
		return nil
	})
}

// read takes a place apart; "" is the one before the first.
func (t sealedTable) read(place string) ([]string, error) {
	if place == "" {
		return make([]string, t.parts), nil
	}
	parts := strings.Split(place, "/")
	if len(parts) != t.parts {
		return nil, fault.New(fault.Internal, "a place has %d parts, not %d", len(parts), t.parts)
	}
	return parts, nil
}

// SealedHandles are the private keys of the vault database that the protector of that name has
// sealed; parts are tenant, vault, key and version.
func SealedHandles(db *DB, protector string) seal.Rows {
	return sealedTable{
		db: db, parts: 4,
		count: func(ctx context.Context, q DBTX) (int64, error) {
			return keyvaultsql.New(q).CountHandles(ctx, protector)
		},
		list: func(ctx context.Context, q DBTX, after []string, limit int32) (rows []seal.Row, err error) {
			ordinal, _ := strconv.ParseInt(after[3], 10, 64) // 0 at the start
			found, err := keyvaultsql.New(q).ListSealedHandles(ctx, keyvaultsql.ListSealedHandlesParams{
				Protector: protector, AfterTenant: after[0], AfterVault: after[1], AfterName: after[2], AfterOrdinal: ordinal, Most: limit,
			})
			for _, r := range found {
				rows = append(rows, seal.Row{
					Place: placeOf(r.TenantID, r.Vault, r.Name, strconv.FormatInt(r.Ordinal, 10)),
					Parts: []string{r.TenantID, r.Vault, r.Name, r.Version}, Sealed: r.Handle,
				})
			}
			return rows, err
		},
		swap: func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error {
			ordinal, err := strconv.ParseInt(place[3], 10, 64)
			if err != nil {
				return fault.New(fault.Internal, "a place of a version has no number")
			}
			return keyvaultsql.New(q).SwapHandle(ctx, keyvaultsql.SwapHandleParams{
				TenantID: place[0], Vault: place[1], Name: place[2], Ordinal: ordinal, Was: was, Fresh: fresh,
			})
		},
	}
}

// SealedBackupKeys are the keys of the backup ring; the part is the id.
func SealedBackupKeys(db *DB) seal.Rows {
	return sealedTable{
		db: db, parts: 1,
		count: func(ctx context.Context, q DBTX) (int64, error) { return keyvaultsql.New(q).CountBackupKeys(ctx) },
		list: func(ctx context.Context, q DBTX, after []string, limit int32) (rows []seal.Row, err error) {
			found, err := keyvaultsql.New(q).ListBackupKeys(ctx, keyvaultsql.ListBackupKeysParams{ID: after[0], Limit: limit})
			for _, r := range found {
				rows = append(rows, seal.Row{Place: r.ID, Parts: []string{r.ID}, Sealed: r.Sealed})
			}
			return rows, err
		},
		swap: func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error {
			return keyvaultsql.New(q).SwapBackupKey(ctx, keyvaultsql.SwapBackupKeyParams{ID: place[0], Was: was, Fresh: fresh})
		},
	}
}

// SealedIssuerKeys are the keys that sign tokens; the part is the id.
func SealedIssuerKeys(db *DB) seal.Rows {
	return sealedTable{
		db: db, parts: 1,
		count: func(ctx context.Context, q DBTX) (int64, error) { return directorysql.New(q).CountIssuerKeys(ctx) },
		list: func(ctx context.Context, q DBTX, after []string, limit int32) (rows []seal.Row, err error) {
			found, err := directorysql.New(q).ListSealedIssuerKeys(ctx, directorysql.ListSealedIssuerKeysParams{ID: after[0], Limit: limit})
			for _, r := range found {
				rows = append(rows, seal.Row{Place: r.ID, Parts: []string{r.ID}, Sealed: r.Sealed})
			}
			return rows, err
		},
		swap: func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error {
			return directorysql.New(q).SwapIssuerKey(ctx, directorysql.SwapIssuerKeyParams{ID: place[0], Was: was, Fresh: fresh})
		},
	}
}

// SealedAvailabilityKeys are those that live; parts are kind, tenant, policy and id.
func SealedAvailabilityKeys(db *DB) seal.Rows {
	return sealedTable{
		db: db, parts: 2,
		count: func(ctx context.Context, q DBTX) (int64, error) { return availabilitysql.New(q).CountKeys(ctx) },
		list: func(ctx context.Context, q DBTX, after []string, limit int32) (rows []seal.Row, err error) {
			found, err := availabilitysql.New(q).ListKeys(ctx, availabilitysql.ListKeysParams{AfterTenant: after[0], AfterID: after[1], Most: limit})
			for _, r := range found {
				rows = append(rows, seal.Row{Place: placeOf(r.TenantID, r.ID), Parts: []string{r.Kind, r.TenantID, r.PolicyID, r.ID}, Sealed: r.Sealed})
			}
			return rows, err
		},
		swap: func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error {
			return availabilitysql.New(q).SwapKey(ctx, availabilitysql.SwapKeyParams{TenantID: place[0], ID: place[1], Was: was, Fresh: fresh})
		},
	}
}

// SealedHooks are the webhooks of vaults; parts are tenant, vault and name, folded.
func SealedHooks(db *DB) seal.Rows {
	return sealedTable{
		db: db, parts: 3,
		count: func(ctx context.Context, q DBTX) (int64, error) { return keyvaultsql.New(q).CountHooks(ctx) },
		list: func(ctx context.Context, q DBTX, after []string, limit int32) (rows []seal.Row, err error) {
			found, err := keyvaultsql.New(q).ListSealedHooks(ctx, keyvaultsql.ListSealedHooksParams{
				AfterTenant: after[0], AfterVault: after[1], AfterName: after[2], Most: limit,
			})
			for _, r := range found {
				rows = append(rows, seal.Row{Place: placeOf(r.TenantID, r.Vault, r.Name), Parts: []string{r.TenantID, r.Vault, r.Name}, Sealed: r.Sealed})
			}
			return rows, err
		},
		swap: func(ctx context.Context, q DBTX, place []string, was, fresh []byte) error {
			return keyvaultsql.New(q).SwapHook(ctx, keyvaultsql.SwapHookParams{TenantID: place[0], Vault: place[1], Name: place[2], Was: was, Fresh: fresh})
		},
	}
}
