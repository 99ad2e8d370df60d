package main

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

// A foreignCloud is one of Azure's, with its public addresses.
type foreignCloud struct {
	cloud       cloud.Configuration
	management  string
	graph       string
	vaultSuffix string
}

// clouds are Azure's, by the names of Connect-AzAccount -Environment.
func clouds() map[string]foreignCloud {
	return map[string]foreignCloud{
		"AzureCloud":        {cloud.AzurePublic, "https://management.azure.com", "https://graph.microsoft.com", "vault.azure.net"},
		"AzureUSGovernment": {cloud.AzureGovernment, "https://management.usgovcloudapi.net", "https://graph.microsoft.us", "vault.usgovcloudapi.net"},
		"AzureChinaCloud":   {cloud.AzureChina, "https://management.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn", "vault.azure.cn"},
	}
}

// connectCloud has the commands on vaults and keys go to Azure. The identity has nothing of the
// profile: no token, no HTTP client, no certificate authority, no subscription.
func (n *connections) connectCloud(call *cmdlet.Call, name string) error {
	to, ok := clouds()[name]
	if !ok {
		return fault.New(fault.Invalid, "there is no cloud %q", name)
	}
	who, err := to.actor(call.Args, func(text string) { n.say("%s", text) })
	if err != nil {
		return err
	}
	n.begin(toAzure, who)
	n.say("Commands on vaults and keys go to %s.", name)
	return nil
}

func (f foreignCloud) actor(a cmdlet.Args, say func(string)) (*actor, error) {
	tenant, app := a.Text("Tenant"), a.Text("ApplicationId")
	if _, err := uuid.Parse(tenant); err != nil { // vaults name it by its id, and are not asked to name another
		return nil, fault.New(fault.Invalid, "the organization in Azure is not named").WithHint("add -Tenant with its id, a GUID")
	}
	options := azcore.ClientOptions{Cloud: f.cloud}
	var credential azcore.TokenCredential
	var err error
	if app != "" {
		credential, err = certificateCredential(a, tenant, app, options, false)
	} else {
		var code *azidentity.DeviceCodeCredential
		code, err = azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: options, TenantID: tenant,
			UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error { say(m.Message); return nil },
		})
		credential = signing{code}
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "nobody can sign in to Azure with that").WithHint("see that -Tenant is its id")
	}
	return &actor{
		at:     profile.Addresses{Management: f.management, Graph: f.graph, VaultSuffix: f.vaultSuffix},
		tenant: tenant, account: firstText(a, "AccountId", "ApplicationId"), credential: credential, token: tokensOf(credential),
	}, nil
}
