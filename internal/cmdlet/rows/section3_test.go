package rows

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/policy"
)

// A parameterRow is a row of the tables of sections 3.1 and 3.2: position 0 is by name.
type parameterRow struct {
	row, cmdlet, param string
	kind               cmdlet.Type
	position           int
	mandatory          bool
	sets               string // separated by spaces; "" is all
}

const (
	newM365, setM365, getM365, assignM365 = "New-M365DataAtRestEncryptionPolicy", "Set-M365DataAtRestEncryptionPolicy", "Get-M365DataAtRestEncryptionPolicy", "Set-M365DataAtRestEncryptionPolicyAssignment"

	newMailboxPolicy, setMailboxPolicy, getMailboxPolicy = "New-DataEncryptionPolicy", "Set-DataEncryptionPolicy", "Get-DataEncryptionPolicy"
)

// The tables of parameters, as the requirements have them. CK-310: all of them have help, and each
// command examples (TestTableIsConsistent, TestExamplesBind).
var section3 = []parameterRow{
	{"CK-86", newM365, "Name", cmdlet.String, 1, true, ""}, // 0 and 1 both mean the first place
	{"CK-87", newM365, "AzureKeyIDs", cmdlet.StringList, 0, true, ""},
	{"CK-88 X-6", newM365, "Description", cmdlet.String, 0, false, ""},
	{"CK-89", newM365, "Enabled", cmdlet.Bool, 0, false, ""},
	{"CK-90", newM365, "DomainController", cmdlet.String, 0, false, ""},
	{"CK-91", assignM365, "DataEncryptionPolicy", cmdlet.ID, 0, true, ""},
	{"CK-92 X-7 CK-309", assignM365, "Policy", cmdlet.ID, 0, true, ""},
	{"CK-93", setM365, "Identity", cmdlet.ID, 1, true, ""},
	{"CK-94 X-8", setM365, "Refresh", cmdlet.Switch, 0, false, "RefreshKey"},
	{"CK-95", setM365, "Enabled", cmdlet.Bool, 0, false, ""},
	{"CK-96", setM365, "Name", cmdlet.String, 0, false, ""},
	{"CK-96", setM365, "Description", cmdlet.String, 0, false, ""},
	{"CK-97", setM365, "Replace", cmdlet.Switch, 0, true, "ReplaceKey"},
	{"CK-97", setM365, "AzureKeyIDs", cmdlet.StringList, 0, true, "ReplaceKey"},
	{"CK-98", setM365, "Force", cmdlet.Switch, 0, false, ""},
	{"CK-99", setM365, "DomainController", cmdlet.String, 0, false, ""},
	{"CK-100", getM365, "Identity", cmdlet.ID, 1, false, ""},
	{"CK-101", "Get-M365DataAtRestEncryptionPolicyAssignment", "DomainController", cmdlet.String, 0, false, ""},
	{"CK-105", newMailboxPolicy, "Name", cmdlet.String, 1, true, ""},
	{"CK-106 X-5", newMailboxPolicy, "AzureKeyIDs", cmdlet.StringList, 0, true, ""},
	{"CK-107", newMailboxPolicy, "Description", cmdlet.String, 0, false, ""},
	{"CK-108", newMailboxPolicy, "Enabled", cmdlet.Bool, 0, false, ""},
	{"CK-109", newMailboxPolicy, "DomainController", cmdlet.String, 0, false, ""},
	{"CK-110", getMailboxPolicy, "Identity", cmdlet.ID, 1, false, ""},
	{"CK-111", setMailboxPolicy, "Identity", cmdlet.ID, 1, true, ""},
	{"CK-112 X-8", setMailboxPolicy, "Refresh", cmdlet.Switch, 0, false, "RefreshKey"},
	{"CK-113", setMailboxPolicy, "Replace", cmdlet.Switch, 0, true, "ReplaceKey"},
	{"CK-113", setMailboxPolicy, "AzureKeyIDs", cmdlet.StringList, 0, true, "ReplaceKey"},
	{"CK-114", setMailboxPolicy, "PermanentDataPurgeRequested", cmdlet.Switch, 0, true, "TenantAdminPurgeKeyRequest"},
	{"CK-115", setMailboxPolicy, "PermanentDataPurgeReason", cmdlet.String, 0, true, "TenantAdminPurgeKeyRequest DCAdminPurgeKeyRequest"},
	{"CK-116 CK-119", setMailboxPolicy, "PermanentDataPurgeContact", cmdlet.String, 0, false, "TenantAdminPurgeKeyRequest DCAdminPurgeKeyRequest"},
	{"CK-117", setMailboxPolicy, "Force", cmdlet.Switch, 0, false, ""},
	{"CK-118", setMailboxPolicy, "Enabled", cmdlet.Bool, 0, false, ""},
	{"CK-118", setMailboxPolicy, "Name", cmdlet.String, 0, false, ""},
	{"CK-118", setMailboxPolicy, "Description", cmdlet.String, 0, false, ""},
	{"CK-120", "Set-Mailbox", "DataEncryptionPolicy", cmdlet.ID, 0, true, ""},
	{"CK-121", "Set-MailUser", "DataEncryptionPolicy", cmdlet.ID, 0, true, ""},
	{"CK-122", "New-UnifiedGroup", "DataEncryptionPolicy", cmdlet.ID, 0, false, ""},
	{"CK-122", "Set-UnifiedGroup", "DataEncryptionPolicy", cmdlet.ID, 0, true, ""},
	{"CK-123", "Set-User", "ClearDataEncryptionPolicy", cmdlet.Switch, 0, true, ""},
	{"CK-124", "Get-Mailbox", "Filter", cmdlet.String, 0, false, ""},
	{"CK-125", "Get-MailboxStatistics", "Identity", cmdlet.ID, 1, true, ""},
}

