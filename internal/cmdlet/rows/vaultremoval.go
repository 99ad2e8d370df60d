package cmdlet

// DeletedVaultType is a vault in the deleted state.
const DeletedVaultType = "PSDeletedKeyVault"

// vaultRemovalRows delete vaults, take them back and destroy them (row CK-201).
func vaultRemovalRows() []Cmdlet { return []Cmdlet{removeVaultRow(), undoVaultRow()} }

var vaultLocation = Param{Name: "Location", Type: String, Position: 3, Help: "Region of a deleted vault; found by its name unless given."}

func removeVaultRow() Cmdlet {
	return Cmdlet{
		Name:        "Remove-AzKeyVault",
		Synopsis:    "Delete a vault with all its keys, or purge a deleted one.",
		Description: "A deleted vault answers nobody. It can be taken back until its retention has passed; -InRemovedState destroys it before that, where its recovery level allows it.",
		Examples:    []string{`Remove-AzKeyVault -VaultName contoso-east`, `Remove-AzKeyVault -VaultName contoso-east -Location eastus -InRemovedState`},
		Params: []Param{
			vaultName, resourceGroup, vaultLocation,
			{Name: "InRemovedState", Type: Switch, Help: "Purge a deleted vault for ever."},
			{Name: "Force", Type: Switch, Help: "Do not ask."},
			subscription,
		},
		Impact: High, Side: Vault,
	}
}

func undoVaultRow() Cmdlet {
	return Cmdlet{
		Name:        "Undo-AzKeyVaultRemoval",
		Synopsis:    "Take a deleted vault back.",
		Description: "It comes back as it was, with all its keys. Its resource group must be there.",
		Examples:    []string{`Undo-AzKeyVaultRemoval -VaultName contoso-east`},
		Params:      []Param{vaultName, resourceGroup, vaultLocation, subscription},
		Output:      VaultType, Impact: Medium, Side: Vault,
	}
}

func vaultRemovalViews() []View {
	columns := []Column{
		{"Vault Name", "VaultName"}, {"Location", "Location"}, {"Deletion Date", "DeletionDate"},
		{"Scheduled Purge Date", "ScheduledPurgeDate"}, {"Resource ID", "ResourceId"},
	}
	return []View{{Type: DeletedVaultType, Summary: true, Table: columns, List: append(columns[:5:5], Column{"Purge Protection Enabled?", "EnablePurgeProtection"}, Column{"Tags", "Tags"})}}
}
