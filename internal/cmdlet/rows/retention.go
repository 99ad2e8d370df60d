package cmdlet

// Type names of what registering for mandatory retention returns.
const (
	FeatureType  = "PSProviderFeature"
	ProviderType = "PSResourceProvider"
	RequestType  = "CKRetentionRequest"
)

// retentionRows are the steps of row CK-215: the owner of a subscription registers the feature
// and then the provider (rows CK-184 to CK-186), an operator of the service approves in between.
func retentionRows() []Cmdlet {
	return []Cmdlet{
		registerFeatureRow(), getFeatureRow(), unregisterFeatureRow(), registerProviderRow(), getProviderRow(),
		getRequestRow(),
		decideRequestRow("Approve-CKRetentionRequest", "Approve what a subscription asked for.",
			"A subscription that asked to be registered for mandatory retention is; its owner then registers the provider Microsoft.KeyVault. One that asked to end that is free. Nobody approves his own request."),
		decideRequestRow("Deny-CKRetentionRequest", "Deny what a subscription asked for.",
			"The registration stays as it was before the request. Its owner can ask again."),
	}
}

// feature names a feature by its two parts.
func feature(mandatory bool) []Param {
	return []Param{
		{Name: "FeatureName", Type: String, Mandatory: mandatory, Help: "Name of the feature: mandatoryRetentionPeriodEnabled."},
		{Name: "ProviderNamespace", Type: String, Mandatory: mandatory, Help: "Namespace of the feature: Microsoft.Resources."},
		subscription,
	}
}

func registerFeatureRow() Cmdlet {
	return Cmdlet{
		Name:        "Register-AzProviderFeature",
		Synopsis:    "Ask for a feature, such as mandatory retention.",
		Description: "mandatoryRetentionPeriodEnabled forbids that keys and the subscription are destroyed early. It stays Pending until an operator of the service has approved it; then register the provider Microsoft.KeyVault.",
		Examples:    []string{`Register-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`},
		Params:      feature(true),
		Output:      FeatureType, Impact: Medium, Side: Vault,
	}
}

func getFeatureRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-AzProviderFeature",
		Synopsis: "Show features and how far they are registered.",
		Examples: []string{`Get-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`},
		Params:   append(feature(false), Param{Name: "ListAvailable", Type: Switch, Help: "Show also those that nobody asked for."}),
		Output:   FeatureType, Side: Vault,
	}
}

func unregisterFeatureRow() Cmdlet {
	return Cmdlet{
		Name:        "Unregister-AzProviderFeature",
		Synopsis:    "Ask for the end of a feature, or take a request back.",
		Description: "A registered feature stays in force until an operator of the service has approved its end, which is refused while a policy uses a key of the subscription.",
		Examples:    []string{`Unregister-AzProviderFeature -FeatureName mandatoryRetentionPeriodEnabled -ProviderNamespace Microsoft.Resources`},
		Params:      feature(true),
		Output:      FeatureType, Impact: Medium, Side: Vault,
	}
}

func registerProviderRow() Cmdlet {
	return Cmdlet{
		Name:        "Register-AzResourceProvider",
		Synopsis:    "Register a resource provider with a subscription.",
		Description: "Vaults need Microsoft.KeyVault. Registering it again after mandatory retention was approved is what makes that count.",
		Examples:    []string{`Register-AzResourceProvider -ProviderNamespace Microsoft.KeyVault`},
		Params: []Param{
			{Name: "ProviderNamespace", Type: String, Mandatory: true, Help: "Namespace of the provider: Microsoft.KeyVault."},
			{Name: "ConsentToPermissions", Type: Bool, Help: "Reserved; has no effect."},
			{Name: "ApiVersion", Type: String, Help: "Reserved; has no effect."},
			{Name: "Pre", Type: Switch, Help: "Reserved; has no effect."},
			{Name: "AsJob", Type: Switch, Help: "Reserved; has no effect: it is done when the command returns."},
			subscription,
		},
		Output: ProviderType, Impact: Medium, Side: Vault,
	}
}

func getProviderRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-AzResourceProvider",
		Synopsis: "Show resource providers and whether they are registered.",
		Examples: []string{`Get-AzResourceProvider -ProviderNamespace Microsoft.KeyVault`},
		Params: []Param{
			{Name: "ProviderNamespace", Type: String, Help: "Namespace of one provider; all registered ones unless given."},
			{Name: "ListAvailable", Type: Switch, Help: "Show also those that are not registered."},
			subscription,
		},
		Output: ProviderType, Side: Vault,
	}
}

func getRequestRow() Cmdlet {
	return Cmdlet{
		Name:        "Get-CKRetentionRequest",
		Synopsis:    "Show the subscriptions that wait for an operator.",
		Description: "Pending: to be registered for mandatory retention. Unregistering: to end that.",
		Examples:    []string{`Get-CKRetentionRequest`},
		Params:      []Param{{Name: "SubscriptionId", Type: String, Position: 1, Help: "One subscription; all that wait unless given."}},
		Output:      RequestType, Side: Operator, Roles: operators,
	}
}

func decideRequestRow(name, synopsis, description string) Cmdlet {
	return Cmdlet{
		Name: name, Synopsis: synopsis, Description: description,
		Examples: []string{name + ` -SubscriptionId 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11`},
		Params: []Param{
			{Name: "SubscriptionId", Type: String, Position: 1, Mandatory: true, Help: "The subscription, as Get-CKRetentionRequest shows it."},
			{Name: "Force", Type: Switch, Help: "Do not ask."},
		},
		Output: RequestType, Impact: High, Side: Operator, Roles: operators,
	}
}

func retentionViews() []View {
	request := []Column{
		{"Subscription", "SubscriptionId"}, {"Name", "DisplayName"}, {"State", "State"}, {"Requested By", "RequestedBy"},
		{"Requested At", "RequestedAt"}, {"Tenant", "TenantId"},
	}
	return []View{
		{Type: FeatureType, Summary: true, Table: []Column{{"FeatureName", "FeatureName"}, {"ProviderName", "ProviderName"}, {"RegistrationState", "RegistrationState"}}},
		{Type: ProviderType, Summary: true, Table: []Column{{"ProviderNamespace", "ProviderNamespace"}, {"RegistrationState", "RegistrationState"}, {"ResourceTypes", "ResourceTypes"}}},
		{Type: RequestType, Summary: true, Table: request, List: request},
	}
}
