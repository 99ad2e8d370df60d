package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// keyFileRows are the cmdlets that write keys to files and read them back (rows CK-197, CK-198).
func keyFileRows() []cmdlet.Cmdlet {
	return []cmdlet.Cmdlet{
		{
			Name:        "Backup-AzKeyVaultKey",
			Synopsis:    "Write all versions of a key to a file.",
			Description: "Only a vault of the same subscription and geography can read the file. It returns the file's full name. Keep it where the vault is not.",
			Examples:    []string{`Backup-AzKeyVaultKey -VaultName contoso-east -Name root1 -OutputFile root1-20270131.backup`},
			Params: []cmdlet.Param{
				keyVault, keyName,
				{Name: "OutputFile", Type: cmdlet.String, Position: 3, Help: "The file to write; named after vault, key and time in the current folder unless given. A file that is there is kept, unless -Force is given."},
				{Name: "Force", Type: cmdlet.Switch, Help: "Write over a file that is there."},
			},
			Output: cmdlet.TextType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
		},
		{
			Name:        "Restore-AzKeyVaultKey",
			Synopsis:    "Bring a key back from a backup file.",
			Description: "The key gets back its name, all versions and their attributes. It fails if the vault has a key of that name, a deleted one included.",
			Examples:    []string{`Restore-AzKeyVaultKey -VaultName contoso-east -InputFile root1-20270131.backup`},
			Params: []cmdlet.Param{
				keyVault,
				{Name: "InputFile", Type: cmdlet.String, Position: 2, Mandatory: true, Help: "The backup file."},
			},
			Output: cmdlet.KeyType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
		},
	}
}

// keyFileParams are for a key whose private half comes from a file (row CK-194).
func keyFileParams() []cmdlet.Param {
	return []cmdlet.Param{
		{Name: "KeyFilePath", Type: cmdlet.String, Help: "File with a key to import: PKCS #12 (.pfx) or PEM. The key is then not made but brought in."},
		{Name: "KeyFilePassword", Type: cmdlet.String, Secret: true, Help: "Password of the file."},
	}
}

// checkAddKey: a key is made somewhere, or it comes from a file.
func checkAddKey(a cmdlet.Args) error {
	switch {
	case !a.Has("KeyFilePath") && !a.Has("Destination"):
		return cmdlet.BindError("Add-AzKeyVaultKey needs -Destination").WithHint("give Software or HSM; or import a key with -KeyFilePath")
	case !a.Has("KeyFilePath") && a.Has("KeyFilePassword"):
		return cmdlet.BindError("-KeyFilePassword needs -KeyFilePath")
	case a.Has("KeyFilePath") && (a.Has("Size") || a.Has("CurveName") || a.Has("KeyType")):
		return cmdlet.BindError("a key from a file has its own type and size").WithHint("leave -KeyType, -Size and -CurveName out")
	}
	return nil
}
