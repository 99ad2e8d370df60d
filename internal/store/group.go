package store

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// AddGroup implements directory.Store.
func (d *Directory) AddGroup(ctx context.Context, g directory.Group, limit int) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		n, err := q.CountGroups(ctx, g.Tenant)
		if err == nil && n >= int64(limit) {
			err = fault.New(fault.Conflict, "the organisation has %d groups already", n).WithHint("delete one that is not needed any more")
		}
		if err != nil {
			return err
		}
		return q.AddGroup(ctx, directorysql.AddGroupParams{
			TenantID: g.Tenant, ID: g.ID, DisplayName: g.DisplayName, Folded: strings.ToLower(g.DisplayName), Created: micros(g.Created),
		})
	})
}

// Group implements directory.Store.
func (d *Directory) Group(ctx context.Context, tenant, id string) (g directory.Group, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetGroup(ctx, directorysql.GetGroupParams{TenantID: tenant, ID: id})
		g = groupFrom(row)
		return err
	})
	return g, err
}

// GroupByName implements directory.Store.
func (d *Directory) GroupByName(ctx context.Context, tenant, name string) (g directory.Group, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		row, err := q.GetGroupByName(ctx, directorysql.GetGroupByNameParams{TenantID: tenant, Folded: strings.ToLower(name)})
		g = groupFrom(row)
		return err
	})
	return g, err
}

// Groups implements directory.Store.
func (d *Directory) Groups(ctx context.Context, tenant, afterName string, limit int) (list []directory.Group, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListGroups(ctx, directorysql.ListGroupsParams{TenantID: tenant, Folded: strings.ToLower(afterName), Limit: int32(limit)})
		list = nil
		for _, row := range rows {
			list = append(list, groupFrom(row))
		}
		return err
	})
	return list, err
}

// DeleteGroup implements directory.Store.
func (d *Directory) DeleteGroup(ctx context.Context, tenant, id string) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		if err := found(q.DeleteGroup(ctx, directorysql.DeleteGroupParams{TenantID: tenant, ID: id})); err != nil {
			return err
		}
		return q.DeleteMembers(ctx, directorysql.DeleteMembersParams{TenantID: tenant, GroupID: id})
	})
}

// AddMember implements directory.Store. A group that was deleted meanwhile is not found: no
// membership outlives it.
func (d *Directory) AddMember(ctx context.Context, g directory.Group, member string, most directory.GroupLimits) error {
	return notInDirectory(d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		if _, err := q.GetGroup(ctx, directorysql.GetGroupParams{TenantID: g.Tenant, ID: g.ID}); err != nil {
			return err
		}
		in, err := q.IsMember(ctx, directorysql.IsMemberParams{TenantID: g.Tenant, GroupID: g.ID, MemberID: member})
		if err != nil || in > 0 {
			return err
		}
		if err := roomFor(ctx, q, g, member, most); err != nil {
			return err
		}
		return q.AddMember(ctx, directorysql.AddMemberParams{TenantID: g.Tenant, GroupID: g.ID, MemberID: member})
	}))
}

// roomFor refuses a membership beyond the limits.
func roomFor(ctx context.Context, q *directorysql.Queries, g directory.Group, member string, most directory.GroupLimits) error {
	members, err := q.CountMembers(ctx, directorysql.CountMembersParams{TenantID: g.Tenant, GroupID: g.ID})
	if err != nil {
		return err
	}
	if members >= int64(most.Members) {
		return fault.New(fault.Conflict, "the group has %d members already", members).WithHint("use one more group")
	}
	groups, err := q.CountGroupsOf(ctx, directorysql.CountGroupsOfParams{TenantID: g.Tenant, MemberID: member})
	if err == nil && groups >= int64(most.GroupsOf) {
		return fault.New(fault.Conflict, "that person or app is in %d groups already, as many as a token names", groups).
			WithHint("take it out of a group that it does not need any more")
	}
	return err
}

// DeleteMember implements directory.Store.
func (d *Directory) DeleteMember(ctx context.Context, g directory.Group, member string) error {
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		return found(q.DeleteMember(ctx, directorysql.DeleteMemberParams{TenantID: g.Tenant, GroupID: g.ID, MemberID: member}))
	})
}

// Members implements directory.Store.
func (d *Directory) Members(ctx context.Context, g directory.Group, after string, limit int) (list []directory.Member, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListMembers(ctx, directorysql.ListMembersParams{TenantID: g.Tenant, GroupID: g.ID, MemberID: after, Limit: int32(limit)})
		list = nil
		for _, row := range rows {
			m := directory.Member{ID: row.MemberID, Kind: directory.App, DisplayName: row.DisplayName, UPN: row.Upn, AppID: row.AppID, Disabled: row.Disabled}
			if row.Upn != "" {
				m.Kind = directory.User
			}
			list = append(list, m)
		}
		return err
	})
	return list, err
}

// GroupsOf implements directory.Store.
func (d *Directory) GroupsOf(ctx context.Context, tenant, member string) (ids []string, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		ids, err = q.ListGroupsOf(ctx, directorysql.ListGroupsOfParams{TenantID: tenant, MemberID: member})
		return err
	})
	return ids, err
}

// People implements directory.Store.
func (d *Directory) People(ctx context.Context, tenant, after string, limit int) (list []directory.Person, err error) {
	err = d.read(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		rows, err := q.ListPeople(ctx, directorysql.ListPeopleParams{TenantID: tenant, Upn: after, Limit: int32(limit)})
		if err != nil {
			return err
		}
		list = nil
		for _, row := range rows {
			roles, err := decodeRoles(row.Roles)
			if err != nil {
				return err
			}
			licences, err := decodeLicences(row.Licences)
			if err != nil {
				return err
			}
			list = append(list, directory.Person{
				Tenant: tenant, ID: row.ID, UPN: row.Upn, DisplayName: row.DisplayName, Roles: roles,
				Disabled: row.Disabled, MustChangePassword: row.MustChange, Licences: licences, Created: fromMicros(row.Created),
			})
		}
		return nil
	})
	return list, err
}

// found is the error of a deletion that met nothing.
func found(rows int64, err error) error {
	if err == nil && rows == 0 {
		return fault.New(fault.NotFound, "there is nothing by that name")
	}
	return err
}

func groupFrom(row directorysql.DirectoryGroup) directory.Group {
	return directory.Group{Tenant: row.TenantID, ID: row.ID, DisplayName: row.DisplayName, Created: fromMicros(row.Created)}
}
