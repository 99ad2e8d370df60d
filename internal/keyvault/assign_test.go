package keyvault_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestAssignRole: what can be assigned, once.
func TestAssignRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		who := s.Person("who@contoso.example")
		at := rights.Scope{Subscription: strings.ToUpper(s.Subscription.ID), Group: "KEYS", Vault: "Contoso-EAST", Key: "Root1"}
		a := rights.Assignment{ID: strings.ToUpper(uuid.NewString()), Scope: at, Role: strings.ToUpper(rights.CryptoUser), Principal: strings.ToUpper(who.ID), Description: "for a while"}
		made, created, err := s.AssignRole(t.Context(), s.Owner, a)
		want := rights.Assignment{
			Tenant: s.Tenant, ID: strings.ToLower(a.ID), Role: rights.CryptoUser, Principal: who.ID, Kind: rights.UserPrincipal,
			Scope:       rights.Scope{Subscription: s.Subscription.ID, Group: "keys", Vault: "contoso-east", Key: "Root1"},
			Description: "for a while", Created: s.Now(), CreatedBy: s.Owner.ID,
		}
		if diff := cmp.Diff(want, made); diff != "" || !created || err != nil {
			t.Errorf("created %t, %v %s", created, err, diff)
		}
		if got, err := s.Assignment(t.Context(), s.Owner, at, a.ID); err != nil || got != want {
			t.Errorf("read back: %+v, %v", got, err)
		}
		s.Pass(1)
		if again, created, err := s.AssignRole(t.Context(), s.Owner, a); again != want || created || err != nil {
			t.Errorf("again: %+v, created %t, %v", again, created, err)
		}
		described := a
		described.Description = "for good"
		if again, created, err := s.AssignRole(t.Context(), s.Owner, described); again.Description != "for good" || created || err != nil {
			t.Errorf("described: %+v, created %t, %v", again, created, err)
		}
		refuse := func(what string, code fault.Code, reason string, change func(*rights.Assignment)) {
			t.Helper()
			bad := a
			change(&bad)
			_, _, err := s.AssignRole(t.Context(), s.Owner, bad)
			if f := fault.As(err); err == nil || f.Code != code || f.Reason != reason {
				t.Errorf("%s: %v", what, err)
			}
		}
		refuse("another id", fault.Conflict, keyvault.ReasonRoleAssigned, func(a *rights.Assignment) { a.ID = uuid.NewString() })
		refuse("another role", fault.Invalid, keyvault.ReasonRoleFixed, func(a *rights.Assignment) { a.Role = rights.Reader })
		refuse("another principal", fault.Invalid, keyvault.ReasonRoleFixed, func(a *rights.Assignment) { a.Principal = uuid.NewString() })
		refuse("another scope", fault.Invalid, keyvault.ReasonRoleFixed, func(a *rights.Assignment) { a.Scope.Key = "" })
		refuse("no id", fault.Invalid, keyvault.ReasonRoleID, func(a *rights.Assignment) { a.ID = "mine" })
		refuse("no role", fault.Invalid, keyvault.ReasonNoRole, func(a *rights.Assignment) { a.Role = uuid.NewString() })
		refuse("no principal", fault.Invalid, "", func(a *rights.Assignment) { a.Principal = "alice" })
		refuse("no kind", fault.Invalid, "", func(a *rights.Assignment) { a.Kind = "Device" })
		refuse("a long story", fault.Invalid, "", func(a *rights.Assignment) { a.Description = strings.Repeat("a", 1025) })
		refuse("an end in its middle", fault.Invalid, "", func(a *rights.Assignment) { a.Description = "for\x00good" })
		refuse("no vault", fault.NotFound, keyvault.ReasonNoResource, func(a *rights.Assignment) { a.Scope.Vault = "contoso-none" })
		refuse("no group", fault.NotFound, keyvault.ReasonNoGroup, func(a *rights.Assignment) { a.Scope.Group = "none" })
		refuse("no key name", fault.Invalid, "", func(a *rights.Assignment) { a.Scope.Key = "a b" })
		refuse("no subscription", fault.NotFound, keyvault.ReasonNoSubscription, func(a *rights.Assignment) { a.Scope.Subscription = uuid.NewString() })
		refuse("the owner's", fault.Conflict, keyvault.ReasonRoleAssigned, func(a *rights.Assignment) {
			*a = rights.Assignment{ID: uuid.NewString(), Scope: s.whole(), Role: rights.Owner, Principal: s.Owner.ID}
		})
	})
}

