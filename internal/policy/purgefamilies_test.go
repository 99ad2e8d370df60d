package policy_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

// CK-36, CK-103, X-15: where who runs the service allows it, a multi-workload policy is purged too.
// It goes out of force with that, new content is under the service's keys, and what a team wrote
// before the policy stays readable.
func TestX15_APurgeOfATenantPolicy(t *testing.T) {
	change := func(c *policy.Config) { c.Purging.Families = []policy.Family{policy.Mailbox, policy.MultiWorkload} }
	inWorld(t, change, func(t *testing.T, w *world) {
		c := &leaver{tenant: w.tenant()}
		c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
		c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
		if _, err := w.requests.AddOfficer(t.Context(), c.admin, string(policy.MultiWorkload), c.officer.ID); err != nil {
			t.Fatal(err)
		}
		c.mustSeal("teams", "chat")
		c.others, c.items = c.items, nil
		c.p = c.mustCreate("Tenant")
		c.mustAssign("Tenant")
		c.mustSeal("teams", "chat")
		c.mustSeal("documents", "files")
		c.mine = c.items
		w.work()
		c.wantReadable("before", true)
		c.shutOut()
		r, err := w.service.RequestPurge(t.Context(), c.admin, policy.MultiWorkload, "Tenant", leaving)
		if err != nil {
			t.Fatal(err)
		}
		c.mustApprove(r)
		w.wait(purgeWait + time.Minute)
		w.work()
		if got := c.outcome(r); got.State != request.Done {
			t.Fatalf("%s: %s", got.State, got.Outcome)
		}
		c.letIn()
		c.wantReadable("after", false)
		for _, workload := range []string{"teams", "documents"} {
			name := map[string]string{"teams": "chat", "documents": "files"}[workload]
			if err := c.seal(workload, name); err != nil {
				t.Errorf("new content in %s: %v", workload, err)
			}
		}
		c.others = append(c.others, c.items[len(c.items)-2:]...)
		c.wantReadable("with new content", false)
	})
}

// CK-36, CK-259: an availability key that serves all tenants cannot be destroyed for one; one of
// the tenant's own can, with the files under it. CK-76 to CK-78: a recovery of files by request.
func TestCK259_FilesAreRecoveredAndPurged(t *testing.T) {
	for _, kind := range []availability.Kind{availability.PerForest, availability.PerTenant} {
		t.Run(string(kind), func(t *testing.T) {
			change := func(c *policy.Config) {
				c.Purging.Families, c.SharePointAvailability = []policy.Family{policy.SharePoint}, kind
			}
			inWorld(t, change, func(t *testing.T, w *world) {
				c := &leaver{tenant: w.tenant()}
				c.admin.Roles = []directory.Role{directory.GlobalAdministrator}
				c.officer = directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "officer", Request: uuid.NewString()}
				if _, err := w.requests.AddOfficer(t.Context(), c.admin, string(policy.SharePoint), c.officer.ID); err != nil {
					t.Fatal(err)
				}
				c.p = c.mustRegister("").Status.Policy
				c.mustSeal("sharepoint", "site")
				c.mine = c.items
				w.work()

				c.lose()
				r, err := w.service.RequestRecovery(t.Context(), c.admin, policy.SharePoint, c.p.ID, "lost")
				if err != nil {
					t.Fatal(err)
				}
				c.mustApprove(r)
				w.work()
				if got := c.outcome(r); got.State != request.Done {
					t.Fatalf("the recovery is %s: %s", got.State, got.Outcome)
				}
				if st := c.mustGeo(""); st.State != policy.Recovering {
					t.Errorf("CK-78: recovered, the geo is %s", st.State)
				}
				c.keys = c.spare
				if _, err := w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, c.spare)); err != nil {
					t.Fatal(err)
				}
				if err := c.reopen(); err != nil {
					t.Errorf("CK-77: under new roots: %v", err)
				}
				w.work()

				c.shutOut()
				r, err = w.service.RequestPurge(t.Context(), c.admin, policy.SharePoint, c.p.ID, leaving)
				if kind == availability.PerForest {
					wantFault(t, "a policy under the forest's key", err, fault.Conflict, "SharedKey")
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{nil, {URI: c.keys[1]}})
				wantFault(t, "CK-174 other root keys", err, fault.Conflict, policy.ReasonPurging)
				c.mustApprove(r)
				w.wait(purgeWait + time.Minute)
				w.work()
				if got := c.outcome(r); got.State != request.Done {
					t.Fatalf("the purge is %s: %s", got.State, got.Outcome)
				}
				c.letIn()
				c.wantReadable("after", false)
			})
		})
	}
}
