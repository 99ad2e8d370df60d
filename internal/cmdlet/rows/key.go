package cmdlet

var (
	keyName    = Param{Name: "Name", Aliases: []string{"KeyName"}, Type: String, Position: 2, Mandatory: true, ByProperty: true, Help: "Name of the key."}
	keyVersion = Param{Name: "Version", Aliases: []string{"KeyVersion"}, Type: String, Position: 3, ByProperty: true, Help: "Version, 32 hexadecimal digits; the newest unless given."}
	keyVault   = Param{Name: "VaultName", Type: String, Position: 1, Mandatory: true, ByProperty: true, Help: "Name of the vault."}
	keyOps     = Param{Name: "KeyOps", Type: StringList, Values: []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import"}, Help: "What the key may be used for; root keys need wrapKey,unwrapKey."}
	keyExpires = Param{Name: "Expires", Type: Time, Help: "When it expires, in UTC. Customer Key takes no day but 12/31/9999."}
	keyNotYet  = Param{Name: "NotBefore", Type: Time, Help: "When it becomes valid, in UTC."}
	keyTag     = Param{Name: "Tag", Aliases: []string{"Tags"}, Type: Map, Help: "Tags, as @{name='value'}; replaces the old ones."}
)

// keyRows are the cmdlets on keys (rows CK-194 to CK-196, CK-199, CK-200).
func keyRows() []Cmdlet {
	return []Cmdlet{addKeyRow(), getKeyRow(), updateKeyRow(), removeKeyRow(), undoKeyRow()}
}

func addKeyRow() Cmdlet {
	name := keyName
	name.ByProperty = false // a key made from another one has a name of its own
	return Cmdlet{
		Name:        "Add-AzKeyVaultKey",
		Synopsis:    "Make a key, or a new version of one.",
		Description: "If the name exists, the new version becomes the newest and the old ones stay usable: this is how a root key is rolled.",
		Examples:    []string{`Add-AzKeyVaultKey -VaultName contoso-east -Name root1 -Destination Software -KeyOps wrapKey,unwrapKey`},
		Params: append([]Param{
			keyVault, name,
			{Name: "Destination", Type: String, Values: []string{"HSM", "Software"}, Help: "Needed to make a key. HSM needs a vault whose SKU is premium."},
			keyOps,
			{Name: "KeyType", Type: String, Values: []string{"RSA", "EC"}, Help: "RSA unless given; only RSA keys can be root keys."},
			{Name: "Size", Type: Int, Help: "2048, 3072 or 4096 bits for RSA; 2048 unless given."},
			{Name: "CurveName", Type: String, Values: []string{"P-256", "P-384", "P-521", "P-256K"}, Help: "Curve of an EC key."},
			keyExpires, keyNotYet,
			{Name: "Disable", Type: Switch, Help: "Make it disabled."},
			keyTag,
		}, keyFileParams()...),
		Output: KeyType, Impact: Medium, Side: Vault, check: checkAddKey,
	}
}

func getKeyRow() Cmdlet {
	name := keyName
	name.Mandatory = false
	name.Help = "Name of the key; may contain * and ?. All keys unless given."
	return Cmdlet{
		Name:     "Get-AzKeyVaultKey",
		Synopsis: "Show keys and their versions.",
		Examples: []string{
			`Get-AzKeyVaultKey -VaultName contoso-east`,
			`Get-AzKeyVaultKey -VaultName contoso-east -Name root1 -IncludeVersions`,
		},
		Params: []Param{
			keyVault, name, inSets(keyVersion, "ByVersion"),
			{Name: "IncludeVersions", Type: Switch, Mandatory: true, Sets: []string{"ByVersions"}, Help: "All versions of the key, the newest first."},
			{Name: "InRemovedState", Type: Switch, Mandatory: true, Sets: []string{"ByRemoved"}, Help: "Deleted keys that can still be recovered."},
			{Name: "OutFile", Type: String, Sets: []string{"ByVersion"}, Help: "Write the public key to this file, as PEM. A file that is there is kept: the command fails."},
		},
		DefaultSet: "ByVersion", Output: KeyType, Side: Vault, check: checkGetKey,
	}
}

func updateKeyRow() Cmdlet {
	return Cmdlet{
		Name:        "Update-AzKeyVaultKey",
		Aliases:     []string{"Set-AzKeyVaultKey", "Set-AzKeyVaultKeyAttribute"},
		Synopsis:    "Enable or disable a key version, or change its dates, operations or tags.",
		Description: "What is not given stays as it is. Disabling both root keys of a policy closes everything under it until one is enabled again.",
		Examples:    []string{`Update-AzKeyVaultKey -VaultName contoso-east -Name root1 -Enable $false`},
		Params: []Param{
			keyVault, keyName, keyVersion,
			{Name: "Enable", Type: Bool, Help: "Whether the version can be used."},
			keyExpires, keyNotYet, keyOps, keyTag, passThru,
		},
		Output: KeyType, Impact: Medium, Side: Vault, check: checkUpdateKey,
	}
}

func removeKeyRow() Cmdlet {
	return Cmdlet{
		Name:        "Remove-AzKeyVaultKey",
		Synopsis:    "Delete a key with all its versions; it can be recovered until its retention ends.",
		Description: "With -InRemovedState it purges a deleted key for ever, which needs the right to purge and a vault without purge protection.",
		Examples:    []string{`Remove-AzKeyVaultKey -VaultName contoso-east -Name old-root -Force`},
		Params: []Param{
			keyVault, keyName,
			{Name: "Force", Type: Switch, Help: "Do not ask."},
			{Name: "InRemovedState", Type: Switch, Help: "Purge a key that is deleted already."},
			passThru,
		},
		Output: DeletedType, Impact: High, Side: Vault,
	}
}

func undoKeyRow() Cmdlet {
	return Cmdlet{
		Name:     "Undo-AzKeyVaultKeyRemoval",
		Synopsis: "Recover a deleted key with all its versions.",
		Examples: []string{`Undo-AzKeyVaultKeyRemoval -VaultName contoso-east -Name root1`},
		Params:   []Param{keyVault, keyName},
		Output:   KeyType, Impact: Medium, Side: Vault,
	}
}

func inSets(p Param, sets ...string) Param {
	p.Sets = sets
	return p
}

func checkGetKey(args Args) error {
	for _, name := range []string{"Version", "IncludeVersions", "OutFile"} {
		if args.Has(name) && !args.Has("Name") {
			return bindError("-%s needs -Name", name)
		}
	}
	return nil
}

func checkUpdateKey(args Args) error {
	for _, name := range []string{"Enable", "Expires", "NotBefore", "KeyOps", "Tag"} {
		if args.Has(name) {
			return nil
		}
	}
	return bindError("Update-AzKeyVaultKey has nothing to change").WithHint("give -Enable, -Expires, -NotBefore, -KeyOps or -Tag")
}

// keyTable and keyList carry the labels of row CK-204.
func keyTable() []Column {
	return []Column{
		{"Vault/HSM Name", "VaultName"}, {"Name", "Name"}, {"Version", "Version"}, {"Enabled", "Enabled"},
		{"Expires", "Expires"}, {"Not Before", "NotBefore"}, {"Created", "Created"}, {"Updated", "Updated"}, {"Id", "Id"},
	}
}

func keyList() []Column {
	return []Column{
		{"Vault/HSM Name", "VaultName"}, {"Name", "Name"}, {"Key Type", "KeyType"}, {"Key Size", "KeySize"}, {"Version", "Version"},
		{"Id", "Id"}, {"Enabled", "Enabled"}, {"Expires", "Expires"}, {"Not Before", "NotBefore"}, {"Created", "Created"},
		{"Updated", "Updated"}, {"Recovery Level", "RecoveryLevel"}, {"Key Ops", "KeyOps"}, {"Purge Disabled", "PurgeDisabled"}, {"Tags", "Tags"},
	}
}