// TestUnassignRole: an assignment is taken away where it is, and nowhere else.
func TestUnassignRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		a := s.mustAssign(s.Person("who"), rights.Reader, s.east())
		inside := s.east()
		inside.Key = "root1"
		for _, at := range []rights.Scope{s.whole(), {Subscription: s.Subscription.ID, Group: "keys"}, inside} {
			_, err := s.UnassignRole(t.Context(), s.Owner, at, a.ID)
			wantFault(t, err, fault.NotFound, keyvault.ReasonNoAssignment)
			_, err = s.Assignment(t.Context(), s.Owner, at, a.ID)
			wantFault(t, err, fault.NotFound, keyvault.ReasonNoAssignment)
		}
		if gone, err := s.UnassignRole(t.Context(), s.Owner, s.east(), strings.ToUpper(a.ID)); err != nil || gone != a {
			t.Errorf("taken away: %+v, %v", gone, err)
		}
		for _, id := range []string{a.ID, "mine"} {
			_, err := s.UnassignRole(t.Context(), s.Owner, s.east(), id)
			wantFault(t, err, fault.NotFound, keyvault.ReasonNoAssignment)
		}
		all, err := s.Assignments(t.Context(), s.Owner, s.whole(), rights.AssignmentFilter{})
		if err != nil || len(all) != 1 || all[0].Principal != s.Owner.ID || all[0].Role != rights.Owner {
			t.Fatalf("what is left: %+v, %v", all, err)
		}
		_, err = s.UnassignRole(t.Context(), s.Owner, s.whole(), all[0].ID)
		wantFault(t, err, fault.Conflict, keyvault.ReasonRoleFixed)
		if again, created, err := s.AssignRole(t.Context(), s.Owner, all[0]); err != nil || created || again != all[0] {
			t.Errorf("what is there: %+v, created %t, %v", again, created, err)
		}
		all[0].Description = "mine"
		_, _, err = s.AssignRole(t.Context(), s.Owner, all[0])
		wantFault(t, err, fault.Conflict, keyvault.ReasonRoleFixed)
	})
}

// TestAssignments: which of them a list shows, to whom.
func TestAssignments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.MustVault("contoso-west")
		west, single := s.east(), s.east()
		west.Vault, single.Key = "contoso-west", "root1"
		groupScope := rights.Scope{Subscription: s.Subscription.ID, Group: "keys"}
		reader, team, member := s.Person("reader"), s.Person("team"), s.Person("member")
		member.Groups = []string{team.ID}
		names := map[string]string{}
		name := func(n string, a rights.Assignment) { names[a.ID] = n }
		name("reader at east", s.mustAssign(reader, rights.Reader, s.east()))
		name("team at group", s.mustAssign(team, rights.CryptoUser, groupScope))
		name("member at key", s.mustAssign(member, rights.CryptoOfficer, single))
		name("member at west", s.mustAssign(member, rights.AccessAdmin, west))
		list := func(c directory.Caller, at rights.Scope, f rights.AssignmentFilter) []string {
			t.Helper()
			all, err := s.Assignments(t.Context(), c, at, f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range all {
				n, ok := names[a.ID]
				if !ok {
					n = "owner"
				}
				got = append(got, n)
			}
			slices.Sort(got)
			return got
		}
		for _, tt := range []struct {
			what string
			got  []string
			want []string
		}{
			{"all", list(s.Owner, s.whole(), rights.AssignmentFilter{}), []string{"member at key", "member at west", "owner", "reader at east", "team at group"}},
			{"at the subscription", list(s.Owner, s.whole(), rights.AssignmentFilter{AtScope: true}), []string{"owner"}},
			{"east", list(s.Owner, s.east(), rights.AssignmentFilter{}), []string{"member at key", "owner", "reader at east", "team at group"}},
			{"at east", list(s.Owner, s.east(), rights.AssignmentFilter{AtScope: true}), []string{"owner", "reader at east", "team at group"}},
			{"the member's", list(s.Owner, s.whole(), rights.AssignmentFilter{Principal: strings.ToUpper(member.ID)}), []string{"member at key", "member at west"}},
			{"what he is assigned", list(s.Owner, s.whole(), rights.AssignmentFilter{AssignedTo: member.ID}), []string{"member at key", "member at west"}},
			{"what he knows himself assigned", list(member, west, rights.AssignmentFilter{AssignedTo: member.ID}), []string{"member at west", "team at group"}},
			{"the reader sees what his vault inherits", list(reader, s.east(), rights.AssignmentFilter{}), []string{"member at key", "owner", "reader at east", "team at group"}},
			{"and of the whole what is in it", list(reader, s.whole(), rights.AssignmentFilter{}), []string{"member at key", "reader at east"}},
			{"no rights over resources show nothing", list(team, s.whole(), rights.AssignmentFilter{}), nil},
		} {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("%s: %s", tt.what, diff)
			}
		}
		_, err := s.Assignments(t.Context(), s.Person("nobody"), s.whole(), rights.AssignmentFilter{})
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
	})
}

