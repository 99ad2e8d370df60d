package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	keyvaultsql "github.com/customerkey/customerkey/internal/store/gen/keyvault"
)

// Assignment implements keyvault.RoleStore.
func (k *KeyVault) Assignment(ctx context.Context, tenant, subscription, id string) (a rights.Assignment, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		row, err := q.GetRole(ctx, keyvaultsql.GetRoleParams{TenantID: tenant, SubscriptionID: subscription, ID: id})
		a = assignmentOf(row)
		return err
	})
	return a, err
}

// Assignments implements keyvault.RoleStore.
func (k *KeyVault) Assignments(ctx context.Context, tenant, subscription string, limit int) (list []rights.Assignment, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListRoles(ctx, keyvaultsql.ListRolesParams{TenantID: tenant, SubscriptionID: subscription, Limit: int32(limit)})
		list = assignmentsOf(nil, rows)
		return err
	})
	return list, err
}

// AssignmentsOf implements keyvault.RoleStore.
func (k *KeyVault) AssignmentsOf(ctx context.Context, tenant, subscription string, principals []string) ([]rights.Assignment, error) {
	return k.heldBy(ctx, principals, func(ctx context.Context, q *keyvaultsql.Queries, principal string) ([]keyvaultsql.KeyvaultRole, error) {
		return q.ListRolesOf(ctx, keyvaultsql.ListRolesOfParams{TenantID: tenant, PrincipalID: principal, SubscriptionID: subscription})
	})
}

// A roleName says whose roles at which scope are meant: folded, and as they were asked for.
type roleName struct {
	tenant, principals string
	at                 rights.Scope
}

// AssignmentsAt implements keyvault.RoleStore. Each request to a vault that goes by roles asks
// for them.
func (k *KeyVault) AssignmentsAt(ctx context.Context, tenant string, at rights.Scope, principals []string) ([]rights.Assignment, error) {
	name := roleName{tenant, strings.Join(principals, " "), at}
	return k.roles.recall(name, func() (list []rights.Assignment, bytes int, err error) {
		list, err = k.assignmentsAt(ctx, tenant, at, principals)
		return list, 512 + len(name.principals) + 512*len(list), err
	})
}

func (k *KeyVault) assignmentsAt(ctx context.Context, tenant string, at rights.Scope, principals []string) ([]rights.Assignment, error) {
	return k.heldBy(ctx, principals, func(ctx context.Context, q *keyvaultsql.Queries, principal string) ([]keyvaultsql.KeyvaultRole, error) {
		return q.ListRolesAt(ctx, keyvaultsql.ListRolesAtParams{
			TenantID: tenant, PrincipalID: principal, SubscriptionID: at.Subscription,
			GroupName: foldName(at.Group), Vault: foldName(at.Vault), KeyName: foldName(at.Key),
		})
	})
}

// heldBy joins what find returns for each principal, as of one moment.
func (k *KeyVault) heldBy(ctx context.Context, principals []string, find func(context.Context, *keyvaultsql.Queries, string) ([]keyvaultsql.KeyvaultRole, error)) (list []rights.Assignment, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		list = nil
		for _, principal := range principals {
			rows, err := find(ctx, q, principal)
			if err != nil {
				return err
			}
			list = assignmentsOf(list, rows)
		}
		return nil
	})
	return list, err
}

// AssignedIn implements keyvault.RoleStore.
func (k *KeyVault) AssignedIn(ctx context.Context, tenant string, principals []string) (list []string, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		list = nil
		for _, principal := range principals {
			ids, err := q.ListRoleSubscriptions(ctx, keyvaultsql.ListRoleSubscriptionsParams{TenantID: tenant, PrincipalID: principal})
			if err != nil {
				return err
			}
			list = append(list, ids...)
		}
		slices.Sort(list)
		list = slices.Compact(list)
		return nil
	})
	return list, err
}

