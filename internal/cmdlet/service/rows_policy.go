package service

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// domainController is taken by every Exchange cmdlet and means nothing here (row CK-90).
var domainController = cmdlet.Param{Name: "DomainController", Type: cmdlet.String, Help: "Reserved; has no effect."}

func identity(mandatory bool, help string) cmdlet.Param {
	return cmdlet.Param{Name: "Identity", Type: cmdlet.ID, Position: 1, Mandatory: mandatory, AllowNull: !mandatory, Pipeline: true, ByProperty: true, Help: help}
}

// policyRows are the multi-workload family (section 3.1).
func policyRows() []row {
	return []row{
		newPolicyRow(), getPolicyRow(), setPolicyRow(), getAssignmentRow(), setAssignmentRow(),
	}
}

func newPolicyRow() row {
	return row{serve: servePolicy(newPolicy).of(policy.MultiWorkload), Cmdlet: cmdlet.Cmdlet{
		Name:        "New-M365DataAtRestEncryptionPolicy",
		Synopsis:    "Make a data encryption policy from two root keys.",
		Description: "The keys must lie in two vaults of two subscriptions, and the service must be allowed to get, wrap and unwrap with them. The policy protects nothing until it is assigned.",
		Examples:    []string{`New-M365DataAtRestEncryptionPolicy -Name Contoso_Global -AzureKeyIDs https://contoso-east.vault.localhost:8443/keys/root1,https://contoso-west.vault.localhost:8443/keys/root2`},
		Params: []cmdlet.Param{
			{Name: "Name", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Friendly name, unique in the organization."},
			{Name: "AzureKeyIDs", Type: cmdlet.StringList, Mandatory: true, Help: "The URIs of two root keys, with or without a version; the newest enabled version is taken."},
			{Name: "Description", Type: cmdlet.String, Help: "What the policy is for."},
			{Name: "Enabled", Type: cmdlet.Bool, Help: "Whether it can be assigned; $true unless given."},
			domainController,
		},
		Output: cmdlet.PolicyType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.MultiWorkload, policy.Create),
	}}
}

func getPolicyRow() row {
	return row{serve: servePolicy(getPolicy).of(policy.MultiWorkload), Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-M365DataAtRestEncryptionPolicy",
		Synopsis:    "Show data encryption policies: keys, health, progress.",
		Description: "Without -Identity it lists all policies of the organization; with it, one in detail: which versions of the root keys still protect something, and which are safe to retire. Health says how its root keys are, RootHealth since when and why; Get-CKKeyHealth shows each check.",
		Examples: []string{
			`Get-M365DataAtRestEncryptionPolicy`,
			`Get-M365DataAtRestEncryptionPolicy -Identity "NAM Policy"`,
		},
		Params: []cmdlet.Param{identity(false, "Name, GUID or distinguished name of the policy; all policies unless given."), domainController},
		Output: cmdlet.PolicyType, Detail: "Identity", Side: cmdlet.Service, Roles: rolesFor(policy.MultiWorkload, policy.Read),
	}}
}

func setPolicyRow() row {
	return row{serve: servePolicy(setPolicy).of(policy.MultiWorkload), Cmdlet: cmdlet.Cmdlet{
		Name:        "Set-M365DataAtRestEncryptionPolicy",
		Synopsis:    "Refresh, replace keys, rename, describe, enable or disable.",
		Description: "-Refresh takes the newest enabled versions of the policy's two root keys, after they were rolled in their vaults. -Replace takes two other root keys; one of them may be one that the policy has. Either way new content is under the new keys at once and old content follows in the background; the old keys are needed until it has: see SafeToRetire. A policy must be unassigned before it can be disabled.",
		Examples: []string{
			`Set-M365DataAtRestEncryptionPolicy -Identity "EUR Policy" -Refresh`,
			`Set-M365DataAtRestEncryptionPolicy -Identity "EUR Policy" -Replace -AzureKeyIDs https://contoso-north.vault.localhost:8443/keys/root1,https://contoso-south.vault.localhost:8443/keys/root2`,
			`Set-M365DataAtRestEncryptionPolicy -Identity "NAM Policy" -Enabled $false`,
		},
		Params: []cmdlet.Param{
			identity(true, "Name, GUID or distinguished name of the policy."),
			{Name: "Refresh", Type: cmdlet.Switch, Sets: []string{"RefreshKey"}, Roles: rolesFor(policy.MultiWorkload, policy.Refresh), Help: "Take the newest versions of both root keys."},
			{Name: "Replace", Type: cmdlet.Switch, Mandatory: true, Sets: []string{"ReplaceKey"}, Roles: rolesFor(policy.MultiWorkload, policy.Replace), Help: "Swap the root keys for those of -AzureKeyIDs."},
			{Name: "AzureKeyIDs", Type: cmdlet.StringList, Mandatory: true, Sets: []string{"ReplaceKey"}, Roles: rolesFor(policy.MultiWorkload, policy.Replace), Help: "The URIs of the two new root keys."},
			{Name: "Enabled", Type: cmdlet.Bool, Roles: rolesFor(policy.MultiWorkload, policy.Update), Help: "Whether the policy can be assigned."},
			{Name: "Name", Type: cmdlet.String, Roles: rolesFor(policy.MultiWorkload, policy.Update), Help: "A new name, unique in the organization."},
			{Name: "Description", Type: cmdlet.String, Roles: rolesFor(policy.MultiWorkload, policy.Update), Help: "A new description."},
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
			domainController,
		},
		DefaultSet: "RefreshKey", Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.MultiWorkload, policy.Update, policy.Refresh, policy.Replace),
		Check: checkSetPolicy,
	}}
}

func getAssignmentRow() row {
	return row{serve: getAssignment, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-M365DataAtRestEncryptionPolicyAssignment",
		Synopsis: "Show the policy that is assigned to the organization.",
		Examples: []string{`Get-M365DataAtRestEncryptionPolicyAssignment`},
		Params:   []cmdlet.Param{domainController},
		Output:   cmdlet.PolicyType, Side: cmdlet.Service, Roles: rolesFor(policy.MultiWorkload, policy.Read),
	}}
}

func setAssignmentRow() row {
	return row{serve: setAssignment, Cmdlet: cmdlet.Cmdlet{
		Name:        "Set-M365DataAtRestEncryptionPolicyAssignment",
		Synopsis:    "Assign a policy to the organization, or none.",
		Description: "One policy is in force at a time; assigning another replaces it. $null goes back to the keys of the service: nothing is lost, and the vaults are needed until the keys have moved.",
		Examples: []string{
			`Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy Contoso_Global`,
			`Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy $null`,
		},
		Params: []cmdlet.Param{
			{Name: "DataEncryptionPolicy", Old: []string{"Policy"}, Type: cmdlet.ID, Mandatory: true, AllowNull: true, Help: "Name, GUID or distinguished name of the policy; $null unassigns."},
			domainController,
		},
		Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.MultiWorkload, policy.Assign),
	}}
}

func policyViews() []cmdlet.View {
	return []cmdlet.View{{
		Type: cmdlet.PolicyType,
		Table: []cmdlet.Column{
			{Label: "Name", Property: "Name"}, {Label: "Enabled", Property: "Enabled"}, {Label: "State", Property: "State"}, {Label: "Assigned", Property: "Assigned"},
			{Label: "Percent", Property: "PercentEncrypted"}, {Label: "Health", Property: "Health"}, {Label: "AzureKeyIDs", Property: "AzureKeyIDs"},
		},
	}}
}
