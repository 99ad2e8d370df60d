package cmdlet

// Type names of what vaults stand in.
const (
	SubscriptionType  = "PSAzureSubscription"
	ResourceGroupType = "PSResourceGroup"
)

// subscriptionRows are the cmdlets that make room for vaults.
func subscriptionRows() []Cmdlet {
	return []Cmdlet{
		{
			Name:        "New-AzSubscriptionAlias",
			Synopsis:    "Make a subscription.",
			Description: "You become its owner. It takes the role Global Administrator. The same alias again returns the subscription that is there.",
			Examples:    []string{`New-AzSubscriptionAlias -AliasName keys-east -SubscriptionName "Contoso keys east"`},
			Params: []Param{
				{Name: "AliasName", Type: String, Position: 1, Mandatory: true, Help: "Names the subscription within your organization: letters, digits, dashes."},
				{Name: "SubscriptionName", Aliases: []string{"DisplayName"}, Type: String, Position: 2, Help: "What people read; the alias unless given."},
			},
			Output: SubscriptionType, Impact: Medium, Side: Vault,
		},
		{
			Name:     "Get-AzSubscription",
			Synopsis: "Show the subscriptions in which you may do something.",
			Examples: []string{`Get-AzSubscription`},
			Params:   []Param{{Name: "SubscriptionId", Aliases: []string{"Id"}, Type: String, Help: "Only this one."}},
			Output:   SubscriptionType, Side: Vault,
		},
		{
			Name:     "New-AzResourceGroup",
			Synopsis: "Make a resource group, in which vaults are sorted.",
			Examples: []string{`New-AzResourceGroup -Name keys -Location eastus`},
			Params: []Param{
				{Name: "Name", Aliases: []string{"ResourceGroupName"}, Type: String, Position: 1, Mandatory: true, Help: "Name of the group."},
				{Name: "Location", Type: String, Position: 2, Mandatory: true, Help: "Region, such as eastus."},
				subscription,
				{Name: "Tag", Aliases: []string{"Tags"}, Type: Map, Help: "Tags, as @{name='value'}."},
				{Name: "Force", Type: Switch, Help: "Do not ask where a group of that name is there; its tags are replaced."},
			},
			Output: ResourceGroupType, Impact: Medium, Side: Vault,
		},
	}
}

func subscriptionViews() []View {
	subscriptions := []Column{{"Name", "Name"}, {"Id", "Id"}, {"TenantId", "TenantId"}, {"State", "State"}}
	groups := []Column{
		{"ResourceGroupName", "ResourceGroupName"}, {"Location", "Location"}, {"ProvisioningState", "ProvisioningState"}, {"Tags", "Tags"}, {"ResourceId", "ResourceId"},
	}
	return []View{
		{Type: SubscriptionType, Summary: true, Table: subscriptions, List: subscriptions},
		{Type: ResourceGroupType, Table: groups, List: groups},
	}
}
