package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// Vault implements keyvault.Store.
func (k *KeyVault) Vault(ctx context.Context, name string) (keyvault.Vault, error) {
	name = foldName(name)
	return k.vaults.recall(name, func() (v keyvault.Vault, bytes int, err error) {
		err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
			v, _, err = getVault(ctx, q, name)
			if err == nil && v.IsDeleted() {
				err = sql.ErrNoRows
			}
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
	if v.Network.Firewall != nil {
		n += 32 * len(v.Network.Firewall.Allowed)
	}
	return n
}

// anyVault reads a vault, live or deleted, and whether it is being destroyed.
func (k *KeyVault) anyVault(ctx context.Context, name string) (v keyvault.Vault, purging bool, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		v, purging, err = getVault(ctx, q, foldName(name))
		return err
	})
	return v, purging, err
}

// Vaults implements keyvault.Store.
func (k *KeyVault) Vaults(ctx context.Context, tenant, subscription, after string, limit int) (list []keyvault.Vault, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		names, err := q.ListVaults(ctx, keyvaultsql.ListVaultsParams{
			TenantID: tenant, SubscriptionID: subscription, Name: after, Limit: int32(limit),
		})
		if err == nil {
			list, err = getVaults(ctx, q, names)
		}
		return err
	})
	return list, err
}

func getVaults(ctx context.Context, q *keyvaultsql.Queries, names []string) (list []keyvault.Vault, err error) {
	for _, name := range names {
		v, _, err := getVault(ctx, q, name)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// AddVault implements keyvault.Store.
func (k *KeyVault) AddVault(ctx context.Context, v keyvault.Vault) error {
	name := foldName(v.Name)
	network, err := encodeNetwork(v.Network)
	if err != nil {
		return err
	}
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if _, err := q.GetGroup(ctx, groupKey(v)); err != nil {
			return err
		}
		rows, err := q.AddName(ctx, keyvaultsql.AddNameParams{Name: name, TenantID: v.Tenant})
		taken := fault.New(fault.Conflict, "the vault name is taken")
		if err := oneRow(rows, err, taken); err != nil {
			return err
		}
		err = q.AddVault(ctx, keyvaultsql.AddVaultParams{
			TenantID: v.Tenant, Name: name, Display: v.Name, SubscriptionID: v.Subscription, GroupName: v.Group,
			Location: v.Location, Sku: v.SKU, RetentionDays: int64(v.RetentionDays), PurgeProtection: v.PurgeProtection,
			Tags: encodeTags(v.Tags), Created: micros(v.Created), Updated: micros(v.Updated), Revision: v.Revision,
			EnabledFor: strings.Join(v.EnabledFor.Words(), " "), CreatedBy: v.CreatedBy.String(), UpdatedBy: v.UpdatedBy.String(),
			Rbac: v.RBAC, Network: network,
		})
		if err != nil {
			return err
		}
		err = q.ClearVaultRoles(ctx, keyvaultsql.ClearVaultRolesParams{TenantID: v.Tenant, Vault: name})
		if err != nil {
			return err
		}
		return addAccess(ctx, q, v)
	})
}

// SetVault implements keyvault.Store.
func (k *KeyVault) SetVault(ctx context.Context, v keyvault.Vault, events ...keyvault.Event) error {
	name := foldName(v.Name)
	network, err := encodeNetwork(v.Network)
	if err != nil {
		return err
	}
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.SetVault(ctx, keyvaultsql.SetVaultParams{
			Sku: v.SKU, PurgeProtection: v.PurgeProtection, Tags: encodeTags(v.Tags), Updated: micros(v.Updated),
			EnabledFor: strings.Join(v.EnabledFor.Words(), " "), UpdatedBy: v.UpdatedBy.String(),
			Rbac: v.RBAC, Network: network,
			TenantID: v.Tenant, Name: name, Revision: v.Revision, Created: micros(v.Created),
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

func getVault(ctx context.Context, q *keyvaultsql.Queries, name string) (v keyvault.Vault, purging bool, err error) {
	row, err := q.GetVault(ctx, name)
	if err != nil {
		return v, false, err
	}
	if v, err = vaultOf(row); err != nil {
		return v, false, err
	}
	if v.Network, err = decodeNetwork(row.Network); err != nil {
		return v, false, err
	}
	grants, err := q.ListAccess(ctx, keyvaultsql.ListAccessParams{TenantID: row.TenantID, Vault: name})
	for _, g := range grants {
		v.Access = append(v.Access, grantOf(g))
	}
	return v, row.Purging, err
}

func vaultOf(row keyvaultsql.GetVaultRow) (keyvault.Vault, error) {
	tags, err := decodeTags(row.Tags)
	sub := keyvault.Subscription{
		State:     keyvault.SubscriptionState(row.State),
		Retention: keyvault.Registration{State: keyvault.RegistrationState(row.FeatureState), Order: row.FeatureOrder},
		Provider:  keyvault.Registration{State: keyvault.RegistrationState(row.ProviderState), Order: row.ProviderOrder},
	}
	return keyvault.Vault{
		Tenant: row.TenantID, Subscription: row.SubscriptionID, Group: row.GroupName, Name: row.Display,
		Location: row.Location, SKU: row.Sku, RetentionDays: int(row.RetentionDays), PurgeProtection: row.PurgeProtection, RBAC: row.Rbac,
		Protected: sub.Protected(), Suspended: !sub.Usable(), EnabledFor: keyvault.ParseEnabledFor(strings.Fields(row.EnabledFor)),
		Tags: tags, Created: fromMicros(row.Created), Updated: fromMicros(row.Updated),
		CreatedBy: keyvault.ParseAuthor(row.CreatedBy), UpdatedBy: keyvault.ParseAuthor(row.UpdatedBy),
		Revision: row.Revision, Deletion: keyvault.Deletion{Deleted: fromInstant(row.Deleted), PurgeAt: fromInstant(row.PurgeAt)},
	}, err
}

// groupKey names the group that a vault is in.
func groupKey(v keyvault.Vault) keyvaultsql.GetGroupParams {
	return keyvaultsql.GetGroupParams{TenantID: v.Tenant, SubscriptionID: v.Subscription, Name: foldName(v.Group)}
}

func grantOf(row keyvaultsql.ListAccessRow) rights.Grant {
	g := rights.Grant{Object: row.ObjectID, Application: row.ApplicationID}
	for _, word := range strings.Fields(row.Permissions) {
		g.Keys = append(g.Keys, rights.Permission(word))
	}
	return g
}
