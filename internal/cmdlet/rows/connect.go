package cmdlet

import "slices"

// ConnectionType is the type of what Get-ConnectionInformation shows.
const ConnectionType = "ConnectionInformation"

// Environments are the clouds that Connect-AzAccount can go to; the first is ours.
var Environments = []string{"CustomerKey", "AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}

// connectRows sign in and out. Who runs scripts carries them out: it keeps the connections.
func connectRows() []Cmdlet {
	return []Cmdlet{
		{
			Name: "Connect-ExchangeOnline", Side: Shell,
			Synopsis:    "Sign in for the commands on policies and mailboxes.",
			Description: connectHelp,
			Examples:    []string{`Connect-ExchangeOnline -UserPrincipalName admin@contoso.example`, `Connect-ExchangeOnline -AppId 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -Organization contoso.example -CertificateFilePath app.pem`},
			Params: slices.Concat([]Param{
				{Name: "UserPrincipalName", Type: String, Sets: []string{"User"}, Help: "Who signs in."},
				{Name: "Device", Type: Switch, Sets: []string{"User"}, Help: "By a code that is typed in a browser, anywhere."},
				{Name: "ShowBanner", Type: Bool, Help: "Taken for scripts that say it; there is no banner."},
				{Name: "Organization", Aliases: []string{"TenantId"}, Type: String, Help: "Domain or id of the organization; that of the person's name unless given."},
			}, appParams("AppId", "CertificateFilePath")),
			DefaultSet: "User",
		},
		{
			Name: "Connect-IPPSSession", Side: Shell,
			Synopsis:    "Sign in for the commands of compliance; the same as Connect-ExchangeOnline.",
			Description: connectHelp,
			Examples:    []string{`Connect-IPPSSession -UserPrincipalName admin@contoso.example`},
			Params: slices.Concat([]Param{
				{Name: "UserPrincipalName", Type: String, Sets: []string{"User"}, Help: "Who signs in."},
				{Name: "Organization", Type: String, Help: "Domain or id of the organization; that of the person's name unless given."},
			}, appParams("AppId", "CertificateFilePath")),
			DefaultSet: "User",
		},
		{
			Name: "Connect-SPOService", Side: Shell,
			Synopsis:    "Sign in for the commands on files, by geo.",
			Description: connectHelp,
			Examples:    []string{`Connect-SPOService -Url https://contoso-admin.sharepoint.example`},
			Params: []Param{
				{Name: "Url", Type: String, Position: 1, Mandatory: true, Help: "Address of the admin site, as older scripts give it: an https URL. Nothing is sent there."},
			},
		},
		connectAzure(),
		disconnect("Disconnect-ExchangeOnline", "Connect-ExchangeOnline and Connect-IPPSSession"),
		disconnect("Disconnect-SPOService", "Connect-SPOService"),
		disconnect("Disconnect-AzAccount", "Connect-AzAccount"),
		{
			Name: "Get-ConnectionInformation", Side: Shell, Output: ConnectionType,
			Synopsis: "Show who is signed in, for which commands and where.",
			Examples: []string{`Get-ConnectionInformation | Format-List`},
		},
	}
}

const connectHelp = "Does nothing, but say so, if that person is signed in already. Else it signs in as ck login does, and the person stays signed in for later commands too; an app does so for this shell or script only."

func connectAzure() Cmdlet {
	return Cmdlet{
		Name: "Connect-AzAccount", Aliases: []string{"Login-AzAccount"}, Side: Shell,
		Synopsis:    "Sign in for the commands on subscriptions, vaults and keys.",
		Description: connectHelp + " With -Environment AzureCloud these commands go to Azure itself, for this shell or script; nothing of one side is sent to the other.",
		Examples:    []string{`Connect-AzAccount`, `Connect-AzAccount -Environment AzureCloud -Tenant 3f0c6a52-7d0e-4a0c-9c0e-0a4f6a1b2c3d -Subscription 'Contoso keys east'`},
		Params: slices.Concat([]Param{
			{Name: "AccountId", Type: String, Sets: []string{"User"}, Help: "Who signs in."},
			{Name: "UseDeviceAuthentication", Aliases: []string{"Device", "DeviceAuth", "DeviceCode"}, Type: Switch, Sets: []string{"User"}, Help: "By a code that is typed in a browser, anywhere."},
			{Name: "Tenant", Aliases: []string{"TenantId", "Domain"}, Type: String, Help: "Domain or id of the organization; in Azure's clouds its id."},
			{Name: "Subscription", Aliases: []string{"SubscriptionId", "SubscriptionName"}, Type: String, Help: "The subscription that commands mean from now on; see Set-AzContext."},
			{Name: "Environment", Aliases: []string{"EnvironmentName"}, Type: String, Values: Environments, Help: "Where: CustomerKey, this service, unless given, or one of Azure's clouds."},
			{Name: "ServicePrincipal", Type: Switch, Sets: []string{"App"}, Help: "Taken for scripts that say it: -ApplicationId says as much."},
		}, appParams("ApplicationId", "CertificatePath")),
		DefaultSet: "User",
	}
}

func appParams(id, certificate string) []Param {
	return []Param{
		{Name: id, Type: String, Mandatory: true, Sets: []string{"App"}, Help: "Id of the app that signs in."},
		{Name: certificate, Type: String, Mandatory: true, Sets: []string{"App"}, Help: "File with its certificate and private key, PEM or PFX."},
		{Name: "CertificatePassword", Type: String, Secret: true, Sets: []string{"App"}, Help: "Password of the file."},
	}
}

func disconnect(name, undoes string) Cmdlet {
	return Cmdlet{
		Name: name, Side: Shell, Impact: High,
		Synopsis:    "End what " + undoes + " began, for this shell or script.",
		Description: "Later commands are not changed: ck logout forgets who is signed in.",
		Examples:    []string{name + ` -Confirm:$false`},
	}
}

func connectViews() []View {
	return []View{{Type: ConnectionType, Summary: true, Table: []Column{
		{"Name", "Name"}, {"UserPrincipalName", "UserPrincipalName"}, {"State", "State"}, {"ConnectionUri", "ConnectionUri"},
	}}}
}
