package directory

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of groups. MaxGroupsOf is how many Entra writes into a JWT before it writes a link to
// the rest instead; here nobody is in more, so that a token always says all.
const (
	MaxGroups   = 5_000  // of a tenant
	MaxMembers  = 10_000 // of a group
	MaxGroupsOf = 200    // that one person or app is in
)

// GroupLimits are the bounds that a store keeps when a membership is added.
type GroupLimits struct{ Members, GroupsOf int }

// A Group is a name for people and apps of one tenant, to whom a vault gives rights together.
// Groups are not members of groups, and give no role in the directory.
type Group struct {
	Tenant, ID  string // GUIDs; an ID never comes back for another group
	DisplayName string // unique in the tenant, whatever the case of its letters
	Created     time.Time
}

// A Member is a person or an app in a group.
type Member struct {
	ID          string // object id
	Kind        Kind   // User or App
	DisplayName string
	UPN         string // of a person
	AppID       string // of an app
	Disabled    bool
}

// CreateGroup makes an empty group in tenant. A Global Administrator of the tenant may; the same
// goes for every change below. fault.Conflict if the name is taken or there are MaxGroups.
func (s *Service) CreateGroup(ctx context.Context, c Caller, tenant, displayName string) (Group, error) {
	g := Group{Tenant: strings.ToLower(tenant), ID: uuid.NewString(), DisplayName: displayName, Created: s.now()}
	a := groupAct(c, g.Tenant, "group.create", g.ID, map[string]string{"name": clip(displayName)})
	if err := s.allowed(ctx, a); err != nil {
		return Group{}, err
	}
	if err := checkName("the group", displayName); err != nil {
		return Group{}, err
	}
	if err := s.perform(ctx, a, func() error { return s.store.AddGroup(ctx, g, MaxGroups) }); err != nil {
		return Group{}, err
	}
	return g, nil
}

// Group returns the group of tenant with this object id.
func (s *Service) Group(ctx context.Context, tenant, id string) (Group, error) {
	if id = strings.ToLower(id); !isGUID(id) {
		return Group{}, errNoGroup()
	}
	return known(s.store.Group(ctx, tenant, id))
}

// GroupByName returns the group of tenant with this display name, in any case of letters.
func (s *Service) GroupByName(ctx context.Context, tenant, displayName string) (Group, error) {
	if checkName("the group", displayName) != nil {
		return Group{}, errNoGroup()
	}
	return known(s.store.GroupByName(ctx, tenant, displayName))
}

// DeleteGroup deletes a group and its memberships. Tokens that name it live out their hour.
func (s *Service) DeleteGroup(ctx context.Context, c Caller, tenant, id string) error {
	return s.changeGroup(ctx, c, tenant, id, "group.delete", "", func(g Group) error {
		return s.store.DeleteGroup(ctx, g.Tenant, g.ID)
	})
}

// AddMember puts a person or an app of the same tenant into a group, by object id; who is in it
// stays. The tokens given from then on name the group. fault.Conflict if the group has MaxMembers,
// or the member is in MaxGroupsOf groups.
func (s *Service) AddMember(ctx context.Context, c Caller, tenant, group, member string) error {
	member = strings.ToLower(member)
	return s.changeGroup(ctx, c, tenant, group, "group.member.add", member, func(g Group) error {
		if err := s.canJoin(ctx, g.Tenant, member); err != nil {
			return err
		}
		return s.store.AddMember(ctx, g, member, GroupLimits{MaxMembers, MaxGroupsOf})
	})
}

// RemoveMember takes a person or an app out of a group, by object id. Tokens that were given
// before live out their hour.
func (s *Service) RemoveMember(ctx context.Context, c Caller, tenant, group, member string) error {
	member = strings.ToLower(member)
	return s.changeGroup(ctx, c, tenant, group, "group.member.remove", member, func(g Group) error {
		err := s.store.DeleteMember(ctx, g, member)
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.NotFound, "the group has no such member")
		}
		return err
	})
}

// canJoin refuses what is no person and no app of the tenant.
func (s *Service) canJoin(ctx context.Context, tenant, id string) error {
	if !isGUID(id) {
		return fault.New(fault.Invalid, "a member is named by its object id, a GUID")
	}
	_, err := s.store.Person(ctx, tenant, id)
	if fault.Is(err, fault.NotFound) {
		_, err = s.store.Principal(ctx, tenant, id)
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err = s.store.Group(ctx, tenant, id)
	switch {
	case err == nil:
		return fault.New(fault.Invalid, "groups cannot be members of groups").WithHint("add the people and apps of that group one by one")
	case fault.Is(err, fault.NotFound):
		return fault.New(fault.NotFound, "no person and no app here has that object id")
	}
	return err
}

// changeGroup performs a change of one group of tenant. Whether that group exists is told only
// to who may change it.
func (s *Service) changeGroup(ctx context.Context, c Caller, tenant, id, action, member string, do func(Group) error) error {
	var detail map[string]string
	if member != "" {
		detail = map[string]string{"member": clip(member)}
	}
	a := groupAct(c, strings.ToLower(tenant), action, id, detail)
	return s.perform(ctx, a, func() error {
		g, err := s.Group(ctx, a.tenant, id)
		if err != nil {
			return err
		}
		return do(g)
	})
}

func groupAct(c Caller, tenant, action, id string, detail map[string]string) act {
	return act{caller: c, tenant: tenant, action: action, object: "groups/" + clip(strings.ToLower(id)), detail: detail}
}

// known says "no such group" where the store found nothing.
func known(g Group, err error) (Group, error) {
	if fault.Is(err, fault.NotFound) {
		return Group{}, errNoGroup()
	}
	return g, err
}

func errNoGroup() error { return fault.New(fault.NotFound, "no such group") }
