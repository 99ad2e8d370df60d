package directory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

func TestNewTenantHasTheServicesApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("Contoso.Example")
	for _, id := range []string{contoso.ID, strings.ToUpper(contoso.ID), "contoso.example", "CONTOSO.example"} {
		if got, err := w.Tenant(t.Context(), id); err != nil || got != contoso {
			t.Errorf("Tenant(%q) = %+v, %v", id, got, err)
		}
	}
	for _, app := range []string{directory.MultiWorkloadApp, directory.ExchangeApp, directory.SharePointApp} {
		p, err := w.ServicePrincipal(t.Context(), contoso.ID, app)
		if err != nil || p.AppID != app || p.Tenant != contoso.ID || p.ID == app {
			t.Errorf("the principal of %s is %+v, %v", app, p, err)
		}
		if again, err := w.ServicePrincipal(t.Context(), contoso.ID, p.ID); err != nil || !cmp.Equal(again, p) {
			t.Errorf("by object id: %+v, %v", again, err)
		}
	}
	fabrikam := w.mustTenant("fabrikam.example")
	list, err := w.Tenants(t.Context(), "", 10)
	if err != nil || len(list) != 2 || list[0].ID > list[1].ID {
		t.Errorf("Tenants: %+v, %v", list, err)
	}
	if rest, err := w.Tenants(t.Context(), list[0].ID, 10); err != nil || len(rest) != 1 || rest[0] != list[1] {
		t.Errorf("Tenants behind the first: %+v, %v", rest, err)
	}
	if fabrikam.ID == contoso.ID {
		t.Error("two tenants have one id")
	}
}

func TestWhoMayChangeTheDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso, fabrikam := w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	w.mustPerson(contoso, "alice")
	caller := func(tenant string, kind directory.Kind, roles ...directory.Role) directory.Caller {
		return directory.Caller{Tenant: tenant, ID: "caller", Kind: kind, Roles: roles}
	}
	operator := caller(fabrikam.ID, directory.User, directory.ServiceOperator)
	admin := caller(contoso.ID, directory.User, directory.GlobalAdministrator)
	reader := caller(contoso.ID, directory.User, directory.GlobalReader)
	stranger := caller(fabrikam.ID, directory.User, directory.GlobalAdministrator)

	n := 0
	tenant := func(c directory.Caller) error {
		n++
		_, err := w.CreateTenant(t.Context(), c, "New", "new"+strings.Repeat("w", n)+".example")
		return err
	}
	person := func(roles ...directory.Role) func(directory.Caller) error {
		return func(c directory.Caller) error {
			n++
			upn := "p" + strings.Repeat("x", n) + "@contoso.example"
			_, err := w.CreatePerson(t.Context(), c, directory.Person{Tenant: contoso.ID, UPN: upn, Roles: roles}, password, false)
			return err
		}
	}
	wrongName := func(c directory.Caller) error {
		_, err := w.CreatePerson(t.Context(), c, directory.Person{Tenant: contoso.ID, UPN: "x"}, password, false)
		return err
	}
	app := func(c directory.Caller) error {
		_, _, err := w.CreateApp(t.Context(), c, contoso.ID, "importer", []directory.Role{directory.ItemsReadWriteAll})
		return err
	}
	setPassword := func(c directory.Caller) error {
		return w.SetPassword(t.Context(), c, contoso.ID, "alice@contoso.example", password, true)
	}
	disable := func(c directory.Caller) error {
		return w.SetDisabled(t.Context(), c, contoso.ID, "alice@contoso.example", true)
	}
	for _, tt := range []struct {
		name string
		c    directory.Caller
		do   func(directory.Caller) error
		code fault.Code
	}{
		{"system makes a tenant", system, tenant, ""},
		{"operator makes a tenant", operator, tenant, ""},
		{"administrator makes a tenant", admin, tenant, fault.Forbidden},
		{"nobody makes a tenant", directory.Caller{}, tenant, fault.Forbidden},
		{"operator makes one more person", operator, person(directory.GlobalAdministrator), fault.Conflict},
		{"operator makes an operator at a customer", operator, person(directory.ServiceOperator), fault.Forbidden},
		{"operator makes an app", operator, app, fault.Forbidden},
		{"operator sets a password", operator, setPassword, fault.Forbidden},
		{"operator disables", operator, disable, fault.Forbidden},
		{"administrator makes a person", admin, person(directory.GlobalAdministrator), ""},
		{"administrator makes an operator", admin, person(directory.ServiceOperator), fault.Forbidden},
		{"reader makes a person", reader, person(), fault.Forbidden},
		{"stranger makes a person", stranger, person(), fault.NotFound},
		{"stranger makes a person by a wrong name", stranger, wrongName, fault.NotFound},
		{"nobody makes a person", directory.Caller{}, person(), fault.NotFound},
		{"administrator makes an app", admin, app, ""},
		{"stranger makes an app", stranger, app, fault.NotFound},
		{"administrator sets a password", admin, setPassword, ""},
		{"reader sets a password", reader, setPassword, fault.Forbidden},
		{"stranger sets a password", stranger, setPassword, fault.NotFound},
		{"stranger disables", stranger, disable, fault.NotFound},
		{"administrator disables", admin, disable, ""},
	} {
		before := w.count()
		err := tt.do(tt.c)
		if fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.code)
		}
		if tt.c.Tenant == "" && tt.c.Kind == "" {
			continue // a caller of no tenant has no log
		}
		if e := w.last(); w.count() == before || (e.decision == "allow") != (tt.code == "") { // "deny", or "fail" behind an "allow"
			t.Errorf("%s: recorded %+v", tt.name, e)
		}
		w.setDeaf(true)
		if err := tt.do(tt.c); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s, with a full log: %v, want %s", tt.name, err, fault.Unavailable)
		}
		w.setDeaf(false)
	}
}

func TestOperatorAddsTheFirstPersonOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	provider, contoso := w.mustTenant("provider.example"), w.mustTenant("contoso.example")
	operator := directory.Caller{Tenant: provider.ID, ID: "operator", Kind: directory.User, Roles: []directory.Role{directory.ServiceOperator}}
	add := func(upn string, tenant directory.Tenant, roles ...directory.Role) error {
		_, err := w.CreatePerson(t.Context(), operator, directory.Person{Tenant: tenant.ID, UPN: upn, Roles: roles}, password, true)
		return err
	}
	if err := add("admin@contoso.example", contoso, directory.GlobalAdministrator); err != nil {
		t.Errorf("the first administrator: %v", err)
	}
	if err := add("second@contoso.example", contoso); !fault.Is(err, fault.Conflict) {
		t.Errorf("the second person: %v, want %s", err, fault.Conflict)
	}
	if err := w.SetPassword(t.Context(), operator, contoso.ID, "admin@contoso.example", password+"x", false); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a password: %v, want %s", err, fault.Forbidden)
	}
	for _, name := range []string{"a@provider.example", "b@provider.example"} {
		if err := add(name, provider, directory.ServiceOperator); err != nil {
			t.Errorf("a colleague: %v", err)
		}
	}
}

func TestAdministratorCannotTakeOverAnOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	root := w.mustPerson(contoso, "root", directory.ServiceOperator)
	admin := directory.Caller{Tenant: contoso.ID, ID: "admin", Kind: directory.User, Roles: []directory.Role{directory.GlobalAdministrator}}
	if err := w.SetPassword(t.Context(), admin, contoso.ID, root.UPN, password, false); !fault.Is(err, fault.Forbidden) {
		t.Errorf("%v, want %s", err, fault.Forbidden)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	for _, domain := range []string{"", "common", "adfs", "-a.example", "a..example", "a_b.example", strings.Repeat("a.", 200) + "example", "contoso.example"} {
		_, err := w.CreateTenant(t.Context(), system, "T", domain)
		if want := fault.Invalid; fault.CodeOf(err) != want && !(domain == contoso.Domain && fault.Is(err, fault.Conflict)) {
			t.Errorf("domain %.20q: %v, want %s", domain, err, want)
		}
	}
	w.mustPerson(contoso, "alice")
	for _, tt := range []struct {
		upn, display, password string
		role                   directory.Role
		code                   fault.Code
	}{
		{"alice@contoso.example", "", password, "", fault.Conflict},
		{"ALICE@contoso.example", "", password, "", fault.Conflict},
		{"bob@fabrikam.example", "", password, "", fault.Invalid},
		{"@contoso.example", "", password, "", fault.Invalid},
		{"bob", "", password, "", fault.Invalid},
		{"b b@contoso.example", "", password, "", fault.Invalid},
		{"bob/../x@contoso.example", "", password, "", fault.Invalid},
		{"bob@contoso.example", "a\x1b[31m", password, "", fault.Invalid},
		{"bob@contoso.example", "", "short", "", fault.Invalid},
		{"bob@contoso.example", "", password, "Emperor", fault.Invalid},
		{"bob@contoso.example", "", password, directory.ItemsReadWriteAll, fault.Invalid},
	} {
		p := directory.Person{Tenant: contoso.ID, UPN: tt.upn, DisplayName: tt.display}
		if tt.role != "" {
			p.Roles = []directory.Role{tt.role}
		}
		if _, err := w.CreatePerson(t.Context(), system, p, tt.password, false); !fault.Is(err, tt.code) {
			t.Errorf("%+v: %v, want %s", tt, err, tt.code)
		}
	}
	if _, err := w.Person(t.Context(), contoso.ID, "nobody@contoso.example"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown person: %v", err)
	}
}
