package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// dirtime is a time as it is stored.
var dirtime = time.Date(2026, 3, 1, 12, 0, 0, 123_000, time.UTC)

// eachDirectory runs fn on every engine, with an empty directory.
func eachDirectory(t *testing.T, fn func(t *testing.T, d *store.Directory)) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) { fn(t, store.NewDirectory(db)) })
}

func account(tenant, upn string, roles ...directory.Role) directory.Account {
	return directory.Account{
		Person: directory.Person{
			Tenant: tenant, ID: uuid.NewString(), UPN: upn, DisplayName: "Ünal 🔑 \"quoted\"", Roles: roles, MustChangePassword: true, Created: dirtime,
		},
		Password: "$argon2id$...",
	}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

func TestDirectoryTenants(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx := t.Context()
		tenant := directory.Tenant{ID: uuid.NewString(), Name: "Contoso", Domain: "contoso.example", Created: dirtime}
		app := directory.ServicePrincipal{
			Tenant: tenant.ID, ID: uuid.NewString(), AppID: directory.ExchangeApp, DisplayName: "Exchange",
			Roles: []directory.Role{directory.ItemsReadWriteAll}, Created: dirtime,
		}
		mustDo(t, d.AddTenant(ctx, tenant, []directory.ServicePrincipal{app}))
		if got, err := d.Tenant(ctx, tenant.ID); err != nil || got != tenant {
			t.Errorf("by id: %+v, %v", got, err)
		}
		if got, err := d.TenantByDomain(ctx, tenant.Domain); err != nil || got != tenant {
			t.Errorf("by domain: %+v, %v", got, err)
		}
		for _, find := range []func() (directory.ServicePrincipal, error){
			func() (directory.ServicePrincipal, error) { return d.Principal(ctx, tenant.ID, app.ID) },
			func() (directory.ServicePrincipal, error) { return d.PrincipalByApp(ctx, tenant.ID, app.AppID) },
		} {
			if got, err := find(); err != nil || !cmp.Equal(got, app) {
				t.Errorf("the principal: %s, %v", cmp.Diff(app, got), err)
			}
		}
		taken := directory.Tenant{ID: uuid.NewString(), Name: "Other", Domain: tenant.Domain, Created: dirtime}
		wantCode(t, "a domain twice", d.AddTenant(ctx, taken, nil), fault.Conflict)
		half := directory.Tenant{ID: uuid.NewString(), Name: "Half", Domain: "half.example", Created: dirtime}
		wantCode(t, "a tenant with a principal twice", d.AddTenant(ctx, half, []directory.ServicePrincipal{app, app}), fault.Conflict)
		_, err := d.Tenant(ctx, half.ID)
		wantCode(t, "what was refused", err, fault.NotFound)
		_, err = d.Principal(ctx, half.ID, app.ID)
		wantCode(t, "another tenant's principal", err, fault.NotFound)
	})
}

func TestDirectoryPeople(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, tenant := t.Context(), uuid.NewString()
		alice := account(tenant, "alice@contoso.example", directory.GlobalReader, directory.ComplianceAdministrator)
		mustDo(t, d.AddPerson(ctx, alice))
		if got, err := d.PersonByUPN(ctx, tenant, alice.UPN); err != nil || !cmp.Equal(got, alice) {
			t.Errorf("by name: %s, %v", cmp.Diff(alice, got), err)
		}
		wantCode(t, "a name twice", d.AddPerson(ctx, account(tenant, alice.UPN)), fault.Conflict)
		mustDo(t, d.AddPerson(ctx, account(uuid.NewString(), alice.UPN))) // in another tenant, that is
		_, err := d.Person(ctx, uuid.NewString(), alice.ID)
		wantCode(t, "by id in another tenant", err, fault.NotFound)

		mustDo(t, d.SetPassword(ctx, alice, "new", false))
		wantCode(t, "a password over one that was changed meanwhile", d.SetPassword(ctx, alice, "late", true), fault.Conflict)
		mustDo(t, d.SetDisabled(ctx, tenant, alice.ID, true))
		got, err := d.Person(ctx, tenant, alice.ID)
		if err != nil || got.Password != "new" || got.MustChangePassword || !got.Disabled || got.Epoch != 2 {
			t.Errorf("after both changes: %+v, %v", got, err)
		}
		wantCode(t, "disabling nobody", d.SetDisabled(ctx, tenant, uuid.NewString(), true), fault.Conflict)
	})
}