// What any role lets its holder ask (he is shown what he may read), what all roles over vaults
// let him see beside, and the rest of management.
var (
	askedByAll = []keyvault.Action{
		keyvault.GetSubscription, keyvault.ListGroups, keyvault.ListVaults, keyvault.CheckVaultName,
		keyvault.ListRoles, keyvault.ListAssignments,
	}
	seen         = []keyvault.Action{keyvault.GetGroup, keyvault.GetVault, keyvault.GetDeletedVault, keyvault.ListDeletedVaults, keyvault.GetAssignment}
	vaultChanges = []keyvault.Action{
		keyvault.PutVault, keyvault.SetAccess, keyvault.DeleteVault, keyvault.RecoverVault, keyvault.RegisterProvider, keyvault.UnregisterProvider,
	}
	otherChanges = []keyvault.Action{keyvault.PutGroup, keyvault.DeleteGroup, keyvault.PurgeVault, keyvault.RegisterFeature, keyvault.UnregisterFeature, keyvault.CancelSubscription, keyvault.EnableSubscription, keyvault.RenameSubscription}
	roleChanges  = []keyvault.Action{keyvault.AssignRole, keyvault.UnassignRole}
)

// overResources is KV-128: what each role lets its holder manage.
var overResources = map[string][]keyvault.Action{
	rights.Owner:             slices.Concat(askedByAll, seen, vaultChanges, otherChanges, roleChanges),
	rights.Contributor:       slices.Concat(askedByAll, seen, vaultChanges, otherChanges),
	rights.Reader:            slices.Concat(askedByAll, seen),
	rights.RBACAdministrator: slices.Concat(askedByAll, seen, roleChanges),
	rights.AccessAdmin:       slices.Concat(askedByAll, seen, roleChanges),
	rights.VaultContributor:  slices.Concat(askedByAll, seen, vaultChanges),
	rights.VaultAdmin:        slices.Concat(askedByAll, seen),
	rights.CryptoOfficer:     slices.Concat(askedByAll, seen),
	rights.VaultReader:       slices.Concat(askedByAll, seen),
	rights.CryptoUser:        askedByAll,
	rights.ServiceEncryption: askedByAll,
}