func TestSection3Parameters(t *testing.T) {
	t.Parallel()
	for _, want := range section3 {
		c, err := cmdlet.Find(Table(), want.cmdlet)
		if err != nil {
			t.Errorf("%s: %v", want.row, err)
			continue
		}
		p := c.Param(want.param)
		if p == nil {
			t.Errorf("%s: %s has no -%s", want.row, want.cmdlet, want.param)
			continue
		}
		got := parameterRow{want.row, want.cmdlet, want.param, p.Type, p.Position, p.Mandatory, strings.Join(p.Sets, " ")}
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// CK-84: two URIs with a comma, with or without a space, quoted or not, or as a list. CK-90, CK-99,
// CK-109: the common parameters, and one that means nothing. CK-111: which command asks by itself.
func TestSection3Binding(t *testing.T) {
	t.Parallel()
	const a, b = "https://east.vault.localhost/keys/a", "https://west.vault.localhost/keys/b"
	for _, words := range [][]string{
		{a + "," + b}, {a + ", " + b}, {a + ",", b}, {`"` + a + `","` + b + `"`}, {"'" + a + "', '" + b + "'"}, {"@('" + a + "','" + b + "')"},
	} {
		for _, name := range []string{newM365, newMailboxPolicy} {
			c, err := cmdlet.Find(Table(), name)
			if err != nil {
				t.Fatal(err)
			}
			call, err := cmdlet.Bind(c, append([]string{"P", "-WhatIf", "-Confirm:$false", "-DomainController", "dc1.contoso.example", "-AzureKeyIDs"}, words...))
			if err != nil || !slices.Equal(call.Args.List("AzureKeyIDs"), []string{a, b}) || call.Args.Text("Name") != "P" || !call.Common.WhatIf {
				t.Errorf("%s %q: %v", name, words, err)
			}
		}
	}
	for name, want := range map[string]bool{setMailboxPolicy: true, setM365: false, newMailboxPolicy: false, "Set-Mailbox": false} {
		c, err := cmdlet.Find(Table(), name)
		if err != nil {
			t.Fatal(err)
		}
		if asks(t, c) != want {
			t.Errorf("%s asks by itself: %v", name, !want)
		}
	}
}

// asks reports whether a command asks by itself before it changes something.
func asks(t *testing.T, c *cmdlet.Cmdlet) (asked bool) {
	t.Helper()
	call := &cmdlet.Call{Cmdlet: c, Host: cmdlet.Host{Confirm: func(string) (bool, error) { asked = true; return false, nil }}}
	if _, err := call.ShouldProcess("change", "it"); err != nil {
		t.Fatal(err)
	}
	return asked
}

// CK-2: three families, each with its own commands. CK-103, CK-127: no family has a command that
// removes a policy, and the tenant's has no purge. CK-83: a caller is offered what his roles grant.
func TestSection3Families(t *testing.T) {
	t.Parallel()
	for _, name := range []string{newM365, newMailboxPolicy, "Register-SPODataEncryptionPolicy"} {
		if _, err := cmdlet.Find(Table(), name); err != nil {
			t.Error(err)
		}
	}
	reader, exchange := directory.Caller{Roles: []directory.Role{directory.GlobalReader}}, directory.Caller{Roles: []directory.Role{directory.ExchangeAdministrator}}
	for _, c := range Table() {
		verb, noun, _ := strings.Cut(c.Name, "-")
		if strings.HasSuffix(noun, "EncryptionPolicy") && verb == "Remove" {
			t.Errorf("%s is there", c.Name)
		}
		if strings.HasPrefix(noun, "M365") && c.Param("PermanentDataPurgeRequested") != nil {
			t.Errorf("%s takes a purge", c.Name)
		}
		if noun == "DataEncryptionPolicy" && c.MayRun(reader, policy.Roles{}) != (c.Impact == cmdlet.None) || noun == "DataEncryptionPolicy" && !c.MayRun(exchange, policy.Roles{}) {
			t.Errorf("%s is offered to %v", c.Name, c.Roles)
		}
	}
	c, err := cmdlet.Find(Table(), assignM365)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"-Policy", "P"}, {"-policy:P"}} { // CK-92, CK-309: an old spelling, with a warning
		if call, err := cmdlet.Bind(c, words); err != nil || call.Args.Text("DataEncryptionPolicy") != "P" || len(call.Notes) != 1 {
			t.Errorf("%q: %v, %v", words, call, err)
		}
	}
}

// The guide to policies is true: its commands are some, with parameters that they have (CK-310, CK-323).
func TestGuideToPolicies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		command, ok := strings.CutPrefix(line, "    ck ")
		if !ok {
			continue
		}
		found++
		command, _, _ = strings.Cut(command, " #")
		words := shellSplit(command)
		row, err := cmdlet.Find(Table(), words[0])
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if _, err := cmdlet.Bind(row, words[1:]); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if found < 12 {
		t.Errorf("the guide has only %d commands", found)
	}
}