func TestDirectoryApps(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, tenant := t.Context(), uuid.NewString()
		app := directory.Registration{ID: uuid.NewString(), HomeTenant: tenant, DisplayName: "importer", Created: dirtime}
		secret := directory.Secret{Tenant: tenant, App: app.ID, ID: uuid.NewString(), Hash: []byte{0, 1, 255}, Created: dirtime, Expires: dirtime.Add(time.Hour)}
		p := directory.ServicePrincipal{Tenant: tenant, ID: uuid.NewString(), AppID: app.ID, HomeTenant: tenant, DisplayName: "importer", Created: dirtime}
		mustDo(t, d.AddApp(ctx, app, secret, p))
		if got, err := d.Secrets(ctx, tenant, app.ID); err != nil || !cmp.Equal(got, []directory.Secret{secret}) {
			t.Errorf("secrets: %+v, %v", got, err)
		}
		if got, err := d.PrincipalByApp(ctx, tenant, app.ID); err != nil || !cmp.Equal(got, p) {
			t.Errorf("principal: %s, %v", cmp.Diff(p, got), err)
		}
		if got, err := d.Secrets(ctx, uuid.NewString(), app.ID); err != nil || len(got) != 0 {
			t.Errorf("secrets in another tenant: %+v, %v", got, err)
		}
	})
}

func TestDirectoryHasOneCurrentIssuerKey(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		var wg sync.WaitGroup
		var added atomic.Int32
		for i := range 8 {
			wg.Go(func() {
				k := directory.IssuerKey{ID: fmt.Sprint(i), State: directory.CurrentKey, Sealed: []byte{byte(i), 0}, Created: dirtime}
				if err := d.AddIssuerKey(t.Context(), k); err == nil {
					added.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if added.Load() != 1 {
			t.Errorf("%d of 8 nodes made the first key, want 1", added.Load())
		}
		for i, state := range []directory.KeyState{directory.NextKey, directory.RetiredKey, directory.RetiredKey} {
			mustDo(t, d.AddIssuerKey(t.Context(), directory.IssuerKey{ID: fmt.Sprint("more", i), State: state, Sealed: []byte{1}, Created: dirtime.Add(time.Hour)}))
		}
		keys, err := d.IssuerKeys(t.Context())
		if err != nil || len(keys) != 4 || keys[0].State != directory.CurrentKey || len(keys[0].Sealed) != 2 || !keys[0].Created.Equal(dirtime) {
			t.Errorf("%+v, %v", keys, err)
		}
	})
}

func device(n byte, at time.Time) directory.Device {
	return directory.Device{
		Hash: []byte{n, 0}, UserHash: []byte{n, 1}, Authority: directory.Common, Client: directory.CommandLineApp, Scope: "s",
		State: directory.DevicePending, Created: at, Expires: at.Add(15 * time.Minute),
	}
}

func grantOf(a directory.Account, n byte, at time.Time) (directory.Grant, directory.RefreshToken) {
	end := at.Add(90 * 24 * time.Hour)
	return directory.Grant{
		Tenant: a.Tenant, ID: uuid.NewString(), Person: a.ID, Client: directory.CommandLineApp, Scope: "s", Epoch: a.Epoch, Created: at, Expires: end,
	}, directory.RefreshToken{Hash: []byte{n, 9}, Expires: end}
}

// mustGrant adds a grant in the way a sign-in does.
func mustGrant(t *testing.T, d *store.Directory, a directory.Account, g directory.Grant, token directory.RefreshToken) {
	t.Helper()
	v := device(token.Hash[0], g.Created)
	mustDo(t, d.AddDevice(t.Context(), v, g.Created.Add(time.Hour), 10)) // those of before have done their work
	mustDo(t, d.ApproveDevice(t.Context(), v.Hash, a))
	mustDo(t, d.RedeemDevice(t.Context(), v.Hash, g, token))
}

func TestDirectoryDevices(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, alice := t.Context(), account(uuid.NewString(), "alice@contoso.example")
		v := device(1, dirtime)
		mustDo(t, d.AddDevice(ctx, v, dirtime, 2))
		if got, err := d.DeviceByUserCode(ctx, v.UserHash); err != nil || !cmp.Equal(got, v) {
			t.Errorf("by user code: %s, %v", cmp.Diff(v, got), err)
		}
		mustDo(t, d.SetPolled(ctx, v.Hash, dirtime.Add(time.Second)))
		g, token := grantOf(alice, 1, dirtime)
		wantCode(t, "redeeming before approval", d.RedeemDevice(ctx, v.Hash, g, token), fault.Conflict)
		_, _, err := d.RefreshToken(ctx, g.Tenant, token.Hash)
		wantCode(t, "the token of a redemption that was refused", err, fault.NotFound)
		mustDo(t, d.ApproveDevice(ctx, v.Hash, alice))
		wantCode(t, "approving twice", d.ApproveDevice(ctx, v.Hash, account(alice.Tenant, "mallory@contoso.example")), fault.Conflict)
		got, err := d.Device(ctx, v.Hash)
		if err != nil || got.State != directory.DeviceApproved || got.Person != alice.ID || !got.Polled.Equal(dirtime.Add(time.Second)) {
			t.Errorf("approved: %+v, %v", got, err)
		}
		mustDo(t, d.RedeemDevice(ctx, v.Hash, g, token))
		other, second := grantOf(alice, 2, dirtime)
		wantCode(t, "redeeming twice", d.RedeemDevice(ctx, v.Hash, other, second), fault.Conflict)

		mustDo(t, d.AddDevice(ctx, device(2, dirtime), dirtime, 2))
		wantCode(t, "one too many", d.AddDevice(ctx, device(3, dirtime), dirtime, 2), fault.Throttled)
		later := dirtime.Add(time.Hour)
		mustDo(t, d.AddDevice(ctx, device(3, later), later, 2)) // the first two have expired
		_, err = d.Device(ctx, v.Hash)
		wantCode(t, "a code long expired", err, fault.NotFound)
	})
}

