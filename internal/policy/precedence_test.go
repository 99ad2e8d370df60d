package policy_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-289, CK-296, CK-297: a mailbox's own policy wins over the tenant's, the tenant's over the
// service's; files go by their geo alone. Content that is there follows each change.
func TestCK296_Precedence(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		tenant := c.mustCreate("Tenant")
		mailbox := c.mustMake(policy.Mailbox, "Mailboxes")
		c.mustSeal("exchange", "own", "other")
		c.mustSeal("sharepoint", "site")
		c.mustAssign("Tenant")
		w.work()
		put := func(a policy.Assignment) {
			t.Helper()
			if err := w.rows.Apply(t.Context(), policy.Edit{Tenant: c.id, Assignment: &a}); err != nil {
				t.Fatal(err)
			}
		}
		where := func(workload, name, geo string) string {
			t.Helper()
			at := container(c.id, workload, name)
			at.Geo = geo
			target, err := w.service.InForce(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			return target.Policy
		}
		want := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s belongs under %s, want %s", what, got, want)
			}
		}
		service := where("sharepoint", "site", "")
		want("a mailbox without a policy", where("exchange", "own", ""), tenant.ID)
		put(policy.Assignment{Container: "exchange/own", Policy: mailbox.ID})
		want("a mailbox with its own", where("exchange", "own", ""), mailbox.ID)
		want("another mailbox", where("exchange", "other", ""), tenant.ID)

		files := c.mustRegister("nam").Status.Policy
		want("a site of the geo", where("sharepoint", "site", "nam"), files.ID)
		want("a site of another geo", where("sharepoint", "site", "eur"), service)
		want("documents", where("documents", "x", "nam"), tenant.ID)

		c.mustAssign("Tenant") // looks over what is stored
		w.work()
		c.wantWhere("exchange", mailbox.ID, 1)
		c.wantWhere("exchange", tenant.ID, 1)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		put(policy.Assignment{Container: "exchange/own"})
		c.mustAssign("")
		w.work()
		c.wantWhere("exchange", service, 2)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}