// TestRolesOverResources: every role against every action of management. Who may do it gets as
// far as the reason for which it is refused here; others are told what they lack.
func TestRolesOverResources(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		through := errors.New("let through")
		for role, may := range overResources {
			holder := s.Person("holder@contoso.example")
			s.mustAssign(holder, role, s.whole())
			for _, action := range overResources[rights.Owner] {
				s.Entries()
				err := s.RefuseManagement(t.Context(), holder, action, s.east(), fault.Wrap(fault.Invalid, through, "let through"))
				e := s.Entries()
				if len(e) != 1 || e[0].Action != string(action) || e[0].Decision != audit.Deny {
					t.Fatalf("%s, %s: recorded %+v", role, action, e)
				}
				if slices.Contains(may, action) {
					if !errors.Is(err, through) {
						t.Errorf("%s, %s: %v", role, action, err)
					}
					continue
				}
				wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
				want := "The client 'holder@contoso.example' with object id '" + holder.ID + "' does not have authorization to perform action '" +
					e[0].Detail["permission"] + "' over scope '" + s.east().String() + "' or the scope is invalid. If access was recently granted, please refresh your credentials"
				if diff := cmp.Diff(want, fault.As(err).Message); diff != "" {
					t.Error(diff)
				}
			}
		}
	})
}

// roleManagement is management with what is about roles.
func (s *stage) roleManagement() map[string]func(c directory.Caller) error {
	ctx, at := s.t.Context(), s.whole()
	a := s.mustAssign(s.Person("someone"), rights.Reader, at)
	all := s.management()
	all["roles"] = func(c directory.Caller) error { _, err := s.Roles(ctx, c, at); return err }
	all["assignments"] = func(c directory.Caller) error {
		_, err := s.Assignments(ctx, c, at, rights.AssignmentFilter{})
		return err
	}
	all["assignment"] = func(c directory.Caller) error { _, err := s.Assignment(ctx, c, at, a.ID); return err }
	all["assign"] = func(c directory.Caller) error { _, _, err := s.AssignRole(ctx, c, a); return err }
	all["unassign"] = func(c directory.Caller) error { _, err := s.UnassignRole(ctx, c, at, a.ID); return err }
	return all
}

// TestNobodyManages: who has no role in a subscription is refused by every method, in so many
// words, and by one record.
func TestNobodyManages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		nobody := s.Person("nobody@contoso.example")
		for name, do := range s.roleManagement() {
			switch name {
			case "put subscription", "subscriptions", "requests", "decide", "state":
				continue // in no subscription, or the operator's
			}
			s.Entries()
			wantFault(t, do(nobody), fault.Forbidden, keyvault.ReasonNotOwner)
			if e := s.Entries(); len(e) != 1 || e[0].Decision != audit.Deny || e[0].Caller.ID != nobody.ID || e[0].Detail["permission"] == "" {
				t.Errorf("%s: recorded %+v", name, e)
			}
		}
	})
}

// TestRolesElsewhere: a role in another vault, group or tenant opens nothing, and a subscription
// of another tenant is not there.
func TestRolesElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.MustVault("contoso-west")
		holder := s.Person("holder@contoso.example")
		west := s.east()
		west.Vault = "contoso-west"
		s.mustAssign(holder, rights.Owner, west)
		_, err := s.Vault(t.Context(), holder, s.Subscription.ID, "keys", "contoso-east")
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
		_, err = s.FindVault(t.Context(), holder, s.Subscription.ID, "contoso-east")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		_, err = s.Vault(t.Context(), holder, s.Subscription.ID, "keys", "contoso-none")
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner) // as if it were there
		_, err = s.Group(t.Context(), holder, s.Subscription.ID, "keys")
		wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
		if v, err := s.Vault(t.Context(), holder, s.Subscription.ID, "KEYS", "CONTOSO-west"); err != nil || v.Name != "contoso-west" {
			t.Errorf("his own: %+v, %v", v, err)
		}
		// The same object id in another tenant is somebody else.
		other := keyvaulttest.New(t, s.db)
		holder.Tenant = other.Tenant
		_, err = other.Vault(t.Context(), holder, s.Subscription.ID, "keys", "contoso-west")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoSubscription)
		_, _, err = other.AssignRole(t.Context(), other.Owner, rights.Assignment{ID: uuid.NewString(), Scope: s.whole(), Role: rights.Reader, Principal: other.Owner.ID})
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoSubscription)
	})
}

