package workload_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// CK-316: a sampled proof opens what is under a policy, by workload, as many items as were asked
// for; what is damaged fails, and neither item nor content is told.
func TestCK316_Sample(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	ctx, p := t.Context(), policy.Policy{Tenant: wt.Contoso, Family: policy.MultiWorkload}
	p.ID = w.Policies.InForceNow(t, wt.Contoso).Policy
	for i := range 5 {
		w.MustPut(t, wt.Alice, workload.Ref{Workload: "documents", Container: fmt.Sprint("c", i/3), Item: fmt.Sprint(i)}, wt.Content(1000*i))
	}
	w.MustPut(t, wt.Alice, workload.Ref{Workload: "teams", Container: "chat", Item: "1"}, wt.Content(3_000_000))
	admin := wt.Alice
	admin.Roles = []directory.Role{directory.ComplianceAdministrator}
	proves := func(what string, most int, want ...workload.Proof) {
		t.Helper()
		got, err := w.Items.Sample(ctx, admin, p, most)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", what, err, diff)
		}
	}
	documents, teams := workload.Extent{Workload: "documents", Containers: 2, Items: 5}, workload.Extent{Workload: "teams", Containers: 1, Items: 1}
	proves("all of it", 100, workload.Proof{Extent: documents, Opened: 5}, workload.Proof{Extent: teams, Opened: 1})
	proves("some of it", 2, workload.Proof{Extent: documents, Opened: 2}, workload.Proof{Extent: teams, Opened: 1})

	wt.FlipByte(t, w.BlobPath(t, wt.Contoso, workload.Ref{Workload: "documents", Container: "c0", Item: "2"}), 100)
	const why = "it is damaged: the log says which, and what is wrong"
	proves("one is damaged", 100, workload.Proof{Extent: documents, Opened: 4, Failed: 1, First: why}, workload.Proof{Extent: teams, Opened: 1})

	other := p
	other.ID = "11111111-2222-4333-8444-555555555555"
	if got, err := w.Items.Sample(ctx, admin, other, 1); err != nil || len(got) != 0 {
		t.Errorf("a policy that nothing is under: %v, %v", got, err)
	}
	for _, most := range []int{-1, 0, workload.MaxSample + 1} {
		if _, err := w.Items.Sample(ctx, admin, p, most); !fault.Is(err, fault.Invalid) {
			t.Errorf("a sample of %d: %v", most, err)
		}
	}
	if _, err := w.Items.Sample(ctx, wt.Alice, p, 1); !fault.Is(err, fault.Forbidden) {
		t.Errorf("without a role: %v", err)
	}
	foreign := p
	foreign.Tenant = "of somebody else"
	if _, err := w.Items.Sample(ctx, admin, foreign, 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("of another tenant: %v", err)
	}
	w.Deny()
	got, err := w.Items.Sample(ctx, admin, p, 3)
	for _, proof := range got {
		if proof.Opened != 0 || proof.Failed == 0 {
			t.Errorf("CK-49: with both roots denied %+v", proof)
		}
	}
	if n := len(w.Entries(t, wt.Contoso, "availability.use")); err != nil || len(got) != 2 || n != 0 {
		t.Errorf("CK-50: with both roots denied a person has caused %d uses of the availability key; %v", n, err)
	}
	w.Restore()
	proves("given back", 100, workload.Proof{Extent: documents, Opened: 4, Failed: 1, First: why}, workload.Proof{Extent: teams, Opened: 1})
	w.Audit.SetFailing(true)
	if _, err := w.Items.Sample(ctx, admin, p, 1); err == nil {
		t.Error("opened without a record")
	}
}
