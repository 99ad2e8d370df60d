package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// KeyVault keeps the rows of package keyvault, in the vault database. It remembers the vaults,
// keys and role assignments that were read last.
type KeyVault struct {
	db       *DB
	vaults   memory[string, keyvault.Vault]       // by folded name
	versions memory[versionName, keyvault.Stored] // as they were asked for
	roles    memory[roleName, []rights.Assignment]
}

// A versionName says which version of a key is meant: the newest if version is "".
type versionName struct{ tenant, vault, name, version string } // vault and name folded

// NewKeyVault returns the key vault's store in db.
func NewKeyVault(db *DB) *KeyVault {
	return &KeyVault{
		db: db, vaults: memory[string, keyvault.Vault]{db: db}, versions: memory[versionName, keyvault.Stored]{db: db},
		roles: memory[roleName, []rights.Assignment]{db: db},
	}
}

var _ keyvault.Store = (*KeyVault)(nil)

func (k *KeyVault) read(ctx context.Context, fn func(ctx context.Context, q *keyvaultsql.Queries) error) error {
	return notInVault(k.db.Read(ctx, func(ctx context.Context, tx DBTX) error { return fn(ctx, keyvaultsql.New(tx)) }))
}

func (k *KeyVault) write(ctx context.Context, fn func(ctx context.Context, q *keyvaultsql.Queries) error) error {
	return notInVault(k.db.Write(ctx, func(ctx context.Context, tx DBTX) error { return fn(ctx, keyvaultsql.New(tx)) }))
}

// notInVault says "not found" where a query found no row.
func notInVault(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Wrap(fault.NotFound, err, "there is nothing by that name")
	}
	return err
}

// oneRow is the error of a conditional change: missing if it met no row.
func oneRow(rows int64, err, missing error) error {
	if err == nil && rows == 0 {
		return missing
	}
	return err
}

// foldName is how names are stored to be found.
func foldName(name string) string { return strings.ToLower(name) }

// instant is micros for a time that may be absent: the first microsecond of 1970 is a time.
func instant(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func fromInstant(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64).UTC()
}

// encodeTags writes no tags as "{}"; encoding a map of strings cannot fail.
func encodeTags(tags map[string]string) string {
	if len(tags) == 0 {
		return "{}"
	}
	b, _ := json.Marshal(tags)
	return string(b)
}

func decodeTags(s string) (tags map[string]string, err error) {
	if s == "{}" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(s), &tags); err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "stored tags cannot be read")
	}
	return tags, nil
}

// Group implements keyvault.Store.
func (k *KeyVault) Group(ctx context.Context, tenant, subscription, name string) (g keyvault.Group, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.GetGroup(ctx, keyvaultsql.GetGroupParams{TenantID: tenant, SubscriptionID: subscription, Name: foldName(name)})
		if err == nil {
			g, err = groupOf(row)
		}
		return err
	})
	return g, err
}

// Groups implements keyvault.Store.
func (k *KeyVault) Groups(ctx context.Context, tenant, subscription string) (list []keyvault.Group, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListGroups(ctx, keyvaultsql.ListGroupsParams{TenantID: tenant, SubscriptionID: subscription})
		list = nil
		for _, row := range rows {
			g, err := groupOf(row)
			if err != nil {
				return err
			}
			list = append(list, g)
		}
		return err
	})
	return list, err
}

// PutGroup implements keyvault.Store.
func (k *KeyVault) PutGroup(ctx context.Context, g keyvault.Group) (created bool, err error) {
	err = k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.AddGroup(ctx, keyvaultsql.AddGroupParams{
			TenantID: g.Tenant, SubscriptionID: g.Subscription, Name: foldName(g.Name), Display: g.Name,
			Location: g.Location, Tags: encodeTags(g.Tags), Created: micros(g.Created),
		})
		if err != nil {
			return err
		}
		if created = rows == 1; created {
			return q.ClearGroupRoles(ctx, keyvaultsql.ClearGroupRolesParams{
				TenantID: g.Tenant, SubscriptionID: g.Subscription, GroupName: foldName(g.Name),
			})
		}
		return q.TagGroup(ctx, keyvaultsql.TagGroupParams{
			Tags: encodeTags(g.Tags), TenantID: g.Tenant, SubscriptionID: g.Subscription, Name: foldName(g.Name),
		})
	})
	return created, err
}

// TagGroup implements keyvault.Store.
func (k *KeyVault) TagGroup(ctx context.Context, g keyvault.Group) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.TagSameGroup(ctx, keyvaultsql.TagSameGroupParams{
			Tags: encodeTags(g.Tags), TenantID: g.Tenant, SubscriptionID: g.Subscription, Name: foldName(g.Name), Created: micros(g.Created),
		})
		return oneRow(rows, err, sql.ErrNoRows)
	})
}

func groupOf(row keyvaultsql.KeyvaultGroup) (keyvault.Group, error) {
	tags, err := decodeTags(row.Tags)
	return keyvault.Group{
		Tenant: row.TenantID, Subscription: row.SubscriptionID, Name: row.Display, Location: row.Location,
		Tags: tags, Created: fromMicros(row.Created),
	}, err
}
