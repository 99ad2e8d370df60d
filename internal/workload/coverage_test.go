package workload_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

// Section 5 of the requirements, row by row: what another policy covers from its assignment
// on. Under the Teams rule it is new data only: what was stored before stays under the policy
// of before. Under the Exchange rule what is stored follows.
func TestCoverageByRow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		row, workload string
		existing      bool
	}{
		{"CK-284 chat messages", "teams", false},
		{"CK-285 media messages", "teams-media", false},
		{"CK-286 recordings", "teams-recordings", false},
		{"CK-287 notifications, suggestions, status", "teams-status", false},
		{"CK-288 user and signal information", "exchange-signals", true},
		{"CK-289 mailboxes", "exchange", true},
		{"CK-290 exact data match", "exact-match", false},
		{"CK-291 labels, Copilot", "labels", false},
		{"CK-294 files", "sharepoint", true},
	} {
		t.Run(tt.row, func(t *testing.T) {
			t.Parallel()
			row, err := workload.Find(tt.workload)
			if err != nil || row.NewDataOnly == tt.existing || row.Title == "" {
				t.Fatalf("%+v, %v", row, err)
			}
			w := wt.New(t, nil)
			w.Policies.NewDataOnly = row.NewDataOnly
			box := workload.Ref{Workload: row.Name, Container: "c", Item: "old"}
			if row.Mailboxes {
				box.Container = wt.Alice.Name
			}
			w.MustPut(t, wt.Alice, box, []byte("old"))
			before := w.Policies.InForceNow(t, wt.Contoso).Policy
			w.Policies.NewPolicy(t, wt.Contoso)
			after := w.Policies.InForceNow(t, wt.Contoso).Policy
			w.MustPut(t, wt.Alice, item(box, "new"), []byte("new"))
			if tt.existing {
				wantPolicies(t, w, box, after)
			} else {
				wantPolicies(t, w, box, before, after)
			}
			wantContent(t, w, wt.Alice, box, []byte("old"))
			wantContent(t, w, wt.Alice, item(box, "new"), []byte("new"))
		})
	}
}