// TestListsShowWhatMayBeRead: subscriptions, groups and vaults.
func TestListsShowWhatMayBeRead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		if _, _, err := s.PutGroup(t.Context(), s.Owner, keyvault.Group{Subscription: s.Subscription.ID, Name: "more", Location: keyvaulttest.Location}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"contoso-a", "contoso-b"} {
			_, _, err := s.PutVault(t.Context(), s.Owner, keyvault.VaultSpec{Subscription: s.Subscription.ID, Group: "more", Name: name, Location: keyvaulttest.Location, SKU: "standard"})
			if err != nil {
				t.Fatal(err)
			}
		}
		more := rights.Scope{Subscription: s.Subscription.ID, Group: "more"}
		b := more
		b.Vault = "contoso-b"
		for name, tt := range map[string]struct {
			role           string
			at             rights.Scope
			groups, vaults []string
		}{
			"everything": {rights.Reader, s.whole(), []string{"keys", "more"}, []string{"contoso-a", "contoso-b", "contoso-east"}},
			"a group":    {rights.Reader, more, []string{"more"}, []string{"contoso-a", "contoso-b"}},
			"a vault":    {rights.VaultReader, b, nil, []string{"contoso-b"}},
			"nothing":    {rights.CryptoUser, s.whole(), nil, nil},
		} {
			c := s.Person(name)
			if subs, err := s.Subscriptions(t.Context(), c); err != nil || len(subs) != 0 {
				t.Errorf("%s: before there is a role: %v, %v", name, subs, err)
			}
			s.mustAssign(c, tt.role, tt.at)
			if subs, err := s.Subscriptions(t.Context(), c); err != nil || len(subs) != 1 {
				t.Errorf("%s: subscriptions %v, %v", name, subs, err)
			}
			var groups, vaults []string
			gs, err := s.Groups(t.Context(), c, s.Subscription.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range gs {
				groups = append(groups, g.Name)
			}
			for after := ""; ; { // page by page
				vs, err := s.Vaults(t.Context(), c, s.Subscription.ID, after, 1)
				if err != nil {
					t.Fatal(err)
				}
				if len(vs) == 0 {
					break
				}
				after = vs[0].Name
				vaults = append(vaults, after)
			}
			if !slices.Equal(groups, tt.groups) || !slices.Equal(vaults, tt.vaults) {
				t.Errorf("%s: groups %v, vaults %v", name, groups, vaults)
			}
		}
	})
}

// TestContributorStaysOutside: who manages vaults but not roles cannot let himself in by
// changing what a vault goes by.
func TestContributorStaysOutside(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.useRoles()
		off := false
		for role, may := range map[string]bool{rights.Contributor: false, rights.VaultContributor: false, rights.Owner: true} {
			c := s.Person("manager@contoso.example")
			s.mustAssign(c, role, s.whole())
			spec := keyvault.VaultSpec{Subscription: s.Subscription.ID, Group: "keys", Name: "contoso-east", RBAC: &off, Access: []rights.Grant{keyvaulttest.Can(c, "all")}}
			_, _, err := s.PutVault(t.Context(), c, spec)
			if (err == nil) != may || !may && !strings.Contains(fault.As(err).Message, "Microsoft.Authorization/roleAssignments/write") {
				t.Errorf("%s: %v", role, err)
			}
			s.setRBAC(true)
		}
	})
}

// TestAssignTogether: of two who give the same role at once, one makes it and the other is told.
func TestAssignTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		who := s.Person("who")
		type outcome struct {
			created bool
			err     error
		}
		outcomes := make(chan outcome)
		for range 4 {
			a := rights.Assignment{ID: uuid.NewString(), Scope: s.east(), Role: rights.Reader, Principal: who.ID}
			go func() {
				_, created, err := s.AssignRole(t.Context(), s.Owner, a)
				outcomes <- outcome{created, err}
			}()
		}
		made := 0
		for range 4 {
			switch o := <-outcomes; {
			case o.err == nil && o.created:
				made++
			case fault.As(o.err).Reason != keyvault.ReasonRoleAssigned:
				t.Errorf("%+v", o)
			}
		}
		if made != 1 {
			t.Errorf("%d made it", made)
		}
	})
}
