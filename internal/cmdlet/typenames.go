package cmdlet

// Type names of objects that more than one package knows: who makes them, who lays them out,
// and who reads them. Those that one package alone knows stand with its rows.
const (
	PolicyType = "DataEncryptionPolicy"
	ReportType = "CKReport" // what -WhatIf reports

	SubscriptionType  = "PSAzureSubscription"
	ResourceGroupType = "PSResourceGroup"
	ContextType       = "PSAzureContext"
	ResourceType      = "PSResource"

	VaultType          = "PSKeyVault"            // a vault in detail
	VaultItemType      = "PSKeyVaultIdentity"    // a vault in a list
	DeletedVaultType   = "PSDeletedKeyVault"     // a deleted vault
	KeyType            = "PSKeyVaultKey"         // a key version in detail
	KeyItemType        = "PSKeyVaultKeyIdentity" // a key or a version in a list
	DeletedType        = "PSDeletedKeyVaultKey"  // a deleted key
	RoleAssignmentType = "PSRoleAssignment"

	FeatureType  = "PSProviderFeature" // mandatory retention, as its owner sees it
	ProviderType = "PSResourceProvider"
	RequestType  = "CKRetentionRequest" // and as an operator does

	CommandType    = "CmdletInfo"            // what Get-Command shows
	ConnectionType = "ConnectionInformation" // what Get-ConnectionInformation shows
)
