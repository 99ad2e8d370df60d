package policy_test

import (
	"context"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-157, CK-218: before a family is enabled everything about it says so, in the words that are
// known; a family that is in use stays usable.
func TestFamilyThatIsNotEnabled(t *testing.T) {
	enabled := map[policy.Family]bool{}
	inWorld(t, func(c *policy.Config) {
		c.Enabled = func(_ context.Context, _ string, f policy.Family) (bool, error) { return enabled[f], nil }
	}, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.tenant()
		create := func() error {
			_, err := w.service.Create(ctx, c.admin, policy.Draft{Family: policy.MultiWorkload, Name: "P", KeyURIs: c.keys[:], Enabled: true})
			return err
		}
		list := func() error { _, err := w.service.List(ctx, c.admin, policy.MultiWorkload); return err }
		for what, do := range map[string]func() error{"create": create, "list": list} {
			err := do()
			if f := fault.As(err); f.Code != fault.Conflict || f.Reason != policy.ReasonNotEnabled || f.Message != "Data Encryption Policies are not enabled for your organization." {
				t.Errorf("%s: %v", what, err)
			}
		}
		nobody := c.admin
		nobody.Roles = []directory.Role{directory.MailboxImportExport}
		if _, err := w.service.List(ctx, nobody, policy.MultiWorkload); !fault.Is(err, fault.Forbidden) {
			t.Errorf("who has no role hears %v", err)
		}
		enabled[policy.MultiWorkload] = true
		if err := create(); err != nil {
			t.Fatal(err)
		}
		enabled[policy.MultiWorkload] = false
		if err := list(); err != nil {
			t.Errorf("a family in use: %v", err)
		}
	})
}
