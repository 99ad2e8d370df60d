package request_test

import (
	"slices"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/request"
)

// Who would strand a request by leaving is told: the last officer who has not approved it and has
// not asked for it. What waits for an operator alone, or could not be approved anyway, does not count.
func TestStranded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		wanted := w.mustAsk(c.admin, "both", "a")
		given := w.mustApprove(c.officer, w.mustAsk(c.admin, "both", "given"))
		w.mustAsk(c.admin, "operator", "b")
		strands := func(what, family string, who directory.Caller, want ...string) {
			t.Helper()
			list, err := w.service.Stranded(ctx, c.id, family, who.ID)
			var got []string
			for _, r := range list {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v, want %v", what, got, err, want)
			}
		}
		strands("the only officer", "mailbox", c.officer, wanted.ID)
		strands("of another family", "sharepoint", c.officer)
		strands("who is none", "mailbox", c.admin)
		second := w.person("second", c.id)
		r, err := w.service.AddOfficer(ctx, c.admin, "mailbox", "second")
		if err != nil {
			t.Fatal(err)
		}
		strands("also the change of officers", "mailbox", c.officer, wanted.ID, r.ID)
		w.mustApprove(c.officer, *r)
		w.runAll(c.id)
		strands("one of two", "mailbox", c.officer)
		strands("the other of two", "mailbox", second)
		if now := w.mustGet(c.admin, given); now.State != request.Waiting {
			t.Errorf("what an officer has approved: %s", now.State)
		}
	})
}
