package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// KeyPermissions are the names that -PermissionsToKeys takes (row CK-202).
var KeyPermissions = []string{
	"all", "get", "list", "update", "create", "import", "delete", "recover", "backup", "restore", "purge",
	"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "rotate", "getrotationpolicy", "setrotationpolicy", "release",
}

var (
	vaultName     = cmdlet.Param{Name: "VaultName", Aliases: []string{"Name"}, Type: cmdlet.String, Position: 1, Mandatory: true, ByProperty: true, Help: "Name of the vault."}
	resourceGroup = cmdlet.Param{Name: "ResourceGroupName", Type: cmdlet.String, Position: 2, ByProperty: true, Help: "Resource group of the vault; found by the vault's name unless given."}
	subscription  = cmdlet.Param{Name: "SubscriptionId", Type: cmdlet.String, Help: "Subscription of the vault; the only one you can see unless given."}
	passThru      = cmdlet.Param{Name: "PassThru", Type: cmdlet.Switch, Help: "Return the changed object."}
)

// principalParams select whose access is meant (row CK-192).
func principalParams() []cmdlet.Param {
	return []cmdlet.Param{
		{Name: "UserPrincipalName", Aliases: []string{"UPN"}, Type: cmdlet.String, Mandatory: true, Sets: []string{"ByUserPrincipalName"}, Help: "Sign-in name of a person."},
		{Name: "EmailAddress", Type: cmdlet.String, Mandatory: true, Sets: []string{"ByEmailAddress"}, Help: "Mail address of a person."},
		{Name: "ServicePrincipalName", Aliases: []string{"SPN"}, Type: cmdlet.String, Mandatory: true, Sets: []string{"ByServicePrincipalName"}, Help: "App id of a program; c066d759-24ae-40e7-a56f-027002b5d3e4 is the service."},
		{Name: "ObjectId", Type: cmdlet.String, Mandatory: true, Sets: []string{"ByObjectId"}, Help: "Object id of a person, program or group."},
	}
}

// vaultRows are the cmdlets on vaults (rows CK-188, CK-189, CK-192, CK-193).
func vaultRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{newVaultRow(), getVaultRow(), setAccessRow(), removeAccessRow()}
}

func newVaultRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "New-AzKeyVault",
		Synopsis:    "Make a key vault.",
		Description: "You get the rights to manage its keys, not to use or purge them. Soft delete is always on.",
		Examples:    []string{`New-AzKeyVault -Name contoso-east -ResourceGroupName keys -Location eastus -EnablePurgeProtection`},
		Params: []cmdlet.Param{
			{Name: "Name", Aliases: []string{"VaultName"}, Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Name of the vault, unique in the whole deployment."},
			{Name: "ResourceGroupName", Type: cmdlet.String, Position: 2, Mandatory: true, Help: "Resource group to put it in."},
			{Name: "Location", Type: cmdlet.String, Position: 3, Mandatory: true, Help: "Region, such as eastus."},
			{Name: "Sku", Type: cmdlet.String, Values: []string{"Standard", "Premium"}, Help: "Premium for keys in hardware; Standard unless given."},
			{Name: "EnablePurgeProtection", Type: cmdlet.Switch, Help: "Forbid purging for ever; it cannot be taken back."},
			{Name: "SoftDeleteRetentionInDays", Type: cmdlet.Int, Help: "7 to 90; 90 unless given, which Customer Key needs."},
			{Name: "PublicNetworkAccess", Type: cmdlet.String, Values: []string{"Enabled", "Disabled"}, Help: "Whether it answers over public networks; Enabled unless given."},
			{Name: "NetworkRuleSet", Type: cmdlet.PSObject, Help: "Who reaches it, as @{DefaultAction='Deny'; Bypass='AzureServices'; IpAddressRanges='192.0.2.0/24'}; everybody unless given."},
			{Name: "DisableRbacAuthorization", Type: cmdlet.Switch, Help: "Use access policies, not roles; new vaults do in any case."},
			subscription,
			{Name: "Tag", Aliases: []string{"Tags"}, Type: cmdlet.Map, Help: "Tags, as @{name='value'}."},
		},
		Output: cmdlet.VaultType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func getVaultRow() cmdlet.Cmdlet {
	name := vaultName
	name.Mandatory = false
	return cmdlet.Cmdlet{
		Name:     "Get-AzKeyVault",
		Synopsis: "Show key vaults.",
		Examples: []string{`Get-AzKeyVault`, `Get-AzKeyVault -VaultName contoso-east`, `Get-AzKeyVault -InRemovedState`},
		Params: []cmdlet.Param{
			name, resourceGroup, vaultLocation,
			{Name: "InRemovedState", Type: cmdlet.Switch, Help: "Show deleted vaults, which can be taken back."},
			{Name: "Tag", Aliases: []string{"Tags"}, Type: cmdlet.Map, Help: "In the list only vaults with these tags, as @{name='value'}."},
			subscription,
		},
		Output: cmdlet.VaultType, Side: cmdlet.Vault,
	}
}

func setAccessRow() cmdlet.Cmdlet {
	params := append([]cmdlet.Param{vaultName, resourceGroup}, principalParams()...)
	return cmdlet.Cmdlet{
		Name:        "Set-AzKeyVaultAccessPolicy",
		Synopsis:    "Say what someone may do with the keys of a vault.",
		Description: "The list given replaces the principal's rights on keys; an empty list, @(), takes them all. Others' rights stay.",
		Examples:    []string{`Set-AzKeyVaultAccessPolicy -VaultName contoso-east -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4 -PermissionsToKeys wrapKey,unwrapKey,get`},
		Params: append(params,
			cmdlet.Param{Name: "PermissionsToKeys", Type: cmdlet.StringList, Mandatory: true, AllowNull: true, Values: KeyPermissions, Help: "The operations on keys; all is all but purge."},
			cmdlet.Param{Name: "BypassObjectIdValidation", Type: cmdlet.Switch, Sets: []string{"ByObjectId"}, Help: "Do not look the object id up in the directory."},
			subscription, passThru),
		DefaultSet: "ByUserPrincipalName", Output: cmdlet.VaultType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func removeAccessRow() cmdlet.Cmdlet {
	params := append([]cmdlet.Param{vaultName, resourceGroup}, principalParams()...)
	return cmdlet.Cmdlet{
		Name:       "Remove-AzKeyVaultAccessPolicy",
		Synopsis:   "Take all rights on a vault's keys from someone.",
		Examples:   []string{`Remove-AzKeyVaultAccessPolicy -VaultName contoso-east -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4`},
		Params:     append(params, subscription, passThru),
		DefaultSet: "ByUserPrincipalName", Output: cmdlet.VaultType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func vaultViews() []cmdlet.View {
	vault := []cmdlet.Column{
		{Label: "Vault Name", Property: "VaultName"}, {Label: "Resource Group Name", Property: "ResourceGroupName"}, {Label: "Location", Property: "Location"}, {Label: "Resource ID", Property: "ResourceId"},
	}
	return []cmdlet.View{
		{Type: cmdlet.VaultItemType, Summary: true, Table: vault, List: vault},
		{Type: cmdlet.VaultType, Table: vault, List: append(vault[:4:4],
			cmdlet.Column{Label: "Vault URI", Property: "VaultUri"}, cmdlet.Column{Label: "Tenant ID", Property: "TenantId"}, cmdlet.Column{Label: "SKU", Property: "Sku"},
			cmdlet.Column{Label: "Enabled For Deployment?", Property: "EnabledForDeployment"},
			cmdlet.Column{Label: "Enabled For Template Deployment?", Property: "EnabledForTemplateDeployment"},
			cmdlet.Column{Label: "Enabled For Disk Encryption?", Property: "EnabledForDiskEncryption"},
			cmdlet.Column{Label: "Enabled For RBAC Authorization?", Property: "EnableRbacAuthorization"},
			cmdlet.Column{Label: "Soft Delete Enabled?", Property: "EnableSoftDelete"},
			cmdlet.Column{Label: "Soft Delete Retention Period (days)", Property: "SoftDeleteRetentionInDays"},
			cmdlet.Column{Label: "Purge Protection Enabled?", Property: "EnablePurgeProtection"},
			cmdlet.Column{Label: "Public Network Access", Property: "PublicNetworkAccess"},
			cmdlet.Column{Label: "Access Policies", Property: "AccessPolicies"}, cmdlet.Column{Label: "Network Rule Set", Property: "NetworkRuleSet"}, cmdlet.Column{Label: "Tags", Property: "Tags"})},
		{Type: cmdlet.KeyType, Table: keyTable(), List: keyList()},
		{Type: cmdlet.KeyItemType, Summary: true, Table: keyTable(), List: keyList()},
		{Type: cmdlet.DeletedType, Summary: true,
			Table: []cmdlet.Column{{Label: "Name", Property: "Name"}, {Label: "Deleted Date", Property: "DeletedDate"}, {Label: "Scheduled Purge Date", Property: "ScheduledPurgeDate"}, {Label: "Id", Property: "Id"}},
			List:  append(keyList(), cmdlet.Column{Label: "Deleted Date", Property: "DeletedDate"}, cmdlet.Column{Label: "Scheduled Purge Date", Property: "ScheduledPurgeDate"})},
	}
}
