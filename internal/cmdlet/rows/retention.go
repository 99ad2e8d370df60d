package rows

import (
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
)

// retentionRows are the steps of row CK-215: the owner of a subscription registers the feature
// and then the provider (rows CK-184 to CK-186), an operator of the service approves in between.
func retentionRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		registerFeatureRow(), getFeatureRow(), unregisterFeatureRow(), registerProviderRow(), getProviderRow(),
		getRequestRow(),
		decideRequestRow("Approve-CKRetentionRequest", "Approve what a subscription asked for.",
			"A subscription that asked to be registered for mandatory retention is; its owner then registers the provider Microsoft.KeyVault. One that asked to end that is free. Nobody approves his own request."),
		decideRequestRow("Deny-CKRetentionRequest", "Deny what a subscription asked for.",
			"The registration stays as it was before the request. Its owner can ask again."),
	}
}

// feature names a feature by its two parts.
func feature(mandatory bool) []cmdlet.Param {
	return []cmdlet.Param{
		{Name: "FeatureName", Type: cmdlet.String, Mandatory: mandatory, Help: "Name of the feature: mandatoryRetentionPeriodEnabled."},
		{Name: "ProviderNamespace", Type: cmdlet.String, Mandatory: mandatory, Help: "Namespace of the feature: Microsoft.Resources."},
		subscription,
	}
}

func registerFeatureRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Register-AzProviderFeature",
		Synopsis:    "Ask for a feature, such as mandatory retention.",
		Description: "mandatoryRetentionPeriodEnabled forbids that keys and the subscription are destroyed early. It stays Pending until an operator of the service has approved it; then register the provider Microsoft.KeyVault.",
		Examples:    []string{`Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`},
		Params:      feature(true),
		Output:      cmdlet.FeatureType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func getFeatureRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:     "Get-AzProviderFeature",
		Synopsis: "Show features and how far they are registered.",
		Examples: []string{`Get-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`},
		Params:   append(feature(false), cmdlet.Param{Name: "ListAvailable", Type: cmdlet.Switch, Help: "Show also those that nobody asked for."}),
		Output:   cmdlet.FeatureType, Side: cmdlet.Vault,
	}
}

func unregisterFeatureRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Unregister-AzProviderFeature",
		Synopsis:    "Ask for the end of a feature, or take a request back.",
		Description: "A registered feature stays in force until an operator of the service has approved its end, which is refused while a policy uses a key of the subscription.",
		Examples:    []string{`Unregister-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`},
		Params:      feature(true),
		Output:      cmdlet.FeatureType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func registerProviderRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Register-AzResourceProvider",
		Synopsis:    "Register a resource provider with a subscription.",
		Description: "Vaults need Microsoft.KeyVault. Registering it again after mandatory retention was approved is what makes that count.",
		Examples:    []string{`Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault`},
		Params: []cmdlet.Param{
			{Name: "ProviderNamespace", Type: cmdlet.String, Mandatory: true, Help: "Namespace of the provider: Microsoft.KeyVault."},
			{Name: "ConsentToPermissions", Type: cmdlet.Bool, Help: "Reserved; has no effect."},
			{Name: "ApiVersion", Type: cmdlet.String, Help: "Reserved; has no effect."},
			{Name: "Pre", Type: cmdlet.Switch, Help: "Reserved; has no effect."},
			{Name: "AsJob", Type: cmdlet.Switch, Help: "Reserved; has no effect: it is done when the command returns."},
			subscription,
		},
		Output: cmdlet.ProviderType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func getProviderRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:     "Get-AzResourceProvider",
		Synopsis: "Show resource providers and whether they are registered.",
		Examples: []string{`Get-AzResourceProvider -ProviderNamespace Microsoft.KeyVault`},
		Params: []cmdlet.Param{
			{Name: "ProviderNamespace", Type: cmdlet.String, Help: "Namespace of one provider; all registered ones unless given."},
			{Name: "ListAvailable", Type: cmdlet.Switch, Help: "Show also those that are not registered."},
			subscription,
		},
		Output: cmdlet.ProviderType, Side: cmdlet.Vault,
	}
}

func getRequestRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Get-CKRetentionRequest",
		Synopsis:    "Show the subscriptions that wait for an operator.",
		Description: "Pending: to be registered for mandatory retention. Unregistering: to end that.",
		Examples:    []string{`Get-CKRetentionRequest`},
		Params:      []cmdlet.Param{{Name: "SubscriptionId", Type: cmdlet.String, Position: 1, Help: "One subscription; all that wait unless given."}},
		Output:      cmdlet.RequestType, Side: cmdlet.Operator, Roles: approvers,
	}
}

func decideRequestRow(name, synopsis, description string) cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name: name, Synopsis: synopsis, Description: description,
		Examples: []string{name + ` -SubscriptionId 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11`},
		Params: []cmdlet.Param{
			{Name: "SubscriptionId", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "The subscription, as Get-CKRetentionRequest shows it."},
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
		},
		Output: cmdlet.RequestType, Impact: cmdlet.High, Side: cmdlet.Operator, Roles: approvers,
	}
}

func retentionViews() []cmdlet.View {
	request := []cmdlet.Column{
		{Label: "Subscription", Property: "SubscriptionId"}, {Label: "Name", Property: "DisplayName"}, {Label: "State", Property: "State"}, {Label: "Requested By", Property: "RequestedBy"},
		{Label: "Requested At", Property: "RequestedAt"}, {Label: "Tenant", Property: "TenantId"},
	}
	return []cmdlet.View{
		{Type: cmdlet.FeatureType, Summary: true, Table: []cmdlet.Column{{Label: "FeatureName", Property: "FeatureName"}, {Label: "ProviderName", Property: "ProviderName"}, {Label: "RegistrationState", Property: "RegistrationState"}}},
		{Type: cmdlet.ProviderType, Summary: true, Table: []cmdlet.Column{{Label: "ProviderNamespace", Property: "ProviderNamespace"}, {Label: "RegistrationState", Property: "RegistrationState"}, {Label: "ResourceTypes", Property: "ResourceTypes"}}},
		{Type: cmdlet.RequestType, Summary: true, Table: request, List: request},
	}
}

// approvers is the right of whoever runs the service.
var approvers = cmdlet.Rights{{Role: directory.ServiceOperator}}