// AddAssignment implements keyvault.RoleStore.
func (k *KeyVault) AddAssignment(ctx context.Context, a rights.Assignment, most int, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		if err := stillThere(ctx, q, a); err != nil {
			return err
		}
		n, err := q.CountRoles(ctx, keyvaultsql.CountRolesParams{TenantID: a.Tenant, SubscriptionID: a.Scope.Subscription})
		if err != nil {
			return err
		}
		if n >= int64(most) {
			return fault.New(fault.Conflict, "the subscription has %d role assignments", n)
		}
		rows, err := q.AddRole(ctx, keyvaultsql.AddRoleParams{
			TenantID: a.Tenant, SubscriptionID: a.Scope.Subscription, ID: a.ID, GroupName: foldName(a.Scope.Group),
			Vault: foldName(a.Scope.Vault), KeyName: foldName(a.Scope.Key), Scope: encodeScope(a.Scope), RoleID: a.Role,
			PrincipalID: a.Principal, PrincipalType: string(a.Kind), Description: a.Description, Created: micros(a.Created),
			CreatedBy: a.CreatedBy,
		})
		if err := oneRow(rows, err, keyvault.ErrChanged()); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

// stillThere is ErrChanged unless the vault or group that an assignment is for is the one that was
// meant: what is given with a vault or group ends with it, whatever has its name later.
func stillThere(ctx context.Context, q *keyvaultsql.Queries, a rights.Assignment) error {
	changed := false
	switch {
	case a.PlaceMade.IsZero():
	case a.Scope.Vault != "":
		made, err := q.LiveVault(ctx, keyvaultsql.LiveVaultParams{TenantID: a.Tenant, Name: foldName(a.Scope.Vault)})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		changed = err != nil || made != micros(a.PlaceMade)
	default:
		g, err := q.GetGroup(ctx, keyvaultsql.GetGroupParams{
			TenantID: a.Tenant, SubscriptionID: a.Scope.Subscription, Name: foldName(a.Scope.Group),
		})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		changed = err != nil || g.Created != micros(a.PlaceMade)
	}
	if changed {
		return keyvault.ErrChanged()
	}
	return nil
}

// DescribeAssignment implements keyvault.RoleStore.
func (k *KeyVault) DescribeAssignment(ctx context.Context, a rights.Assignment) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.DescribeRole(ctx, keyvaultsql.DescribeRoleParams{
			Description: a.Description, TenantID: a.Tenant, SubscriptionID: a.Scope.Subscription, ID: a.ID,
		})
		return oneRow(rows, err, sql.ErrNoRows)
	})
}

// RemoveAssignment implements keyvault.RoleStore.
func (k *KeyVault) RemoveAssignment(ctx context.Context, a rights.Assignment, events ...keyvault.Event) error {
	return k.write(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.RemoveRole(ctx, keyvaultsql.RemoveRoleParams{TenantID: a.Tenant, SubscriptionID: a.Scope.Subscription, ID: a.ID})
		if err := oneRow(rows, err, sql.ErrNoRows); err != nil {
			return err
		}
		return addEvents(ctx, q, events)
	})
}

// encodeScope is "Group/Vault/Key" as given; no name has a "/".
func encodeScope(s rights.Scope) string { return s.Group + "/" + s.Vault + "/" + s.Key }

func assignmentsOf(list []rights.Assignment, rows []keyvaultsql.KeyvaultRole) []rights.Assignment {
	for _, row := range rows {
		list = append(list, assignmentOf(row))
	}
	return list
}

func assignmentOf(row keyvaultsql.KeyvaultRole) rights.Assignment {
	group, rest, _ := strings.Cut(row.Scope, "/")
	vault, key, _ := strings.Cut(rest, "/")
	return rights.Assignment{
		Tenant: row.TenantID, ID: row.ID, Role: row.RoleID, Principal: row.PrincipalID,
		Scope: rights.Scope{Subscription: row.SubscriptionID, Group: group, Vault: vault, Key: key},
		Kind:  rights.PrincipalKind(row.PrincipalType), Description: row.Description, Created: fromMicros(row.Created),
		CreatedBy: row.CreatedBy,
	}
}

// encodeNetwork writes the network that everybody can reach the vault by as "".
func encodeNetwork(n rights.Network) (string, error) {
	if !n.Private && n.Firewall == nil {
		return "", nil
	}
	b, err := json.Marshal(n)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the network rules cannot be encoded")
	}
	return string(b), nil
}

func decodeNetwork(s string) (n rights.Network, err error) {
	if s == "" {
		return n, nil
	}
	if err := json.Unmarshal([]byte(s), &n); err != nil {
		return n, fault.Wrap(fault.Corrupt, err, "stored network rules cannot be read")
	}
	return n, nil
}

// VaultRefs implements keyvault.RoleStore.
func (k *KeyVault) VaultRefs(ctx context.Context, tenant, subscription, after string, limit int) (list []keyvault.VaultRef, err error) {
	err = k.read(ctx, func(ctx context.Context, q *keyvaultsql.Queries) error {
		rows, err := q.ListVaultRefs(ctx, keyvaultsql.ListVaultRefsParams{
			TenantID: tenant, SubscriptionID: subscription, Name: after, Limit: int32(limit),
		})
		list = nil
		for _, row := range rows {
			list = append(list, keyvault.VaultRef{
				Scope: rights.Scope{Subscription: subscription, Group: row.GroupName, Vault: row.Display}, RBAC: row.Rbac,
			})
		}
		return err
	})
	return list, err
}
