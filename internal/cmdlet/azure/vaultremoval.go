package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// removeVault deletes a vault, or purges a deleted one. Both ask first.
func (e *Environment) removeVault(ctx context.Context, call *cmdlet.Call) error {
	if call.Args.On("InRemovedState") {
		return e.purgeVault(ctx, call)
	}
	at, err := e.locate(ctx, call)
	if err != nil {
		return err
	}
	client, err := e.vaults(at.subscription)
	if err != nil {
		return err
	}
	if proceed, err := e.proceed(ctx, call, "Remove key vault with all its keys", at.name, e.ofVaultRemoval(call, client, at)); err != nil || !proceed {
		return err
	}
	_, err = client.Delete(ctx, at.group, at.name, nil)
	return err
}

func (e *Environment) purgeVault(ctx context.Context, call *cmdlet.Call) error {
	gone, at, err := e.deletedVault(ctx, call)
	if err != nil {
		return err
	}
	client, err := e.vaults(at.subscription)
	if err != nil {
		return err
	}
	if proceed, err := e.proceed(ctx, call, "Purge key vault for ever, with all its keys", at.name, ofVaultPurge(gone)); err != nil || !proceed {
		return err
	}
	poller, err := client.BeginPurgeDeleted(ctx, at.name, deref(gone.Properties.Location), nil)
	if err != nil {
		return err
	}
	_, err = poller.PollUntilDone(ctx, nil)
	return err
}

// undoVaultRemoval recovers a deleted vault (row CK-201).
func (e *Environment) undoVaultRemoval(ctx context.Context, call *cmdlet.Call) error {
	gone, at, err := e.deletedVault(ctx, call)
	if err != nil {
		return err
	}
	client, err := e.vaults(at.subscription)
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess("Recover key vault", at.name); err != nil || !proceed {
		return err
	}
	poller, err := client.BeginCreateOrUpdate(ctx, at.group, at.name, armkeyvault.VaultCreateOrUpdateParameters{
		Location: gone.Properties.Location,
		Properties: &armkeyvault.VaultProperties{
			CreateMode: to.Ptr(armkeyvault.CreateModeRecover), TenantID: &e.c.Tenant,
			SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)}, // asked for, and not looked at
		},
	}, nil)
	if err != nil {
		return err
	}
	back, err := poller.PollUntilDone(ctx, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(e.vaultObject(ctx, &back.Vault))
}

// deletedVault finds the deleted vault that a call names, and where it was.
func (e *Environment) deletedVault(ctx context.Context, call *cmdlet.Call) (found *armkeyvault.DeletedVault, at location, err error) {
	name, group := call.Args.Text("VaultName"), call.Args.Text("ResourceGroupName")
	err = e.eachDeleted(ctx, call, func(v *armkeyvault.DeletedVault, was location) error {
		if strings.EqualFold(was.name, name) && (group == "" || strings.EqualFold(was.group, group)) {
			found, at = v, was
		}
		return nil
	})
	if err == nil && found == nil {
		err = fault.New(fault.NotFound, "there is no deleted vault %q in the subscriptions you can see", name).
			WithHint("see them with: ck Get-AzKeyVault -InRemovedState")
	}
	return found, at, err
}

// eachDeleted calls see for every deleted vault, of those in the location if one is given.
func (e *Environment) eachDeleted(ctx context.Context, call *cmdlet.Call, see func(*armkeyvault.DeletedVault, location) error) error {
	ids, err := e.candidates(ctx, call)
	if err != nil {
		return err
	}
	for _, id := range ids {
		client, err := e.vaults(id)
		if err != nil {
			return err
		}
		for pager := client.NewListDeletedPager(nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, v := range page.Value {
				at, err := whereItWas(v)
				if err != nil {
					return err
				}
				if given := call.Args.Text("Location"); given != "" && plain(given) != plain(deref(v.Properties.Location)) {
					continue
				}
				if err := see(v, at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func whereItWas(v *armkeyvault.DeletedVault) (location, error) {
	bad := func(cause error) error {
		return fault.Wrap(fault.Internal, cause, "the resource manager's answer cannot be read")
	}
	if v.Properties == nil {
		return location{}, bad(nil)
	}
	id, err := arm.ParseResourceID(deref(v.Properties.VaultID))
	if err != nil {
		return location{}, bad(err)
	}
	return location{id.SubscriptionID, id.ResourceGroupName, id.Name}, nil
}

// plain makes "West Europe" and "westeurope" one.
func plain(region string) string { return strings.ToLower(strings.ReplaceAll(region, " ", "")) }

func (e *Environment) listDeletedVaults(ctx context.Context, call *cmdlet.Call) error {
	name, any := call.Args.Text("VaultName"), false
	err := e.eachDeleted(ctx, call, func(v *armkeyvault.DeletedVault, at location) error {
		if name != "" && !strings.EqualFold(name, at.name) {
			return nil
		}
		any = true
		return call.Host.Object(deletedVaultObject(v, at))
	})
	if err == nil && name != "" && !any {
		_, _, err = e.deletedVault(ctx, call)
	}
	return err
}

func deletedVaultObject(v *armkeyvault.DeletedVault, at location) cmdlet.Object {
	p := v.Properties
	return cmdlet.Object{Type: cmdlet.DeletedVaultType, Fields: []cmdlet.Field{
		{Name: "VaultName", Value: at.name},
		{Name: "Location", Value: deref(p.Location)},
		{Name: "DeletionDate", Value: deref(p.DeletionDate)},
		{Name: "ScheduledPurgeDate", Value: deref(p.ScheduledPurgeDate)},
		{Name: "ResourceId", Value: deref(p.VaultID)},
		{Name: "EnablePurgeProtection", Value: deref(p.PurgeProtectionEnabled)},
		{Name: "Tags", Value: tagObject(p.Tags)},
	}}
}
