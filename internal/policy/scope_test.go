package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/policy"
)

// CK-5, CK-6, CK-10: each mailbox, and each container of another workload, has a key of its own
// under the policy's key; what is read goes through both. CK-104: of several tenant policies one is
// assigned. CK-231: assigning starts the work by itself. CK-316: how far it is, by workload.
func TestCK5_KeysOfContainersByWorkload(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.mailTenant()
		tenant, own := c.mustCreate("Tenant"), c.mustMake(policy.Mailbox, "Own")
		c.mustCreate("Second")
		c.mustSeal("exchange", "alice", "bob")
		c.mustSeal("documents", "wiki")
		c.mustAssign("Second")
		c.mustAssign("Tenant")
		c.mustAssignTo("alice", "Own")
		c.mustSeal("teams", "general")
		c.wantWhere("exchange", tenant.ID, 0) // nothing has moved yet but what was touched
		show := func(f policy.Family, name string) policy.Status {
			t.Helper()
			return must(w.service.Status(t.Context(), c.admin, f, name))
		}
		want := []policy.WorkloadStatus{{Workload: "documents", Containers: 1}, {Workload: "exchange", Containers: 1}, {Workload: "teams", Containers: 1, Settled: 1}}
		if diff := cmp.Diff(want, show(policy.MultiWorkload, "Tenant").Workloads); diff != "" {
			t.Errorf("before (-want +got):\n%s", diff)
		}
		w.work()
		want[0].Settled, want[1].Settled = 1, 1
		if diff := cmp.Diff(want, show(policy.MultiWorkload, "Tenant").Workloads); diff != "" {
			t.Errorf("after (-want +got):\n%s", diff)
		}
		st := show(policy.Mailbox, "Own")
		if diff := cmp.Diff([]policy.WorkloadStatus{{Workload: "exchange", Containers: 1, Settled: 1}}, st.Workloads); diff != "" || st.Objects != 1 {
			t.Errorf("%d objects (-want +got):\n%s", st.Objects, diff)
		}
		keys := must(w.rows.ContainerKeys(t.Context(), c.id, policy.Place{}, 100))
		seen := map[string]bool{}
		for _, key := range keys {
			if seen[string(key.Wrapped)] || key.Container == "exchange/alice" && key.Policy != own.ID {
				t.Errorf("the key of %s is under %s", key.Container, key.Policy)
			}
			seen[string(key.Wrapped)] = true
		}
		if len(keys) != 4 {
			t.Errorf("%d keys, want one for each of 4 containers", len(keys))
		}
		c.mustAssign("") // the chat stays where it is; of the others nothing is left to show
		w.work()
		if diff := cmp.Diff([]policy.WorkloadStatus{{Workload: "teams", Containers: 1, Settled: 1}}, show(policy.MultiWorkload, "Tenant").Workloads); diff != "" {
			t.Errorf("after unassigning (-want +got):\n%s", diff)
		}
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
	})
}
