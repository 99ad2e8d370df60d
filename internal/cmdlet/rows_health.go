package cmdlet

import (
	"slices"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
)

// Type names of what the health cmdlets return.
const (
	keyHealthType    = "CKKeyHealth"
	keyChangeType    = "CKKeyHealthChange"
	policyHealthType = "CKPolicyTest"
)

// rolesForHealth returns the roles that may do something with the health of keys.
func rolesForHealth(do health.Action) []directory.Role {
	all := []directory.Role{
		directory.ComplianceAdministrator, directory.GlobalAdministrator, directory.ExchangeAdministrator, directory.SharePointAdministrator, directory.GlobalReader,
		directory.MailboxImportExport, directory.ServiceOperator, directory.ItemsReadWriteAll,
	}
	return slices.DeleteFunc(all, func(r directory.Role) bool { return !health.Allow([]directory.Role{r}, do) })
}

func healthRows() []Cmdlet {
	return []Cmdlet{
		getKeyHealthRow(),
		testPolicyRow("Test-M365DataAtRestEncryptionPolicy", policy.MultiWorkload, "Contoso_Global"),
		testPolicyRow("Test-DataEncryptionPolicy", policy.Mailbox, "USA_mailboxes"),
	}
}

func getKeyHealthRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-CKKeyHealth",
		Synopsis: "Show how the root keys of policies are, and since when.",
		Description: "One row for each root key of each policy that you may see: the policy's state and the key's, since when, why, and what each check found. " +
			"It shows what the last looks and the last uses of the keys have shown; Test-M365DataAtRestEncryptionPolicy looks now. -History shows what has changed.",
		Examples: []string{
			`Get-CKKeyHealth`,
			`Get-CKKeyHealth -Identity Contoso_Global`,
			`Get-CKKeyHealth -History`,
		},
		Params: []Param{
			identity(false, "Name, GUID or distinguished name of a policy; all policies unless given."),
			{Name: "History", Type: Switch, Help: "Show the last changes instead, the newest first."},
			domainController,
		},
		Output: keyHealthType, Detail: "Identity", Side: Service, Roles: rolesForHealth(health.Read), serve: getKeyHealth,
	}
}

// testPolicyRow is the test of the policies of one family, under that family's name (CK-102).
func testPolicyRow(name string, f policy.Family, example string) Cmdlet {
	return Cmdlet{
		Name:     name,
		Synopsis: "Look at both root keys of a policy now.",
		Description: "Asks the vaults for the facts about each root key, has the versions in use unwrap a random key and the newest one wrap one, and shows each check with " +
			"its verdict and what to do. What it finds counts for the policy's health at once.",
		Examples: []string{name + " -Identity " + example},
		Params:   []Param{identity(true, "Name, GUID or distinguished name of the policy."), domainController},
		Output:   policyHealthType, Side: Service, Roles: rolesForHealth(health.Test), serve: testPolicy(f),
	}
}

func healthViews() []View {
	return []View{
		{Type: keyHealthType, Table: []Column{
			{"Policy", "Policy"}, {"PolicyState", "PolicyState"}, {"RootKey", "RootKey"}, {"State", "State"}, {"Since", "Since"}, {"Reason", "Reason"}, {"Warnings", "Warnings"},
		}},
		{Type: keyChangeType, Summary: true, Table: []Column{
			{"Time", "Time"}, {"Subject", "Subject"}, {"Was", "Was"}, {"State", "State"}, {"Message", "Message"},
		}},
		{Type: policyHealthType},
	}
}
