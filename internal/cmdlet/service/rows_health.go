package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
)

// Type names of what the health cmdlets return.
const (
	keyHealthType    = "CKKeyHealth"
	keyChangeType    = "CKKeyHealthChange"
	policyHealthType = "CKPolicyTest"
	sampleType       = "CKContentSample"
)

// rolesForHealth is the right to do something with the health of keys of some family.
func rolesForHealth(do health.Action) cmdlet.Rights {
	return append(rolesForAny(health.Needs(do)), operators...)
}

func healthRows() []row {
	return []row{
		getKeyHealthRow(),
		getKeyHealthHistoryRow(),
		testPolicyRow("Test-M365DataAtRestEncryptionPolicy", policy.MultiWorkload, "Contoso_Global"),
		testPolicyRow("Test-DataEncryptionPolicy", policy.Mailbox, "USA_mailboxes"),
		testGeoRow(),
	}
}

func getKeyHealthRow() row {
	return row{serve: getKeyHealth, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKKeyHealth",
		Synopsis: "Show how the root keys of policies are, and since when.",
		Description: "One row for each root key of each policy that you may see: the policy's state and the key's, since when, why, and what each check found. " +
			"It shows what the last looks and the last uses of the keys have shown; Test-M365DataAtRestEncryptionPolicy looks now.",
		Examples: []string{
			`Get-CKKeyHealth`,
			`Get-CKKeyHealth -Identity Contoso_Global`,
		},
		Params: []cmdlet.Param{
			identity(false, "Name, GUID or distinguished name of a policy; all policies unless given."),
			domainController,
		},
		Output: keyHealthType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesForHealth(health.Read),
	}}
}

func getKeyHealthHistoryRow() row {
	return row{serve: getKeyHealthHistory, Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-CKKeyHealthHistory",
		Synopsis:    "Show how the root keys of policies have changed.",
		Description: "The last changes of the policies that you may see, the newest first: states of root keys and policies, and warnings. The audit log has all of them.",
		Examples:    []string{`Get-CKKeyHealthHistory`, `Get-CKKeyHealthHistory -Identity Contoso_Global`},
		Params:      []cmdlet.Param{identity(false, "Name, GUID or distinguished name of a policy; all policies unless given."), domainController},
		Output:      keyChangeType, Side: cmdlet.Service, Roles: rolesForHealth(health.Read),
	}}
}

// testHelp says what every test does.
const testHelp = "Asks the vaults for the facts about each root key, has the versions in use unwrap a random key and the newest one wrap one, and shows each check with " +
	"its verdict and what to do. What it finds counts for the policy's health at once. -Sample proves the content instead: it opens that many items of each workload, picked by chance from those " +
	"under the policy's keys, and shows how many opened; nothing of what is in them. Where both root keys deny none does, as for people: the availability key is left alone. It is recorded in the audit log before, and so is each damaged item."

// sampleParam asks for the proof of content (row CK-316).
var sampleParam = cmdlet.Param{Name: "Sample", Type: cmdlet.Int, Help: "Open this many items of each workload instead, 1 to 1000."}

// testPolicyRow is the test of the policies of one family, under that family's name (CK-102).
func testPolicyRow(name string, f policy.Family, example string) row {
	return row{serve: testPolicy(f), Cmdlet: cmdlet.Cmdlet{
		Name:        name,
		Synopsis:    "Look at both root keys of policies now.",
		Description: testHelp,
		Examples:    []string{name, name + " -Identity " + example, name + " -Identity " + example + " -Sample 100"},
		Params:      []cmdlet.Param{identity(false, "Name, GUID or distinguished name of a policy; all policies of the family unless given."), sampleParam, domainController},
		Output:      policyHealthType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesFor(f, health.Needs(health.Test)),
	}}
}

// testGeoRow is the same for files, whose policies are those of geos. Microsoft has no such command.
func testGeoRow() row {
	return row{serve: testGeo, Cmdlet: cmdlet.Cmdlet{
		Name:        "Test-SPODataEncryptionPolicy",
		Synopsis:    "Look at both root keys of files now.",
		Description: testHelp,
		Examples:    []string{"Test-SPODataEncryptionPolicy", "Test-SPODataEncryptionPolicy -Geo EUR", "Test-SPODataEncryptionPolicy -Geo EUR -Sample 100"},
		Params:      []cmdlet.Param{{Name: "Geo", Type: cmdlet.String, Position: 1, Help: "One geo; all that have a policy unless given."}, sampleParam},
		Output:      policyHealthType, Detail: "Geo", Side: cmdlet.Service, Roles: rolesFor(policy.SharePoint, health.Needs(health.Test)),
	}}
}

func healthViews() []cmdlet.View {
	one := func(names ...string) (lines []cmdlet.Column) {
		for _, n := range names {
			lines = append(lines, cmdlet.Column{Label: n, Property: n})
		}
		return lines
	}
	return []cmdlet.View{
		{
			Type:  keyHealthType,
			Table: one("Policy", "PolicyState", "RootKey", "State", "Since", "Warnings", "Reason"),
			List: one("Policy", "Family", "PolicyState", "PolicySince", "RootKey", "State", "Since", "Reason", "Hint", "Findings", "Passed", "AzureKeyID", "VersionInUse",
				"Current", "Unanswered", "LastChecked", "NextCheck"),
		},
		{Type: keyChangeType, Summary: true, Table: one("Time", "Subject", "Was", "State", "Message", "Type")},
		{
			Type:  policyHealthType,
			Table: one("Policy", "RootKey", "Verdict", "State", "Reason"),
			List:  one("Policy", "RootKey", "Verdict", "State", "Reason", "Findings", "Passed", "AzureKeyID", "VersionInUse", "PolicyState", "LastChecked"),
		},
		{Type: sampleType, Summary: true, Table: one("Policy", "Workload", "Containers", "Items", "Opened", "Failed", "Verdict", "Reason")},
	}
}
