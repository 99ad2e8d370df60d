package cmdlet

// Type names of the vault family's objects.
const (
	VaultType     = "PSKeyVault"            // a vault in detail
	VaultItemType = "PSKeyVaultIdentity"    // a vault in a list
	KeyType       = "PSKeyVaultKey"         // a key version in detail
	KeyItemType   = "PSKeyVaultKeyIdentity" // a key or a version in a list
	DeletedType   = "PSDeletedKeyVaultKey"  // a deleted key
)

// KeyPermissions are the names that -PermissionsToKeys takes (row CK-202).
var KeyPermissions = []string{
	"all", "get", "list", "update", "create", "import", "delete", "recover", "backup", "restore", "purge",
	"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "rotate", "getrotationpolicy", "setrotationpolicy", "release",
}

var (
	vaultName     = Param{Name: "VaultName", Aliases: []string{"Name"}, Type: String, Position: 1, Mandatory: true, ByProperty: true, Help: "Name of the vault."}
	resourceGroup = Param{Name: "ResourceGroupName", Type: String, Position: 2, ByProperty: true, Help: "Resource group of the vault; found by the vault's name unless given."}
	subscription  = Param{Name: "SubscriptionId", Type: String, Help: "Subscription of the vault; the only one you can see unless given."}
	passThru      = Param{Name: "PassThru", Type: Switch, Help: "Return the changed object."}
)

// principalParams select whose access is meant (row CK-192).
func principalParams() []Param {
	return []Param{
		{Name: "UserPrincipalName", Aliases: []string{"UPN"}, Type: String, Mandatory: true, Sets: []string{"ByUserPrincipalName"}, Help: "Sign-in name of a person."},
		{Name: "EmailAddress", Type: String, Mandatory: true, Sets: []string{"ByEmailAddress"}, Help: "Mail address of a person."},
		{Name: "ServicePrincipalName", Aliases: []string{"SPN"}, Type: String, Mandatory: true, Sets: []string{"ByServicePrincipalName"}, Help: "App id of a program; c066d759-24ae-40e7-a56f-027002b5d3e4 is the service."},
		{Name: "ObjectId", Type: String, Mandatory: true, Sets: []string{"ByObjectId"}, Help: "Object id of a person, program or group."},
	}
}

// vaultRows are the cmdlets on vaults (rows CK-188, CK-189, CK-192, CK-193).
func vaultRows() []Cmdlet {
	return []Cmdlet{newVaultRow(), getVaultRow(), setAccessRow(), removeAccessRow()}
}

func newVaultRow() Cmdlet {
	return Cmdlet{
		Name:        "New-AzKeyVault",
		Synopsis:    "Make a key vault.",
		Description: "You get the rights to manage its keys, not to use or purge them. Soft delete is always on.",
		Examples:    []string{`New-AzKeyVault -Name contoso-east -ResourceGroupName keys -Location eastus -EnablePurgeProtection`},
		Params: []Param{
			{Name: "Name", Aliases: []string{"VaultName"}, Type: String, Position: 1, Mandatory: true, Help: "Name of the vault, unique in the whole deployment."},
			{Name: "ResourceGroupName", Type: String, Position: 2, Mandatory: true, Help: "Resource group to put it in."},
			{Name: "Location", Type: String, Position: 3, Mandatory: true, Help: "Region, such as eastus."},
			{Name: "Sku", Type: String, Values: []string{"Standard", "Premium"}, Help: "Premium for keys in hardware; Standard unless given."},
			{Name: "EnablePurgeProtection", Type: Switch, Help: "Forbid purging for ever; it cannot be taken back."},
			{Name: "SoftDeleteRetentionInDays", Type: Int, Help: "7 to 90; 90 unless given, which Customer Key needs."},
			{Name: "PublicNetworkAccess", Type: String, Values: []string{"Enabled", "Disabled"}, Help: "Whether it answers over public networks; Enabled unless given."},
			{Name: "NetworkRuleSet", Type: PSObject, Help: "Who reaches it, as @{DefaultAction='Deny'; Bypass='AzureServices'; IpAddressRanges='192.0.2.0/24'}; everybody unless given."},
			{Name: "DisableRbacAuthorization", Type: Switch, Help: "Use access policies, not roles; new vaults do in any case."},
			subscription,
			{Name: "Tag", Aliases: []string{"Tags"}, Type: Map, Help: "Tags, as @{name='value'}."},
		},
		Output: VaultType, Impact: Medium, Side: Vault,
	}
}

