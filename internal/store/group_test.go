package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
)

var wide = directory.GroupLimits{Members: 100, GroupsOf: 100}

func mustGroup(t *testing.T, d *store.Directory, tenant, name string) directory.Group {
	t.Helper()
	g := directory.Group{Tenant: tenant, ID: uuid.NewString(), DisplayName: name, Created: dirtime}
	mustDo(t, d.AddGroup(t.Context(), g, 100))
	return g
}

func TestDirectoryGroups(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, tenant, elsewhere := t.Context(), uuid.NewString(), uuid.NewString()
		officers := mustGroup(t, d, tenant, "Schlüssel Officers")
		auditors := mustGroup(t, d, tenant, "auditors")
		if got, err := d.Group(ctx, tenant, officers.ID); err != nil || got != officers {
			t.Errorf("by id: %+v, %v", got, err)
		}
		if got, err := d.GroupByName(ctx, tenant, "SCHLÜSSEL officers"); err != nil || got != officers {
			t.Errorf("by name: %+v, %v", got, err)
		}
		_, err := d.Group(ctx, elsewhere, officers.ID)
		wantCode(t, "by id in another tenant", err, fault.NotFound)
		_, err = d.GroupByName(ctx, elsewhere, officers.DisplayName)
		wantCode(t, "by name in another tenant", err, fault.NotFound)
		again := directory.Group{Tenant: tenant, ID: uuid.NewString(), DisplayName: "AUDITORS", Created: dirtime}
		wantCode(t, "a name twice", d.AddGroup(ctx, again, 100), fault.Conflict)
		mustGroup(t, d, elsewhere, "auditors")
		wantCode(t, "one too many", d.AddGroup(ctx, directory.Group{Tenant: tenant, ID: uuid.NewString(), DisplayName: "third"}, 2), fault.Conflict)

		first, err := d.Groups(ctx, tenant, "", 1)
		if err != nil || !cmp.Equal(first, []directory.Group{auditors}) {
			t.Errorf("the first page is %+v, %v", first, err)
		}
		second, err := d.Groups(ctx, tenant, "AUDITORS", 5)
		if err != nil || !cmp.Equal(second, []directory.Group{officers}) {
			t.Errorf("the second page is %+v, %v", second, err)
		}
		wantCode(t, "deleting in another tenant", d.DeleteGroup(ctx, elsewhere, officers.ID), fault.NotFound)
		mustDo(t, d.AddMember(ctx, officers, uuid.NewString(), wide))
		mustDo(t, d.DeleteGroup(ctx, tenant, officers.ID))
		wantCode(t, "deleting twice", d.DeleteGroup(ctx, tenant, officers.ID), fault.NotFound)
		wantCode(t, "joining what is deleted", d.AddMember(ctx, officers, uuid.NewString(), wide), fault.NotFound)
		if left, err := d.Members(ctx, officers, "", 10); err != nil || len(left) != 0 {
			t.Errorf("a deleted group keeps %+v, %v", left, err)
		}
	})
}

func TestDirectoryMembers(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, tenant := t.Context(), uuid.NewString()
		alice := account(tenant, "alice@contoso.example")
		alice.ID, alice.Disabled = "00000000-0000-4000-8000-000000000001", true
		mustDo(t, d.AddPerson(ctx, alice))
		app := directory.Registration{ID: uuid.NewString(), HomeTenant: tenant, DisplayName: "importer", Created: dirtime}
		p := directory.ServicePrincipal{Tenant: tenant, ID: "00000000-0000-4000-8000-000000000002", AppID: app.ID, HomeTenant: tenant, DisplayName: "importer", Created: dirtime}
		mustDo(t, d.AddApp(ctx, app, directory.Secret{Tenant: tenant, App: app.ID, ID: uuid.NewString(), Hash: []byte{1}, Created: dirtime, Expires: dirtime}, p))

		g, other := mustGroup(t, d, tenant, "one"), mustGroup(t, d, tenant, "two")
		for range 2 { // the second time changes nothing
			mustDo(t, d.AddMember(ctx, g, alice.ID, wide))
		}
		mustDo(t, d.AddMember(ctx, g, p.ID, wide))
		mustDo(t, d.AddMember(ctx, other, alice.ID, wide))
		person := directory.Member{ID: alice.ID, Kind: directory.User, DisplayName: alice.DisplayName, UPN: alice.UPN, Disabled: true}
		program := directory.Member{ID: p.ID, Kind: directory.App, DisplayName: "importer", AppID: app.ID}
		if got, err := d.Members(ctx, g, "", 10); err != nil || !cmp.Equal(got, []directory.Member{person, program}) {
			t.Errorf("members: %s, %v", cmp.Diff([]directory.Member{person, program}, got), err)
		}
		if got, err := d.Members(ctx, g, alice.ID, 10); err != nil || !cmp.Equal(got, []directory.Member{program}) {
			t.Errorf("the second page: %+v, %v", got, err)
		}
		both := []string{g.ID, other.ID}
		slices.Sort(both)
		if got, err := d.GroupsOf(ctx, tenant, alice.ID); err != nil || !slices.Equal(got, both) {
			t.Errorf("alice is in %v, %v", got, err)
		}
		if got, err := d.GroupsOf(ctx, uuid.NewString(), alice.ID); err != nil || len(got) != 0 {
			t.Errorf("in another tenant she is in %v, %v", got, err)
		}

		full := directory.GroupLimits{Members: 2, GroupsOf: 2}
		mustDo(t, d.AddMember(ctx, g, alice.ID, full)) // who is in a full group stays
		wantCode(t, "a third member", d.AddMember(ctx, g, uuid.NewString(), full), fault.Conflict)
		wantCode(t, "a third group", d.AddMember(ctx, mustGroup(t, d, tenant, "three"), alice.ID, full), fault.Conflict)
		mustDo(t, d.DeleteMember(ctx, g, alice.ID))
		wantCode(t, "leaving twice", d.DeleteMember(ctx, g, alice.ID), fault.NotFound)
		mustDo(t, d.DeleteGroup(ctx, tenant, other.ID))
		if got, err := d.GroupsOf(ctx, tenant, alice.ID); err != nil || len(got) != 0 {
			t.Errorf("after both ended she is in %v, %v", got, err)
		}
	})
}

// TestDirectoryMembersTogether: who join at once do not slip past the limit.
func TestDirectoryMembersTogether(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		g := mustGroup(t, d, uuid.NewString(), "few")
		var joined atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := d.AddMember(t.Context(), g, uuid.NewString(), directory.GroupLimits{Members: 3, GroupsOf: 3}); err == nil {
					joined.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if list, err := d.Members(t.Context(), g, "", 10); err != nil || joined.Load() != 3 || len(list) != 3 {
			t.Errorf("%d of 8 joined, the group has %d; %v", joined.Load(), len(list), err)
		}
	})
}

func TestDirectoryListsPeopleInOrder(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, tenant := t.Context(), uuid.NewString()
		var want []directory.Person
		for i := range 5 {
			a := account(tenant, fmt.Sprintf("p%d@contoso.example", 4-i), directory.GlobalReader)
			mustDo(t, d.AddPerson(ctx, a))
			want = append([]directory.Person{a.Person}, want...)
		}
		mustDo(t, d.AddPerson(ctx, account(uuid.NewString(), "p2@fabrikam.example")))
		var got []directory.Person
		for after := ""; ; after = got[len(got)-1].UPN {
			list, err := d.People(ctx, tenant, after, 2)
			mustDo(t, err)
			if len(list) == 0 {
				break
			}
			got = append(got, list...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
