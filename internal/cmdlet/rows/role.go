package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// roleRows give roles at a subscription, a vault or a key (rows CK-156 and CK-222).
func roleRows() []cmdlet.Cmdlet {
	set := func(name string) []string { return []string{name} }
	return []cmdlet.Cmdlet{{
		Name:        "New-AzRoleAssignment",
		Synopsis:    "Give somebody a role in a subscription, or in one vault of it.",
		Description: "Reader lets the onboarding service look at a subscription. \"Key Vault Crypto Service Encryption User\" stands for get, wrapKey and unwrapKey where a vault goes by roles.",
		Examples: []string{
			`New-AzRoleAssignment -ApplicationId 19f7f505-34aa-44a4-9dcc-6a768854d2ea -RoleDefinitionName Reader -Scope /subscriptions/9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11`,
		},
		Params: []cmdlet.Param{
			{Name: "ObjectId", Aliases: []string{"Id", "PrincipalId"}, Type: cmdlet.String, Mandatory: true, Sets: set("ByObjectId"), Help: "Object id of a person, a group or a program."},
			{Name: "UserPrincipalName", Aliases: []string{"SignInName", "Email"}, Type: cmdlet.String, Mandatory: true, Sets: set("ByUserPrincipalName"), Help: "Name that a person signs in with."},
			{Name: "ServicePrincipalName", Aliases: []string{"ApplicationId", "SPN"}, Type: cmdlet.String, Mandatory: true, Sets: set("ByServicePrincipalName"), Help: "App id of a program."},
			{Name: "RoleDefinitionName", Type: cmdlet.String, Mandatory: true, Help: "Name of the role, such as Reader."},
			{Name: "Scope", Type: cmdlet.String, Mandatory: true, Help: "Where it holds: /subscriptions/ID, or the resource id of a vault."},
		},
		DefaultSet: "ByServicePrincipalName", Output: cmdlet.RoleAssignmentType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}}
}

func roleViews() []cmdlet.View {
	return []cmdlet.View{{
		Type: cmdlet.RoleAssignmentType,
		Table: []cmdlet.Column{
			{Label: "RoleDefinitionName", Property: "RoleDefinitionName"}, {Label: "Scope", Property: "Scope"}, {Label: "ObjectId", Property: "ObjectId"}, {Label: "ObjectType", Property: "ObjectType"},
		},
	}}
}
