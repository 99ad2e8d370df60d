package store

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// Vault implements keyvault.Store.
func (k *KeyVault) Vault(ctx context.Context, name string) (keyvault.Vault, error) {
	name = foldName(name)
	return k.vaults.recall(name, func() (v keyvault.Vault, bytes int, err error) {
		err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
			v, err = getVault(ctx, q, name)
			return err
		})
		return v, vaultBytes(v), err
	})
}

// vaultBytes is about what a vault takes in memory.
func vaultBytes(v keyvault.Vault) int {
	n := 1 << 10
	for name, value := range v.Tags {
		n += 64 + len(name) + len(value)
	}
	for _, g := range v.Access {
		n += 128 + 32*len(g.Keys)
	}
	return n
}

// Vaults implements keyvault.Store.
func (k *KeyVault) Vaults(ctx context.Context, tenant, subscription, after string, limit int) (list []keyvault.Vault, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		names, err := q.ListVaults(ctx, keyvaultsql.ListVaultsParams{
			TenantID: tenant, SubscriptionID: subscription, Name: after, Limit: int32(limit),
		})
		list = nil
		for _, name := range names {
			v, err := getVault(ctx, q, name)
			if err != nil {
				return err
			}
			list = append(list, v)
		}
		return err
	})
	return list, err
}

// AddVault implements keyvault.Store.
func (k *KeyVault) AddVault(ctx context.Context, v keyvault.Vault) error {
	name := foldName(v.Name)
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.AddName(ctx, keyvaultsql.AddNameParams{Name: name, TenantID: v.Tenant})
		taken := fault.New(fault.Conflict, "the vault name is taken")
		if err := oneRow(rows, err, taken); err != nil {
			return err
		}
		err = q.AddVault(ctx, keyvaultsql.AddVaultParams{
			TenantID: v.Tenant, Name: name, Display: v.Name, SubscriptionID: v.Subscription, GroupName: v.Group,
			Location: v.Location, Sku: v.SKU, RetentionDays: int64(v.RetentionDays), PurgeProtection: v.PurgeProtection,
			Tags: encodeTags(v.Tags), Created: micros(v.Created), Updated: micros(v.Updated), Revision: v.Revision,
		})
		if err != nil {
			return err
		}
		return addAccess(ctx, q, v)
	})
}

// SetVault implements keyvault.Store.
func (k *KeyVault) SetVault(ctx context.Context, v keyvault.Vault, events ...keyvault.Event) error {
	name := foldName(v.Name)
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.SetVault(ctx, keyvaultsql.SetVaultParams{
			Sku: v.SKU, PurgeProtection: v.PurgeProtection, Tags: encodeTags(v.Tags), Updated: micros(v.Updated),
			TenantID: v.Tenant, Name: name, Revision: v.Revision,
		})
		if err := oneRow(rows, err, keyvault.ErrChanged()); err != nil {
			return err
		}
		if err := q.ClearAccess(ctx, keyvaultsql.ClearAccessParams{TenantID: v.Tenant, Vault: name}); err != nil {
			return err
		}
		if err := addAccess(ctx, q, v); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

func addAccess(ctx context.Context, q *keyvaultsql.Queries, v keyvault.Vault) error {
	for i, g := range v.Access {
		words := make([]string, len(g.Keys))
		for j, p := range g.Keys {
			words[j] = string(p)
		}
		err := q.AddAccess(ctx, keyvaultsql.AddAccessParams{
			TenantID: v.Tenant, Vault: foldName(v.Name), Position: int64(i), ObjectID: g.Object,
			ApplicationID: g.Application, Permissions: strings.Join(words, " "),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func getVault(ctx context.Context, q *keyvaultsql.Queries, name string) (keyvault.Vault, error) {
	row, err := q.GetVault(ctx, name)
	if err != nil {
		return keyvault.Vault{}, err
	}
	tags, err := decodeTags(row.Tags)
	if err != nil {
		return keyvault.Vault{}, err
	}
	grants, err := q.ListAccess(ctx, keyvaultsql.ListAccessParams{TenantID: row.TenantID, Vault: name})
	if err != nil {
		return keyvault.Vault{}, err
	}
	v := keyvault.Vault{
		Tenant: row.TenantID, Subscription: row.SubscriptionID, Group: row.GroupName, Name: row.Display,
		Location: row.Location, SKU: row.Sku, RetentionDays: int(row.RetentionDays), PurgeProtection: row.PurgeProtection,
		Protected: row.Protected, Tags: tags, Created: fromMicros(row.Created), Updated: fromMicros(row.Updated),
		Revision: row.Revision,
	}
	for _, g := range grants {
		v.Access = append(v.Access, grantOf(g))
	}
	return v, nil
}

func grantOf(row keyvaultsql.ListAccessRow) keyvault.Grant {
	g := keyvault.Grant{Object: row.ObjectID, Application: row.ApplicationID}
	for _, word := range strings.Fields(row.Permissions) {
		g.Keys = append(g.Keys, keyvault.Permission(word))
	}
	return g
}
