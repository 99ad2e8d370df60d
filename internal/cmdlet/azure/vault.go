package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// creatorRights are what Azure's own cmdlet gives to whoever makes a vault: to manage keys,
// not to use or purge them.
var creatorRights = []string{"get", "create", "delete", "list", "update", "import", "backup", "restore", "recover"}

func (e *Environment) newVault(ctx context.Context, call *cmdlet.Call) error {
	name, group := call.Args.Text("Name"), call.Args.Text("ResourceGroupName")
	if !vaultName.MatchString(name) {
		return fault.New(fault.Invalid, "%q cannot be the name of a vault", name).WithHint("use 3 to 24 letters, digits and dashes")
	}
	subscription, err := e.onlySubscription(ctx, call)
	if err != nil {
		return err
	}
	client, err := e.vaults(subscription)
	if err != nil {
		return err
	}
	if err := vacant(ctx, client, group, name); err != nil {
		return err
	}
	parameters, err := e.newVaultParameters(call)
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess("Create key vault", name); err != nil || !proceed {
		return err
	}
	e.letCreatorIn(ctx, call, parameters.Properties)
	poller, err := client.BeginCreateOrUpdate(ctx, group, name, parameters, nil)
	if err != nil {
		return err
	}
	made, err := poller.PollUntilDone(ctx, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(e.vaultObject(ctx, &made.Vault))
}

// vacant refuses a name that is taken in the group: a create would change that vault.
func vacant(ctx context.Context, client *armkeyvault.VaultsClient, group, name string) error {
	_, err := client.Get(ctx, group, name, nil)
	switch {
	case err == nil:
		return fault.New(fault.Conflict, "the vault %q exists already", name).WithHint("see it with: ck Get-AzKeyVault -VaultName %s", name)
	case statusOf(err) == 404:
		return nil
	}
	return err
}

func (e *Environment) newVaultParameters(call *cmdlet.Call) (made armkeyvault.VaultCreateOrUpdateParameters, err error) {
	sku := armkeyvault.SKUNameStandard
	if call.Args.Text("Sku") == "Premium" {
		sku = armkeyvault.SKUNamePremium
	}
	p := &armkeyvault.VaultProperties{
		TenantID: &e.c.Tenant,
		SKU:      &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: &sku},
		// Access policies, which the articles' commands need; newer defaults differ (row X-20).
		EnableRbacAuthorization: to.Ptr(false),
		EnableSoftDelete:        to.Ptr(true),
		AccessPolicies:          []*armkeyvault.AccessPolicyEntry{},
	}
	if call.Args.On("EnablePurgeProtection") {
		p.EnablePurgeProtection = to.Ptr(true)
	}
	if call.Args.Has("SoftDeleteRetentionInDays") {
		p.SoftDeleteRetentionInDays = to.Ptr(int32(call.Args.Int("SoftDeleteRetentionInDays")))
	}
	p.PublicNetworkAccess = call.Args.TextPtr("PublicNetworkAccess")
	if call.Args.Has("NetworkRuleSet") {
		if p.NetworkACLs, err = networkRules(call.Args.Object("NetworkRuleSet")); err != nil {
			return made, err
		}
	}
	return armkeyvault.VaultCreateOrUpdateParameters{Location: to.Ptr(call.Args.Text("Location")), Properties: p, Tags: tags(call)}, nil
}

// letCreatorIn gives whoever makes a vault the rights to manage its keys.
func (e *Environment) letCreatorIn(ctx context.Context, call *cmdlet.Call, p *armkeyvault.VaultProperties) {
	if me, err := e.me(ctx); err == nil {
		p.AccessPolicies = append(p.AccessPolicies, e.entry(me, creatorRights))
	} else {
		call.Warn("the directory does not say who you are, so the vault has no access policy: %s", fault.As(translate(ctx, err, "")).Message)
	}
}

func (e *Environment) getVault(ctx context.Context, call *cmdlet.Call) error {
	if call.Args.On("InRemovedState") {
		return e.listDeletedVaults(ctx, call)
	}
	if !call.Args.Has("VaultName") {
		return e.listVaults(ctx, call)
	}
	vault, _, err := e.vault(ctx, call)
	if err != nil {
		return err
	}
	return call.Host.Object(e.vaultObject(ctx, vault))
}

// vault returns the vault that a call names, and where it lies.
func (e *Environment) vault(ctx context.Context, call *cmdlet.Call) (*armkeyvault.Vault, location, error) {
	at, err := e.locate(ctx, call)
	if err != nil {
		return nil, at, err
	}
	client, err := e.vaults(at.subscription)
	if err != nil {
		return nil, at, err
	}
	res, err := client.Get(ctx, at.group, at.name, nil)
	if err != nil {
		return nil, at, err
	}
	return &res.Vault, at, nil
}

func (e *Environment) listVaults(ctx context.Context, call *cmdlet.Call) error {
	ids, err := e.candidates(ctx, call)
	if err != nil {
		return err
	}
	group := call.Args.Text("ResourceGroupName")
	for _, id := range ids {
		err := e.each(ctx, id, func(at location, r *armkeyvault.Resource) (bool, error) {
			if group != "" && !strings.EqualFold(group, at.group) || !tagged(call, r.Tags) {
				return true, nil
			}
			return true, call.Host.Object(vaultItem(at, r))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func tags(call *cmdlet.Call) map[string]*string {
	if !call.Args.Has("Tag") {
		return nil
	}
	t := map[string]*string{}
	for name, value := range call.Args.Map("Tag") {
		t[name] = &value
	}
	return t
}

// tagged reports whether a resource has all the tags that a call asks for.
func tagged(call *cmdlet.Call, has map[string]*string) bool {
	for name, value := range call.Args.Map("Tag") {
		if v, ok := has[name]; !ok || deref(v) != value {
			return false
		}
	}
	return true
}
