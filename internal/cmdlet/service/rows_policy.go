package cmdlet

import "github.com/customerkey/customerkey/internal/policy"

// policyType is the type name of the family's objects.
const policyType = "DataEncryptionPolicy"

// domainController is taken by every Exchange cmdlet and means nothing here (row CK-90).
var domainController = Param{Name: "DomainController", Type: String, Help: "Reserved; has no effect."}

func identity(mandatory bool, help string) Param {
	return Param{Name: "Identity", Type: ID, Position: 1, Mandatory: mandatory, AllowNull: !mandatory, Pipeline: true, ByProperty: true, Help: help}
}

// policyRows are the multi-workload family (section 3.1).
func policyRows() []Cmdlet {
	return []Cmdlet{
		newPolicyRow(), getPolicyRow(), setPolicyRow(), getAssignmentRow(), setAssignmentRow(),
	}
}

func newPolicyRow() Cmdlet {
	return Cmdlet{
		Name:        "New-M365DataAtRestEncryptionPolicy",
		Synopsis:    "Make a data encryption policy from two root keys.",
		Description: "The keys must lie in two vaults of two subscriptions, and the service must be allowed to get, wrap and unwrap with them. The policy protects nothing until it is assigned.",
		Examples:    []string{`New-M365DataAtRestEncryptionPolicy -Name Contoso_Global -AzureKeyIDs https://contoso-east.vault.localhost:8443/keys/root1,https://contoso-west.vault.localhost:8443/keys/root2`},
		Params: []Param{
			{Name: "Name", Type: String, Position: 1, Mandatory: true, Help: "Friendly name, unique in the organization."},
			{Name: "AzureKeyIDs", Type: StringList, Mandatory: true, Help: "The URIs of two root keys, with or without a version; the newest enabled version is taken."},
			{Name: "Description", Type: String, Help: "What the policy is for."},
			{Name: "Enabled", Type: Bool, Help: "Whether it can be assigned; $true unless given."},
			domainController,
		},
		Output: policyType, Impact: Medium, Side: Service, Roles: rolesFor(policy.MultiWorkload, policy.Create), serve: servePolicy(newPolicy).of(policy.MultiWorkload),
	}
}

func getPolicyRow() Cmdlet {
	return Cmdlet{
		Name:        "Get-M365DataAtRestEncryptionPolicy",
		Synopsis:    "Show data encryption policies: keys, health, progress.",
		Description: "Without -Identity it lists all policies of the organization; with it, one in detail: which versions of the root keys still protect something, and which are safe to retire. Health says how its root keys are, RootHealth since when and why; Get-CKKeyHealth shows each check.",
		Examples: []string{
			`Get-M365DataAtRestEncryptionPolicy`,
			`Get-M365DataAtRestEncryptionPolicy -Identity "NAM Policy"`,
		},
		Params: []Param{identity(false, "Name, GUID or distinguished name of the policy; all policies unless given."), domainController},
		Output: policyType, Detail: "Identity", Side: Service, Roles: rolesFor(policy.MultiWorkload, policy.Read), serve: servePolicy(getPolicy).of(policy.MultiWorkload),
	}
}

func setPolicyRow() Cmdlet {
	return Cmdlet{
		Name:        "Set-M365DataAtRestEncryptionPolicy",
		Synopsis:    "Refresh, replace keys, rename, describe, enable or disable.",
		Description: "-Refresh takes the newest enabled versions of the policy's two root keys, after they were rolled in their vaults. -Replace takes two other root keys; one of them may be one that the policy has. Either way new content is under the new keys at once and old content follows in the background; the old keys are needed until it has: see SafeToRetire. A policy must be unassigned before it can be disabled.",
		Examples: []string{
			`Set-M365DataAtRestEncryptionPolicy -Identity "EUR Policy" -Refresh`,
			`Set-M365DataAtRestEncryptionPolicy -Identity "EUR Policy" -Replace -AzureKeyIDs https://contoso-north.vault.localhost:8443/keys/root1,https://contoso-south.vault.localhost:8443/keys/root2`,
			`Set-M365DataAtRestEncryptionPolicy -Identity "NAM Policy" -Enabled $false`,
		},
		Params: []Param{
			identity(true, "Name, GUID or distinguished name of the policy."),
			{Name: "Refresh", Type: Switch, Sets: []string{"RefreshKey"}, Roles: rolesFor(policy.MultiWorkload, policy.Refresh), Help: "Take the newest versions of both root keys."},
			{Name: "Replace", Type: Switch, Mandatory: true, Sets: []string{"ReplaceKey"}, Roles: rolesFor(policy.MultiWorkload, policy.Replace), Help: "Swap the root keys for those of -AzureKeyIDs."},
			{Name: "AzureKeyIDs", Type: StringList, Mandatory: true, Sets: []string{"ReplaceKey"}, Roles: rolesFor(policy.MultiWorkload, policy.Replace), Help: "The URIs of the two new root keys."},
			{Name: "Enabled", Type: Bool, Roles: rolesFor(policy.MultiWorkload, policy.Update), Help: "Whether the policy can be assigned."},
			{Name: "Name", Type: String, Roles: rolesFor(policy.MultiWorkload, policy.Update), Help: "A new name, unique in the organization."},
			{Name: "Description", Type: String, Roles: rolesFor(policy.MultiWorkload, policy.Update), Help: "A new description."},
			{Name: "Force", Type: Switch, Help: "Do not ask."},
			domainController,
		},
		DefaultSet: "RefreshKey", Impact: Medium, Side: Service, Roles: rolesFor(policy.MultiWorkload, policy.Update, policy.Refresh, policy.Replace),
		check: checkSetPolicy, serve: servePolicy(setPolicy).of(policy.MultiWorkload),
	}
}

func getAssignmentRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-M365DataAtRestEncryptionPolicyAssignment",
		Synopsis: "Show the policy that is assigned to the organization.",
		Examples: []string{`Get-M365DataAtRestEncryptionPolicyAssignment`},
		Params:   []Param{domainController},
		Output:   policyType, Side: Service, Roles: rolesFor(policy.MultiWorkload, policy.Read), serve: getAssignment,
	}
}

func setAssignmentRow() Cmdlet {
	return Cmdlet{
		Name:        "Set-M365DataAtRestEncryptionPolicyAssignment",
		Synopsis:    "Assign a policy to the organization, or none.",
		Description: "One policy is in force at a time; assigning another replaces it. $null goes back to the keys of the service: nothing is lost, and the vaults are needed until the keys have moved.",
		Examples: []string{
			`Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy Contoso_Global`,
			`Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy $null`,
		},
		Params: []Param{
			{Name: "DataEncryptionPolicy", Old: []string{"Policy"}, Type: ID, Mandatory: true, AllowNull: true, Help: "Name, GUID or distinguished name of the policy; $null unassigns."},
			domainController,
		},
		Impact: Medium, Side: Service, Roles: rolesFor(policy.MultiWorkload, policy.Assign), serve: setAssignment,
	}
}

func policyViews() []View {
	return []View{{
		Type: policyType,
		Table: []Column{
			{"Name", "Name"}, {"Enabled", "Enabled"}, {"State", "State"}, {"Assigned", "Assigned"},
			{"Percent", "PercentEncrypted"}, {"Health", "Health"}, {"AzureKeyIDs", "AzureKeyIDs"},
		},
	}}
}
