package rights_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

const (
	anna  = "aaaaaaaa-0000-4000-8000-000000000001"
	group = "bbbbbbbb-0000-4000-8000-000000000002"
	app   = "cccccccc-0000-4000-8000-000000000003"
)

// TestPermits: whom an entry is about, and what it gives him (KV-40, KV-104).
func TestPermits(t *testing.T) {
	t.Parallel()
	person := directory.Caller{ID: anna, Groups: []string{group}, App: app}
	grant := func(object, application string, keys ...rights.Permission) rights.AccessPolicy {
		return rights.AccessPolicy{{Object: object, Application: application, Keys: keys}}
	}
	for _, tt := range []struct {
		name      string
		access    rights.AccessPolicy
		do        rights.Permission
		named, ok bool
	}{
		{"nobody", nil, rights.Get, false, false},
		{"someone else", grant(app, "", rights.Get), rights.Get, false, false},
		{"himself", grant(anna, "", rights.Get), rights.Get, true, true},
		{"in another case", grant("AAAAAAAA-0000-4000-8000-000000000001", "", "GET"), rights.Get, true, true},
		{"his group", grant(group, "", rights.Get), rights.Get, true, true},
		{"another permission", grant(anna, "", rights.List), rights.Get, true, false},
		{"by his program", grant(anna, app, rights.Get), rights.Get, true, true},
		{"by another program", grant(anna, group, rights.Get), rights.Get, false, false},
		{"all", grant(anna, "", rights.All), rights.Sign, true, true},
		{"all is not purge", grant(anna, "", rights.All), rights.Purge, true, false},
		{"purge by name", grant(anna, "", rights.All, rights.Purge), rights.Purge, true, true},
		{"any does", grant(anna, "", rights.Verify), rights.Any, true, true},
		{"none does not", grant(anna, ""), rights.Any, true, false},
		{"a later entry", append(grant(group, "", rights.List), grant(anna, "", rights.Get)...), rights.Get, true, true},
	} {
		if named, ok := tt.access.Permits(person, tt.do); named != tt.named || ok != tt.ok {
			t.Errorf("%s: named %t, permitted %t", tt.name, named, ok)
		}
	}
}

// TestChanged: what a change leaves, and that the policy it is made to stays as it was (KV-119).
func TestChanged(t *testing.T) {
	t.Parallel()
	old := rights.AccessPolicy{{Object: anna, Keys: []rights.Permission{rights.Get, rights.List}}}
	for _, tt := range []struct {
		how   rights.AccessChange
		grant rights.Grant
		want  rights.AccessPolicy
	}{
		{rights.AddAccess, rights.Grant{Object: anna, Keys: []rights.Permission{"LIST", rights.Sign}}, rights.AccessPolicy{{Object: anna, Keys: []rights.Permission{rights.Get, "LIST", rights.Sign}}}},
		{rights.AddAccess, rights.Grant{Object: group}, rights.AccessPolicy{old[0], {Object: group}}},
		{rights.ReplaceAccess, rights.Grant{Object: anna, Keys: []rights.Permission{rights.Sign}}, rights.AccessPolicy{{Object: anna, Keys: []rights.Permission{rights.Sign}}}},
		{rights.RemoveAccess, rights.Grant{Object: anna, Keys: []rights.Permission{"get"}}, rights.AccessPolicy{{Object: anna, Keys: []rights.Permission{rights.List}}}},
		{rights.RemoveAccess, rights.Grant{Object: anna, Keys: []rights.Permission{rights.Get, rights.List}}, rights.AccessPolicy{}},
		{rights.RemoveAccess, rights.Grant{Object: group, Keys: []rights.Permission{rights.Get}}, old},
	} {
		if diff := cmp.Diff(tt.want, old.Changed(tt.how, []rights.Grant{tt.grant})); diff != "" {
			t.Errorf("%s %+v: %s", tt.how, tt.grant, diff)
		}
		if !slices.Equal(old[0].Keys, []rights.Permission{rights.Get, rights.List}) {
			t.Fatalf("%s %+v changed what was there: %+v", tt.how, tt.grant, old)
		}
	}
}

// TestReach: a reach covers a scope exactly if the rights include the action there.
func TestReach(t *testing.T) {
	t.Parallel()
	name := rapid.SampledFrom([]string{"", "one", "ONE", "two"})
	scopes := rapid.Custom(func(t *rapid.T) rights.Scope {
		at := rights.Scope{Subscription: rapid.SampledFrom([]string{"s", "S"}).Draw(t, "subscription")}
		for _, part := range []*string{&at.Group, &at.Vault, &at.Key} {
			if *part = name.Draw(t, "part"); *part == "" {
				break // none but the last parts are empty
			}
		}
		return at
	})
	roles := rapid.SampledFrom([]string{rights.Owner, rights.Contributor, rights.Reader, rights.CryptoUser, "no such role"})
	rapid.Check(t, func(t *rapid.T) {
		var list []rights.Assignment
		for range rapid.IntRange(0, 4).Draw(t, "assignments") {
			list = append(list, rights.Assignment{Role: roles.Draw(t, "role"), Scope: scopes.Draw(t, "scope")})
		}
		held, at := rights.Of(list...), scopes.Draw(t, "at")
		for _, action := range []string{"Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/write", "Microsoft.Authorization/roleAssignments/write"} {
			if covers, manages := held.Reach(action).Covers(at), held.Manage(action, at); covers != manages {
				t.Errorf("%s at %s of %+v: reach %t, rights %t", action, at, list, covers, manages)
			}
		}
	})
}
