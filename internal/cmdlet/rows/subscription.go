package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// subscriptionRows are the cmdlets that make room for vaults.
func subscriptionRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name:        "New-AzSubscriptionAlias",
			Synopsis:    "Make a subscription.",
			Description: "You become its owner. It takes the role Global Administrator. The same alias again returns the subscription that is there.",
			Examples:    []string{`New-AzSubscriptionAlias -AliasName keys-east -SubscriptionName "Contoso keys east"`},
			Params: []cmdlet.Param{
				{Name: "AliasName", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Names the subscription within your organization: letters, digits, dashes."},
				{Name: "SubscriptionName", Aliases: []string{"DisplayName"}, Type: cmdlet.String, Position: 2, Help: "What people read; the alias unless given."},
			},
			Output: cmdlet.SubscriptionType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
		},
		{
			Name:     "Get-AzSubscription",
			Synopsis: "Show the subscriptions in which you may do something.",
			Examples: []string{`Get-AzSubscription`},
			Params:   []cmdlet.Param{{Name: "SubscriptionId", Aliases: []string{"Id"}, Type: cmdlet.String, Help: "Only this one."}},
			Output:   cmdlet.SubscriptionType, Side: cmdlet.Vault,
		},
		{
			Name:     "New-AzResourceGroup",
			Synopsis: "Make a resource group, in which vaults are sorted.",
			Examples: []string{`New-AzResourceGroup -Name keys -Location eastus`},
			Params: []cmdlet.Param{
				{Name: "Name", Aliases: []string{"ResourceGroupName"}, Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Name of the group."},
				{Name: "Location", Type: cmdlet.String, Position: 2, Mandatory: true, Help: "Region, such as eastus."},
				subscription,
				{Name: "Tag", Aliases: []string{"Tags"}, Type: cmdlet.Map, Help: "Tags, as @{name='value'}."},
				{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask where a group of that name is there; its tags are replaced."},
			},
			Output: cmdlet.ResourceGroupType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
		},
	}
}

func subscriptionViews() []cmdlet.View {
	subscriptions := []cmdlet.Column{{Label: "Name", Property: "Name"}, {Label: "Id", Property: "Id"}, {Label: "TenantId", Property: "TenantId"}, {Label: "State", Property: "State"}}
	groups := []cmdlet.Column{
		{Label: "ResourceGroupName", Property: "ResourceGroupName"}, {Label: "Location", Property: "Location"}, {Label: "ProvisioningState", Property: "ProvisioningState"}, {Label: "Tags", Property: "Tags"}, {Label: "ResourceId", Property: "ResourceId"},
	}
	return []cmdlet.View{
		{Type: cmdlet.SubscriptionType, Summary: true, Table: subscriptions, List: subscriptions},
		{Type: cmdlet.ResourceGroupType, Table: groups, List: groups},
	}
}