func getVaultRow() Cmdlet {
	name := vaultName
	name.Mandatory = false
	return Cmdlet{
		Name:     "Get-AzKeyVault",
		Synopsis: "Show key vaults.",
		Examples: []string{`Get-AzKeyVault`, `Get-AzKeyVault -VaultName contoso-east`, `Get-AzKeyVault -InRemovedState`},
		Params: []Param{
			name, resourceGroup, vaultLocation,
			{Name: "InRemovedState", Type: Switch, Help: "Show deleted vaults, which can be taken back."},
			{Name: "Tag", Aliases: []string{"Tags"}, Type: Map, Help: "In the list only vaults with these tags, as @{name='value'}."},
			subscription,
		},
		Output: VaultType, Side: Vault,
	}
}

func setAccessRow() Cmdlet {
	params := append([]Param{vaultName, resourceGroup}, principalParams()...)
	return Cmdlet{
		Name:        "Set-AzKeyVaultAccessPolicy",
		Synopsis:    "Say what someone may do with the keys of a vault.",
		Description: "The list given replaces the principal's rights on keys; an empty list, @(), takes them all. Others' rights stay.",
		Examples:    []string{`Set-AzKeyVaultAccessPolicy -VaultName contoso-east -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4 -PermissionsToKeys wrapKey,unwrapKey,get`},
		Params: append(params,
			Param{Name: "PermissionsToKeys", Type: StringList, Mandatory: true, AllowNull: true, Values: KeyPermissions, Help: "The operations on keys; all is all but purge."},
			Param{Name: "BypassObjectIdValidation", Type: Switch, Sets: []string{"ByObjectId"}, Help: "Do not look the object id up in the directory."},
			subscription, passThru),
		DefaultSet: "ByUserPrincipalName", Output: VaultType, Impact: Medium, Side: Vault,
	}
}

func removeAccessRow() Cmdlet {
	params := append([]Param{vaultName, resourceGroup}, principalParams()...)
	return Cmdlet{
		Name:       "Remove-AzKeyVaultAccessPolicy",
		Synopsis:   "Take all rights on a vault's keys from someone.",
		Examples:   []string{`Remove-AzKeyVaultAccessPolicy -VaultName contoso-east -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4`},
		Params:     append(params, subscription, passThru),
		DefaultSet: "ByUserPrincipalName", Output: VaultType, Impact: Medium, Side: Vault,
	}
}

func vaultViews() []View {
	vault := []Column{
		{"Vault Name", "VaultName"}, {"Resource Group Name", "ResourceGroupName"}, {"Location", "Location"}, {"Resource ID", "ResourceId"},
	}
	return []View{
		{Type: VaultItemType, Summary: true, Table: vault, List: vault},
		{Type: VaultType, Table: vault, List: append(vault[:4:4],
			Column{"Vault URI", "VaultUri"}, Column{"Tenant ID", "TenantId"}, Column{"SKU", "Sku"},
			Column{"Enabled For Deployment?", "EnabledForDeployment"},
			Column{"Enabled For Template Deployment?", "EnabledForTemplateDeployment"},
			Column{"Enabled For Disk Encryption?", "EnabledForDiskEncryption"},
			Column{"Enabled For RBAC Authorization?", "EnableRbacAuthorization"},
			Column{"Soft Delete Enabled?", "EnableSoftDelete"},
			Column{"Soft Delete Retention Period (days)", "SoftDeleteRetentionInDays"},
			Column{"Purge Protection Enabled?", "EnablePurgeProtection"},
			Column{"Public Network Access", "PublicNetworkAccess"},
			Column{"Access Policies", "AccessPolicies"}, Column{"Network Rule Set", "NetworkRuleSet"}, Column{"Tags", "Tags"})},
		{Type: KeyType, Table: keyTable(), List: keyList()},
		{Type: KeyItemType, Summary: true, Table: keyTable(), List: keyList()},
		{Type: DeletedType, Summary: true,
			Table: []Column{{"Name", "Name"}, {"Deleted Date", "DeletedDate"}, {"Scheduled Purge Date", "ScheduledPurgeDate"}, {"Id", "Id"}},
			List:  append(keyList(), Column{"Deleted Date", "DeletedDate"}, Column{"Scheduled Purge Date", "ScheduledPurgeDate"})},
	}
}
