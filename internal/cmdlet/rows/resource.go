package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// resourceRows are the cmdlets on the subscription at hand and on resources of any kind (rows
// CK-183, CK-190, CK-191).
func resourceRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{setContextRow(), getContextRow(), getResourceRow(), setResourceRow()}
}

func setContextRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Set-AzContext",
		Synopsis:    "Choose the subscription that later commands mean.",
		Description: "It holds for all later commands of the signed-in profile, or with -Scope Process for this process alone. Commands that name a subscription themselves go by that.",
		Examples:    []string{`Set-AzContext -Subscription "Contoso keys east"`, `Set-AzContext 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -Scope Process`},
		Params: []cmdlet.Param{
			{Name: "Subscription", Aliases: []string{"SubscriptionId", "SubscriptionName"}, Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Id or name of the subscription."},
			{Name: "Tenant", Aliases: []string{"Domain", "TenantId"}, Type: cmdlet.String, Help: "Your organization; no other can be chosen, for you are signed in there."},
			{Name: "Name", Type: cmdlet.String, Help: "What to call the context when it is shown."},
			{Name: "Scope", Type: cmdlet.String, Values: []string{"Process", "CurrentUser"}, Help: "How long it holds: CurrentUser unless given."},
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
		},
		Output: cmdlet.ContextType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func getContextRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:     "Get-AzContext",
		Synopsis: "Show the subscription that commands mean now.",
		Examples: []string{`Get-AzContext`},
		Output:   cmdlet.ContextType, Side: cmdlet.Vault,
	}
}

var (
	resourceID  = cmdlet.Param{Name: "ResourceId", Aliases: []string{"Id"}, Type: cmdlet.String, ByProperty: true, Help: "Id of the resource: /subscriptions/.../providers/...; a vault's is in Get-AzKeyVault."}
	resourceAPI = cmdlet.Param{Name: "ApiVersion", Type: cmdlet.String, Help: "Version of the resource's interface; the newest that its provider names unless given."}
)

func getResourceRow() cmdlet.Cmdlet {
	one := inSets(resourceID, "ByResourceId")
	one.Mandatory = true
	return cmdlet.Cmdlet{
		Name:     "Get-AzResource",
		Synopsis: "Show resources of any kind.",
		Examples: []string{
			`Get-AzResource -ResourceType Microsoft.KeyVault/vaults`,
			`Get-AzResource -Name contoso-east -ExpandProperties`,
		},
		Params: []cmdlet.Param{
			one,
			{Name: "Name", Aliases: []string{"ResourceName"}, Type: cmdlet.String, Sets: []string{"ByName"}, Help: "Name of the resource; may contain * and ?."},
			{Name: "ResourceType", Type: cmdlet.String, Sets: []string{"ByName"}, Help: "Kind of resource: Microsoft.KeyVault/vaults."},
			{Name: "ResourceGroupName", Type: cmdlet.String, Sets: []string{"ByName"}, Help: "Only resources of this group."},
			{Name: "Tag", Type: cmdlet.Map, Sets: []string{"ByName"}, Help: "Only resources with these tags, as @{name='value'}."},
			{Name: "ExpandProperties", Type: cmdlet.Switch, Help: "Show their properties too; with -ResourceId that is done anyway."},
			resourceAPI,
		},
		DefaultSet: "ByName", Output: cmdlet.ResourceType, Side: cmdlet.Vault,
	}
}

func setResourceRow() cmdlet.Cmdlet {
	one := inSets(resourceID, "ByResourceId")
	one.Mandatory = true
	return cmdlet.Cmdlet{
		Name:        "Set-AzResource",
		Synopsis:    "Write a resource back with other properties.",
		Description: "What is not given stays as it is; -Properties replaces all properties, unless -UsePatchSemantics asks to change only those it names.",
		Examples:    []string{`Set-AzResource -ResourceId /subscriptions/9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/contoso-east -Tag @{side='east'} -UsePatchSemantics`},
		Params: []cmdlet.Param{
			one,
			{Name: "InputObject", Type: cmdlet.PSObject, Mandatory: true, Sets: []string{"ByInputObject"}, Pipeline: true, Help: "The resource as Get-AzResource gave it."},
			{Name: "Properties", Aliases: []string{"PropertyObject"}, Type: cmdlet.PSObject, Help: "Its new properties, as Get-AzResource gave them and you changed them."},
			{Name: "Tag", Aliases: []string{"Tags"}, Type: cmdlet.Map, Help: "Its new tags, as @{name='value'}; replaces the old ones."},
			{Name: "Sku", Type: cmdlet.PSObject, Help: "Its new SKU, as @{name='value'}, for kinds of resources that have one of their own; a vault's is among its properties."},
			{Name: "Kind", Type: cmdlet.String, Help: "Its kind, for resources that have kinds."},
			{Name: "UsePatchSemantics", Type: cmdlet.Switch, Help: "Change only what is given."},
			resourceAPI,
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
		},
		DefaultSet: "ByResourceId", Output: cmdlet.ResourceType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func resourceViews() []cmdlet.View {
	context := []cmdlet.Column{{Label: "Name", Property: "Name"}, {Label: "Account", Property: "Account"}, {Label: "SubscriptionName", Property: "SubscriptionName"}, {Label: "Environment", Property: "Environment"}, {Label: "TenantId", Property: "TenantId"}}
	return []cmdlet.View{
		{Type: cmdlet.TextType},
		{Type: cmdlet.ContextType, Summary: true, Table: context},
		{Type: cmdlet.ResourceType, Table: []cmdlet.Column{{Label: "Name", Property: "Name"}, {Label: "ResourceGroupName", Property: "ResourceGroupName"}, {Label: "ResourceType", Property: "ResourceType"}, {Label: "Location", Property: "Location"}}},
	}
}
