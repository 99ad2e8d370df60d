package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

var (
	keyName    = cmdlet.Param{Name: "Name", Aliases: []string{"KeyName"}, Type: cmdlet.String, Position: 2, Mandatory: true, ByProperty: true, Help: "Name of the key."}
	keyVersion = cmdlet.Param{Name: "Version", Aliases: []string{"KeyVersion"}, Type: cmdlet.String, Position: 3, ByProperty: true, Help: "Version, 32 hexadecimal digits; the newest unless given."}
	keyVault   = cmdlet.Param{Name: "VaultName", Type: cmdlet.String, Position: 1, Mandatory: true, ByProperty: true, Help: "Name of the vault."}
	keyOps     = cmdlet.Param{Name: "KeyOps", Type: cmdlet.StringList, Values: []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import"}, Help: "What the key may be used for; root keys need wrapKey,unwrapKey."}
	keyExpires = cmdlet.Param{Name: "Expires", Type: cmdlet.Time, Help: "When it expires, in UTC. Customer Key takes no day but 12/31/9999."}
	keyNotYet  = cmdlet.Param{Name: "NotBefore", Type: cmdlet.Time, Help: "When it becomes valid, in UTC."}
	keyTag     = cmdlet.Param{Name: "Tag", Aliases: []string{"Tags"}, Type: cmdlet.Map, Help: "Tags, as @{name='value'}; replaces the old ones."}
)

// keyRows are the cmdlets on keys (rows CK-194 to CK-196, CK-199, CK-200).
func keyRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{addKeyRow(), getKeyRow(), updateKeyRow(), removeKeyRow(), undoKeyRow()}
}

func addKeyRow() cmdlet.Cmdlet {
	name := keyName
	name.ByProperty = false // a key made from another one has a name of its own
	return cmdlet.Cmdlet{
		Name:        "Add-AzKeyVaultKey",
		Synopsis:    "Make a key, or a new version of one.",
		Description: "If the name exists, the new version becomes the newest and the old ones stay usable: this is how a root key is rolled.",
		Examples:    []string{`Add-AzKeyVaultKey -VaultName contoso-east -Name root1 -Destination Software -KeyOps wrapKey,unwrapKey`},
		Params: append([]cmdlet.Param{
			keyVault, name,
			{Name: "Destination", Type: cmdlet.String, Values: []string{"HSM", "Software"}, Help: "Needed to make a key. HSM needs a vault whose SKU is premium."},
			keyOps,
			{Name: "KeyType", Type: cmdlet.String, Values: []string{"RSA", "EC"}, Help: "RSA unless given; only RSA keys can be root keys."},
			{Name: "Size", Type: cmdlet.Int, Help: "2048, 3072 or 4096 bits for RSA; 2048 unless given."},
			{Name: "CurveName", Type: cmdlet.String, Values: []string{"P-256", "P-384", "P-521", "P-256K"}, Help: "Curve of an EC key."},
			keyExpires, keyNotYet,
			{Name: "Disable", Type: cmdlet.Switch, Help: "Make it disabled."},
			keyTag,
		}, keyFileParams()...),
		Output: cmdlet.KeyType, Impact: cmdlet.Medium, Side: cmdlet.Vault, Check: checkAddKey,
	}
}

func getKeyRow() cmdlet.Cmdlet {
	name := keyName
	name.Mandatory = false
	name.Help = "Name of the key; may contain * and ?. All keys unless given."
	return cmdlet.Cmdlet{
		Name:     "Get-AzKeyVaultKey",
		Synopsis: "Show keys and their versions.",
		Examples: []string{
			`Get-AzKeyVaultKey -VaultName contoso-east`,
			`Get-AzKeyVaultKey -VaultName contoso-east -Name root1 -IncludeVersions`,
		},
		Params: []cmdlet.Param{
			keyVault, name, inSets(keyVersion, "ByVersion"),
			{Name: "IncludeVersions", Type: cmdlet.Switch, Mandatory: true, Sets: []string{"ByVersions"}, Help: "All versions of the key, the newest first."},
			{Name: "InRemovedState", Type: cmdlet.Switch, Mandatory: true, Sets: []string{"ByRemoved"}, Help: "Deleted keys that can still be recovered."},
			{Name: "OutFile", Type: cmdlet.String, Sets: []string{"ByVersion"}, Help: "Write the public key to this file, as PEM. A file that is there is kept: the command fails."},
		},
		DefaultSet: "ByVersion", Output: cmdlet.KeyType, Side: cmdlet.Vault, Check: checkGetKey,
	}
}

func updateKeyRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Update-AzKeyVaultKey",
		Aliases:     []string{"Set-AzKeyVaultKey", "Set-AzKeyVaultKeyAttribute"},
		Synopsis:    "Enable or disable a key version, or change its dates, operations or tags.",
		Description: "What is not given stays as it is. Disabling both root keys of a policy closes everything under it until one is enabled again.",
		Examples:    []string{`Update-AzKeyVaultKey -VaultName contoso-east -Name root1 -Enable $false`},
		Params: []cmdlet.Param{
			keyVault, keyName, keyVersion,
			{Name: "Enable", Type: cmdlet.Bool, Help: "Whether the version can be used."},
			keyExpires, keyNotYet, keyOps, keyTag, passThru,
		},
		Output: cmdlet.KeyType, Impact: cmdlet.Medium, Side: cmdlet.Vault, Check: checkUpdateKey,
	}
}

func removeKeyRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Remove-AzKeyVaultKey",
		Synopsis:    "Delete a key with all its versions; it can be recovered until its retention ends.",
		Description: "With -InRemovedState it purges a deleted key for ever, which needs the right to purge and a vault without purge protection.",
		Examples:    []string{`Remove-AzKeyVaultKey -VaultName contoso-east -Name old-root -Force`},
		Params: []cmdlet.Param{
			keyVault, keyName,
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
			{Name: "InRemovedState", Type: cmdlet.Switch, Help: "Purge a key that is deleted already."},
			passThru,
		},
		Output: cmdlet.DeletedType, Impact: cmdlet.High, Side: cmdlet.Vault,
	}
}

func undoKeyRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:     "Undo-AzKeyVaultKeyRemoval",
		Synopsis: "Recover a deleted key with all its versions.",
		Examples: []string{`Undo-AzKeyVaultKeyRemoval -VaultName contoso-east -Name root1`},
		Params:   []cmdlet.Param{keyVault, keyName},
		Output:   cmdlet.KeyType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func inSets(p cmdlet.Param, sets ...string) cmdlet.Param {
	p.Sets = sets
	return p
}

func checkGetKey(args cmdlet.Args) error {
	for _, name := range []string{"Version", "IncludeVersions", "OutFile"} {
		if args.Has(name) && !args.Has("Name") {
			return cmdlet.BindError("-%s needs -Name", name)
		}
	}
	return nil
}

func checkUpdateKey(args cmdlet.Args) error {
	for _, name := range []string{"Enable", "Expires", "NotBefore", "KeyOps", "Tag"} {
		if args.Has(name) {
			return nil
		}
	}
	return cmdlet.BindError("Update-AzKeyVaultKey has nothing to change").WithHint("give -Enable, -Expires, -NotBefore, -KeyOps or -Tag")
}

// keyTable and keyList carry the labels of row CK-204.
func keyTable() []cmdlet.Column {
	return []cmdlet.Column{
		{Label: "Vault/HSM Name", Property: "VaultName"}, {Label: "Name", Property: "Name"}, {Label: "Version", Property: "Version"}, {Label: "Enabled", Property: "Enabled"},
		{Label: "Expires", Property: "Expires"}, {Label: "Not Before", Property: "NotBefore"}, {Label: "Created", Property: "Created"}, {Label: "Updated", Property: "Updated"}, {Label: "Id", Property: "Id"},
	}
}

func keyList() []cmdlet.Column {
	return []cmdlet.Column{
		{Label: "Vault/HSM Name", Property: "VaultName"}, {Label: "Name", Property: "Name"}, {Label: "Key Type", Property: "KeyType"}, {Label: "Key Size", Property: "KeySize"}, {Label: "Version", Property: "Version"},
		{Label: "Id", Property: "Id"}, {Label: "Enabled", Property: "Enabled"}, {Label: "Expires", Property: "Expires"}, {Label: "Not Before", Property: "NotBefore"}, {Label: "Created", Property: "Created"},
		{Label: "Updated", Property: "Updated"}, {Label: "Recovery Level", Property: "RecoveryLevel"}, {Label: "Key Ops", Property: "KeyOps"}, {Label: "Purge Disabled", Property: "PurgeDisabled"}, {Label: "Tags", Property: "Tags"},
	}
}
