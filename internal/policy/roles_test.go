package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// X-18, CK-277 to CK-282: the lists of a file take the place of the default's, the rest stays.
func TestX18_ARoleMapFromAFile(t *testing.T) {
	t.Parallel()
	m, err := policy.ReadRoles(strings.NewReader(`{
		"multi-workload": {"administrators": ["Compliance Administrator"], "refreshers": ["Exchange Administrator", "Compliance Administrator"]},
		"mailbox": {"readers": [], "purgeRequesters": []}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	compliance, global, exchange := directory.ComplianceAdministrator, directory.GlobalAdministrator, directory.ExchangeAdministrator
	for _, tt := range []struct {
		f    policy.Family
		do   policy.Action
		want []directory.Role
	}{
		{policy.MultiWorkload, policy.Assign, []directory.Role{compliance}},
		{policy.MultiWorkload, policy.Refresh, []directory.Role{compliance, exchange}},
		{policy.MultiWorkload, policy.Read, []directory.Role{compliance, directory.GlobalReader, exchange, global}},
		{policy.MultiWorkload, policy.Purge, []directory.Role{global}},
		{policy.Mailbox, policy.Read, []directory.Role{exchange, global}},
		{policy.Mailbox, policy.Purge, nil},
		{policy.SharePoint, policy.Replace, []directory.Role{directory.SharePointAdministrator, global}},
		{policy.ServiceOwned, policy.RollAvailability, []directory.Role{directory.ServiceOperator}},
		{policy.ServiceOwned, policy.Read, nil},
	} {
		if got := m.For(tt.f, tt.do); !slices.Equal(got, tt.want) {
			t.Errorf("%s %s: %v, want %v", tt.f, tt.do, got, tt.want)
		}
		for _, r := range tt.want {
			if !m.Allow([]directory.Role{directory.MailboxImportExport, r}, tt.f, tt.do) || m.Allow([]directory.Role{directory.MailboxImportExport}, tt.f, tt.do) {
				t.Errorf("%s %s: %s may not, or everybody may", tt.f, tt.do, r)
			}
		}
	}
}

// What a role map cannot mean is refused, and the refusal says what it is.
func TestX18_BadRoleMaps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                    "not one",
		`[]`:                                  "not one",
		`{"mailbox": 1}`:                      "not one",
		`{} {}`:                               "not one",
		`{"mail": {}}`:                        `family "mail"`,
		`{"service": {}}`:                     `family "service"`,
		`{"mailbox": {"administrator": []}}`:  "administrator",
		`{"mailbox": {"administrators": []}}`: "nobody could administer",
		`{"mailbox": {"administrators": ["Janitor"]}}`:                                     "Janitor",
		`{"mailbox": {"readers": ["Service Operator"]}}`:                                   "Service Operator",
		`{"mailbox": {"purgeRequesters": ["Items.ReadWrite.All"]}}`:                        "Items.ReadWrite.All",
		`{"sharepoint": {"readers": ["Global Reader", "Global Reader"]}}`:                  "twice",
		`{"mailbox": {"readers": []}, "mailbox": {"readers": []}}`:                         "twice",
		`{"mailbox": {"readers": ["Global Reader"], "readers": []}}`:                       "twice",
		`{"mailbox": {"readers": ["Global Reader"], "Readers": []}}`:                       "twice",
		`{"mailbox": {"readers": ["Global Reader"], "reader\u017f": []}}`:                  "twice",
		`{"mailbox": {"readers": ["` + strings.Repeat("x", 70<<10) + `"]}}`:                "longer than",
		`{"mailbox": {"readers": null, "administrators": ["Global Administrator", null]}}`: `to ""`,
	} {
		_, err := policy.ReadRoles(strings.NewReader(text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Message, want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

// The default is what an empty file says.
func TestTheDefaultRoleMap(t *testing.T) {
	t.Parallel()
	m, err := policy.ReadRoles(strings.NewReader(`{"mailbox": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []policy.Family{policy.MultiWorkload, policy.Mailbox, policy.SharePoint} {
		for _, do := range []policy.Action{policy.Read, policy.Create, policy.Refresh, policy.Purge, policy.Recover, policy.Reencrypt} {
			if got, want := m.For(f, do), (policy.Roles{}).For(f, do); !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("%s %s: %v, want %v", f, do, got, want)
			}
		}
	}
}

func FuzzReadRoles(f *testing.F) {
	f.Add(`{"mailbox": {"administrators": ["Compliance Administrator"], "readers": [], "refreshers": null}}`)
	f.Add(`{"sharepoint": {}, "multi-workload": {"purgeRequesters": ["Global Administrator"]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := policy.ReadRoles(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, family := range []policy.Family{policy.MultiWorkload, policy.Mailbox, policy.SharePoint} {
			if len(m.For(family, policy.Assign)) == 0 {
				t.Errorf("nobody administers %s by %q", family, text)
			}
			for _, do := range []policy.Action{policy.Read, policy.Assign, policy.Refresh, policy.Purge} {
				if m.Allow([]directory.Role{directory.ServiceOperator, directory.ItemsReadWriteAll, directory.MailboxImportExport}, family, do) {
					t.Errorf("an operator may %s %s by %q", do, family, text)
				}
			}
		}
	})
}
