package cmdlet

// Type names of what the resource manager says.
const (
	ContextType  = "PSAzureContext"
	ResourceType = "PSResource"
)

// resourceRows are the cmdlets on the subscription at hand and on resources of any kind (rows
// CK-183, CK-190, CK-191).
func resourceRows() []Cmdlet {
	return []Cmdlet{setContextRow(), getContextRow(), getResourceRow(), setResourceRow()}
}

func setContextRow() Cmdlet {
	return Cmdlet{
		Name:        "Set-AzContext",
		Synopsis:    "Choose the subscription that later commands mean.",
		Description: "It holds for all later commands of the signed-in profile, or with -Scope Process for this process alone. Commands that name a subscription themselves go by that.",
		Examples:    []string{`Set-AzContext -Subscription "Contoso keys east"`, `Set-AzContext 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -Scope Process`},
		Params: []Param{
			{Name: "Subscription", Aliases: []string{"SubscriptionId", "SubscriptionName"}, Type: String, Position: 1, Mandatory: true, Help: "Id or name of the subscription."},
			{Name: "Tenant", Aliases: []string{"Domain", "TenantId"}, Type: String, Help: "Your organization; no other can be chosen, for you are signed in there."},
			{Name: "Name", Type: String, Help: "What to call the context when it is shown."},
			{Name: "Scope", Type: String, Values: []string{"Process", "CurrentUser"}, Help: "How long it holds: CurrentUser unless given."},
			{Name: "Force", Type: Switch, Help: "Do not ask."},
		},
		Output: ContextType, Impact: Medium, Side: Vault,
	}
}

func getContextRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-AzContext",
		Synopsis: "Show the subscription that commands mean now.",
		Examples: []string{`Get-AzContext`},
		Output:   ContextType, Side: Vault,
	}
}

var (
	resourceID  = Param{Name: "ResourceId", Aliases: []string{"Id"}, Type: String, ByProperty: true, Help: "Id of the resource: /subscriptions/.../providers/...; a vault's is in Get-AzKeyVault."}
	resourceAPI = Param{Name: "ApiVersion", Type: String, Help: "Version of the resource's interface; the newest that its provider names unless given."}
)

func getResourceRow() Cmdlet {
	one := inSets(resourceID, "ByResourceId")
	one.Mandatory = true
	return Cmdlet{
		Name:     "Get-AzResource",
		Synopsis: "Show resources of any kind.",
		Examples: []string{
			`Get-AzResource -ResourceType Microsoft.KeyVault/vaults`,
			`Get-AzResource -Name contoso-east -ExpandProperties`,
		},
		Params: []Param{
			one,
			{Name: "Name", Aliases: []string{"ResourceName"}, Type: String, Sets: []string{"ByName"}, Help: "Name of the resource; may contain * and ?."},
			{Name: "ResourceType", Type: String, Sets: []string{"ByName"}, Help: "Kind of resource: Microsoft.KeyVault/vaults."},
			{Name: "ResourceGroupName", Type: String, Sets: []string{"ByName"}, Help: "Only resources of this group."},
			{Name: "Tag", Type: Map, Sets: []string{"ByName"}, Help: "Only resources with these tags, as @{name='value'}."},
			{Name: "ExpandProperties", Type: Switch, Help: "Show their properties too; with -ResourceId that is done anyway."},
			resourceAPI,
		},
		DefaultSet: "ByName", Output: ResourceType, Side: Vault,
	}
}

func setResourceRow() Cmdlet {
	one := inSets(resourceID, "ByResourceId")
	one.Mandatory = true
	return Cmdlet{
		Name:        "Set-AzResource",
		Synopsis:    "Write a resource back with other properties.",
		Description: "What is not given stays as it is; -Properties replaces all properties, unless -UsePatchSemantics asks to change only those it names.",
		Examples:    []string{`Set-AzResource -ResourceId /subscriptions/9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/contoso-east -Tag @{side='east'} -UsePatchSemantics`},
		Params: []Param{
			one,
			{Name: "InputObject", Type: PSObject, Mandatory: true, Sets: []string{"ByInputObject"}, Pipeline: true, Help: "The resource as Get-AzResource gave it."},
			{Name: "Properties", Aliases: []string{"PropertyObject"}, Type: PSObject, Help: "Its new properties, as Get-AzResource gave them and you changed them."},
			{Name: "Tag", Aliases: []string{"Tags"}, Type: Map, Help: "Its new tags, as @{name='value'}; replaces the old ones."},
			{Name: "Sku", Type: PSObject, Help: "Its new SKU, as @{name='value'}, for kinds of resources that have one of their own; a vault's is among its properties."},
			{Name: "Kind", Type: String, Help: "Its kind, for resources that have kinds."},
			{Name: "UsePatchSemantics", Type: Switch, Help: "Change only what is given."},
			resourceAPI,
			{Name: "Force", Type: Switch, Help: "Do not ask."},
		},
		DefaultSet: "ByResourceId", Output: ResourceType, Impact: Medium, Side: Vault,
	}
}

func resourceViews() []View {
	context := []Column{{"Name", "Name"}, {"Account", "Account"}, {"SubscriptionName", "SubscriptionName"}, {"Environment", "Environment"}, {"TenantId", "TenantId"}}
	return []View{
		{Type: TextType},
		{Type: ContextType, Summary: true, Table: context},
		{Type: ResourceType, Table: []Column{{"Name", "Name"}, {"ResourceGroupName", "ResourceGroupName"}, {"ResourceType", "ResourceType"}, {"Location", "Location"}}},
	}
}
