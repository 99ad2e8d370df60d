package azure

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// mostNames bounds how many access policies are looked up by name in the directory.
const mostNames = 32

func vaultItem(at location, r *armkeyvault.Resource) cmdlet.Object {
	return cmdlet.Object{Type: cmdlet.VaultItemType, Fields: []cmdlet.Field{
		{Name: "VaultName", Value: at.name},
		{Name: "ResourceGroupName", Value: at.group},
		{Name: "Location", Value: deref(r.Location)},
		{Name: "ResourceId", Value: deref(r.ID)},
		{Name: "Tags", Value: tagObject(r.Tags)},
	}}
}

// vaultObject shows a vault with the properties of row CK-189.
func (e *Environment) vaultObject(ctx context.Context, v *armkeyvault.Vault) cmdlet.Object {
	p := v.Properties
	if p == nil {
		p = &armkeyvault.VaultProperties{}
	}
	sku := ""
	if p.SKU != nil {
		sku = string(deref(p.SKU.Name))
	}
	group := ""
	if id, err := arm.ParseResourceID(deref(v.ID)); err == nil {
		group = id.ResourceGroupName
	}
	return cmdlet.Object{Type: cmdlet.VaultType, Fields: []cmdlet.Field{
		{Name: "VaultName", Value: deref(v.Name)},
		{Name: "ResourceGroupName", Value: group},
		{Name: "Location", Value: deref(v.Location)},
		{Name: "ResourceId", Value: deref(v.ID)},
		{Name: "VaultUri", Value: deref(p.VaultURI)},
		{Name: "TenantId", Value: deref(p.TenantID)},
		{Name: "Sku", Value: capital(sku)},
		{Name: "EnabledForDeployment", Value: deref(p.EnabledForDeployment)},
		{Name: "EnabledForTemplateDeployment", Value: deref(p.EnabledForTemplateDeployment)},
		{Name: "EnabledForDiskEncryption", Value: deref(p.EnabledForDiskEncryption)},
		{Name: "EnableRbacAuthorization", Value: deref(p.EnableRbacAuthorization)},
		{Name: "EnableSoftDelete", Value: deref(p.EnableSoftDelete)},
		{Name: "SoftDeleteRetentionInDays", Value: int64(deref(p.SoftDeleteRetentionInDays))},
		{Name: "EnablePurgeProtection", Value: deref(p.EnablePurgeProtection)},
		{Name: "PublicNetworkAccess", Value: deref(p.PublicNetworkAccess)},
		{Name: "NetworkRuleSet", Value: networkObject(p.NetworkACLs)},
		{Name: "AccessPolicies", Value: e.accessObjects(ctx, p.AccessPolicies)},
		{Name: "Tags", Value: tagObject(v.Tags)},
	}}
}

func (e *Environment) accessObjects(ctx context.Context, entries []*armkeyvault.AccessPolicyEntry) []cmdlet.Object {
	list := make([]cmdlet.Object, 0, len(entries))
	for i, a := range entries {
		name := ""
		if i < mostNames {
			name = e.displayName(ctx, deref(a.ObjectID))
		}
		list = append(list, cmdlet.Object{Fields: []cmdlet.Field{
			{Name: "DisplayName", Value: name},
			{Name: "ObjectId", Value: deref(a.ObjectID)},
			{Name: "ApplicationId", Value: deref(a.ApplicationID)},
			{Name: "TenantId", Value: deref(a.TenantID)},
			{Name: "PermissionsToKeys", Value: keyRights(a)},
		}})
	}
	return list
}

func keyRights(a *armkeyvault.AccessPolicyEntry) []string {
	rights := []string{}
	if a.Permissions != nil {
		for _, k := range a.Permissions.Keys {
			rights = append(rights, string(deref(k)))
		}
	}
	return rights
}

// tagObject shows tags in the order of their names, nil if there are none.
func tagObject(tags map[string]*string) any {
	if len(tags) == 0 {
		return nil
	}
	o := cmdlet.Object{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		o.Fields = append(o.Fields, cmdlet.Field{Name: name, Value: deref(tags[name])})
	}
	return o
}

func capital(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + strings.ToLower(word[1:])
}
