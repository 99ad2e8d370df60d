package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// tokens is the signed-in person's credential for one audience.
type tokens func(ctx context.Context) (string, error)

func (t tokens) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	text, err := t(ctx)
	return azcore.AccessToken{Token: text, ExpiresOn: time.Now().Add(time.Minute)}, err
}

// TestGroupsHoldRoles: a role that a group has over a vault is its members', with the tokens that
// the directory gives them, and is nobody's who has left.
func TestGroupsHoldRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.profile()
	base := p.Addresses().Management
	options := azcore.ClientOptions{
		Transport: p.HTTPClient(), Retry: policy.RetryOptions{MaxRetries: -1},
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: p.Addresses().Login + "/",
			Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Endpoint: base, Audience: base}},
		},
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.run("New-AzSubscriptionAlias", "-AliasName", "trial")
	subscription := strings.Fields(w.run("Get-AzSubscription")["trial"])[0]
	w.run("New-AzResourceGroup", "-Name", "trial", "-Location", "eastus", "-SubscriptionId", subscription)
	owner := tokens(p.TokenSource(base))
	vaults, err := armkeyvault.NewVaultsClient(subscription, owner, &arm.ClientOptions{ClientOptions: options})
	must(err)
	poller, err := vaults.BeginCreateOrUpdate(t.Context(), "trial", "trial-roles", armkeyvault.VaultCreateOrUpdateParameters{
		Location: to.Ptr("eastus"),
		Properties: &armkeyvault.VaultProperties{
			TenantID: to.Ptr(p.Data().Tenant), SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)},
			EnableRbacAuthorization: to.Ptr(true),
		},
	}, nil)
	must(err)
	vault, err := poller.PollUntilDone(t.Context(), nil)
	must(err)

	group, app := w.run("group", "create", "key officers")["group"], w.run("app", "create", "nightly")
	assignments, err := armauthorization.NewRoleAssignmentsClient(subscription, owner, &arm.ClientOptions{ClientOptions: options})
	must(err)
	_, err = assignments.Create(t.Context(), *vault.ID, uuid.NewString(), armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: to.Ptr(group), PrincipalType: to.Ptr(armauthorization.PrincipalTypeGroup),
		RoleDefinitionID: to.Ptr("/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + rights.CryptoOfficer),
	}}, nil)
	must(err)

	// signInAndMake signs the app in anew and makes a key with what the token lets it do.
	signInAndMake := func(key string) error {
		credential, err := azidentity.NewClientSecretCredential(p.Data().Tenant, app["app"], app["secret"],
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		must(err)
		client, err := azkeys.NewClient("https://trial-roles."+p.Addresses().VaultSuffix, credential, &azkeys.ClientOptions{ClientOptions: options})
		must(err)
		_, err = client.CreateKey(t.Context(), key, azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}, nil)
		return err
	}
	forbidden := func(when string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "ForbiddenByRbac") {
			t.Errorf("%s: %v", when, err)
		}
	}
	forbidden("before it joined", signInAndMake("one"))
	w.run("group", "add", "key officers", app["app"])
	if err := signInAndMake("two"); err != nil {
		t.Errorf("as a member: %v", err)
	}
	w.run("group", "remove", "key officers", app["app"])
	forbidden("after it left", signInAndMake("three"))
}