func TestDirectoryRefreshTokens(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		ctx, alice := t.Context(), account(uuid.NewString(), "alice@contoso.example")
		mustDo(t, d.AddPerson(ctx, alice))
		g, first := grantOf(alice, 1, dirtime)
		mustGrant(t, d, alice, g, first)
		gotGrant, gotToken, err := d.RefreshToken(ctx, g.Tenant, first.Hash)
		if err != nil || !cmp.Equal(gotGrant, g) || !cmp.Equal(gotToken, first) {
			t.Errorf("%s %s %v", cmp.Diff(g, gotGrant), cmp.Diff(first, gotToken), err)
		}
		_, _, err = d.RefreshToken(ctx, uuid.NewString(), first.Hash)
		wantCode(t, "in another tenant", err, fault.NotFound)

		used := dirtime.Add(time.Minute)
		second := directory.RefreshToken{Hash: []byte{2}, Expires: g.Expires.Add(time.Minute)}
		mustDo(t, d.Rotate(ctx, g, first.Hash, used, second))
		mustDo(t, d.Rotate(ctx, g, first.Hash, used.Add(time.Second), directory.RefreshToken{Hash: []byte{3}, Expires: second.Expires}))
		_, gotToken, err = d.RefreshToken(ctx, g.Tenant, first.Hash)
		if err != nil || !gotToken.Used.Equal(used) {
			t.Errorf("the first use is %v, want %v to stay; %v", gotToken.Used, used, err)
		}
		if gotGrant, _, err = d.RefreshToken(ctx, g.Tenant, second.Hash); err != nil || !gotGrant.Expires.Equal(second.Expires) {
			t.Errorf("the grant of the younger token: %+v, %v", gotGrant, err)
		}

		// A new sign-in clears away what has expired, a rotation the expired tokens of its chain.
		late := second.Expires.Add(time.Second)
		h, fresh := grantOf(alice, 4, late)
		mustGrant(t, d, alice, h, fresh)
		for _, hash := range [][]byte{first.Hash, second.Hash, {3}} {
			_, _, err = d.RefreshToken(ctx, g.Tenant, hash)
			wantCode(t, "a token of an expired grant", err, fault.NotFound)
		}
		wantCode(t, "rotating in a grant that is gone", d.Rotate(ctx, g, first.Hash, late, directory.RefreshToken{Hash: []byte{5}, Expires: late}), fault.Conflict)

		for name, end := range map[string]func(directory.Grant) error{
			"deleting the grant": func(g directory.Grant) error { return d.DeleteGrant(ctx, g.Tenant, g.ID) },
			"disabling":          func(g directory.Grant) error { return d.SetDisabled(ctx, g.Tenant, g.Person, true) },
			"a new password": func(g directory.Grant) error {
				a, err := d.Person(ctx, g.Tenant, g.Person)
				return errors.Join(err, d.SetPassword(ctx, a, "new", false))
			},
		} {
			g, token := grantOf(alice, 6, late)
			mustGrant(t, d, alice, g, token)
			mustDo(t, end(g))
			_, _, err := d.RefreshToken(ctx, g.Tenant, token.Hash)
			wantCode(t, name, err, fault.NotFound)
		}
	})
}

func TestDirectoryListsTenantsInOrder(t *testing.T) {
	t.Parallel()
	eachDirectory(t, func(t *testing.T, d *store.Directory) {
		var want []string
		for i := range 7 {
			tenant := directory.Tenant{ID: uuid.NewString(), Name: "T", Domain: fmt.Sprintf("t%d.example", i), Created: dirtime}
			mustDo(t, d.AddTenant(t.Context(), tenant, nil))
			want = append(want, tenant.ID)
		}
		slices.Sort(want)
		if got := tenantIDs(t, d, 3); !slices.Equal(got, want) {
			t.Errorf("by pages of 3: %v, want %v", got, want)
		}
	})
}

func tenantIDs(t *testing.T, d *store.Directory, page int) (ids []string) {
	t.Helper()
	for after := ""; ; {
		list, err := d.Tenants(context.Background(), after, page)
		mustDo(t, err)
		if len(list) == 0 {
			return ids
		}
		for _, tenant := range list {
			ids = append(ids, tenant.ID)
		}
		after = ids[len(ids)-1]
	}
}
