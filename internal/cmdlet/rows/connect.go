package rows

import (
	"slices"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// Environments are the clouds that Connect-AzAccount can go to; the first is ours.
var Environments = []string{"CustomerKey", "AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}

// connectRows sign in and out. Who runs scripts carries them out: it keeps the connections.
func connectRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name: "Connect-ExchangeOnline", Side: cmdlet.Shell,
			Synopsis:    "Sign in for the commands on policies and mailboxes.",
			Description: connectHelp,
			Examples:    []string{`Connect-ExchangeOnline -UserPrincipalName admin@contoso.example`, `Connect-ExchangeOnline -AppId 9f7c1b0e-3c1a-4d8e-8f57-2b6f0f3a5d11 -Organization contoso.example -CertificateFilePath app.pem`},
			Params: slices.Concat([]cmdlet.Param{
				{Name: "UserPrincipalName", Type: cmdlet.String, Sets: []string{"User"}, Help: "Who signs in."},
				{Name: "Device", Type: cmdlet.Switch, Sets: []string{"User"}, Help: "By a code that is typed in a browser, anywhere."},
				{Name: "ShowBanner", Type: cmdlet.Bool, Help: "Taken for scripts that say it; there is no banner."},
				{Name: "Organization", Aliases: []string{"TenantId"}, Type: cmdlet.String, Help: "Domain or id of the organization; that of the person's name unless given."},
			}, appParams("AppId", "CertificateFilePath")),
			DefaultSet: "User",
		},
		{
			Name: "Connect-IPPSSession", Side: cmdlet.Shell,
			Synopsis:    "Sign in for the commands of compliance; the same as Connect-ExchangeOnline.",
			Description: connectHelp,
			Examples:    []string{`Connect-IPPSSession -UserPrincipalName admin@contoso.example`},
			Params: slices.Concat([]cmdlet.Param{
				{Name: "UserPrincipalName", Type: cmdlet.String, Sets: []string{"User"}, Help: "Who signs in."},
				{Name: "Organization", Type: cmdlet.String, Help: "Domain or id of the organization; that of the person's name unless given."},
			}, appParams("AppId", "CertificateFilePath")),
			DefaultSet: "User",
		},
		{
			Name: "Connect-SPOService", Side: cmdlet.Shell,
			Synopsis:    "Sign in for the commands on files, by geo.",
			Description: connectHelp,
			Examples:    []string{`Connect-SPOService -Url https://contoso-admin.sharepoint.example`},
			Params: []cmdlet.Param{
				{Name: "Url", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Address of the admin site, as older scripts give it: an https URL. Nothing is sent there."},
			},
		},
		connectAzure(),
		disconnect("Disconnect-ExchangeOnline", "Connect-ExchangeOnline and Connect-IPPSSession"),
		disconnect("Disconnect-SPOService", "Connect-SPOService"),
		disconnect("Disconnect-AzAccount", "Connect-AzAccount"),
		{
			Name: "Get-ConnectionInformation", Side: cmdlet.Shell, Output: cmdlet.ConnectionType,
			Synopsis: "Show who is signed in, for which commands and where.",
			Examples: []string{`Get-ConnectionInformation | Format-List`},
		},
	}
}

const connectHelp = "Does nothing, but say so, if that person is signed in already. Else it signs in as ck login does, and the person stays signed in for later commands too; an app does so for this shell or script only."

func connectAzure() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name: "Connect-AzAccount", Aliases: []string{"Login-AzAccount"}, Side: cmdlet.Shell,
		Synopsis:    "Sign in for the commands on subscriptions, vaults and keys.",
		Description: connectHelp + " With -Environment AzureCloud these commands go to Azure itself, for this shell or script; nothing of one side is sent to the other.",
		Examples:    []string{`Connect-AzAccount`, `Connect-AzAccount -Environment AzureCloud -Tenant 3f0c6a52-7d0e-4a0c-9c0e-0a4f6a1b2c3d -Subscription 'Contoso keys east'`},
		Params: slices.Concat([]cmdlet.Param{
			{Name: "AccountId", Type: cmdlet.String, Sets: []string{"User"}, Help: "Who signs in."},
			{Name: "UseDeviceAuthentication", Aliases: []string{"Device", "DeviceAuth", "DeviceCode"}, Type: cmdlet.Switch, Sets: []string{"User"}, Help: "By a code that is typed in a browser, anywhere."},
			{Name: "Tenant", Aliases: []string{"TenantId", "Domain"}, Type: cmdlet.String, Help: "Domain or id of the organization; in Azure's clouds its id."},
			{Name: "Subscription", Aliases: []string{"SubscriptionId", "SubscriptionName"}, Type: cmdlet.String, Help: "The subscription that commands mean from now on; see Set-AzContext."},
			{Name: "Environment", Aliases: []string{"EnvironmentName"}, Type: cmdlet.String, Values: Environments, Help: "Where: CustomerKey, this service, unless given, or one of Azure's clouds."},
			{Name: "ServicePrincipal", Type: cmdlet.Switch, Sets: []string{"App"}, Help: "Taken for scripts that say it: -ApplicationId says as much."},
		}, appParams("ApplicationId", "CertificatePath")),
		DefaultSet: "User",
	}
}

func appParams(id, certificate string) []cmdlet.Param {
	return []cmdlet.Param{
		{Name: id, Type: cmdlet.String, Mandatory: true, Sets: []string{"App"}, Help: "Id of the app that signs in."},
		{Name: certificate, Type: cmdlet.String, Mandatory: true, Sets: []string{"App"}, Help: "File with its certificate and private key, PEM or PFX."},
		{Name: "CertificatePassword", Type: cmdlet.String, Secret: true, Sets: []string{"App"}, Help: "Password of the file."},
	}
}

func disconnect(name, undoes string) cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name: name, Side: cmdlet.Shell, Impact: cmdlet.High,
		Synopsis:    "End what " + undoes + " began, for this shell or script.",
		Description: "Later commands are not changed: ck logout forgets who is signed in.",
		Examples:    []string{name + ` -Confirm:$false`},
	}
}

func connectViews() []cmdlet.View {
	return []cmdlet.View{{Type: cmdlet.ConnectionType, Summary: true, Table: []cmdlet.Column{
		{Label: "Name", Property: "Name"}, {Label: "UserPrincipalName", Property: "UserPrincipalName"}, {Label: "State", Property: "State"}, {Label: "ConnectionUri", Property: "ConnectionUri"},
	}}}
}
