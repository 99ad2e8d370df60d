package rows

import "github.com/customerkey/customerkey/internal/cmdlet"

// vaultRemovalRows delete vaults, take them back and destroy them (row CK-201).
func vaultRemovalRows() []cmdlet.Cmdlet { return []cmdlet.Cmdlet{removeVaultRow(), undoVaultRow()} }

var vaultLocation = cmdlet.Param{Name: "Location", Type: cmdlet.String, Position: 3, Help: "Region of a deleted vault; found by its name unless given."}

func removeVaultRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Remove-AzKeyVault",
		Synopsis:    "Delete a vault with all its keys, or purge a deleted one.",
		Description: "A deleted vault answers nobody. It can be taken back until its retention has passed; -InRemovedState destroys it before that, where its recovery level allows it.",
		Examples:    []string{`Remove-AzKeyVault -VaultName contoso-east`, `Remove-AzKeyVault -VaultName contoso-east -Location eastus -InRemovedState`},
		Params: []cmdlet.Param{
			vaultName, resourceGroup, vaultLocation,
			{Name: "InRemovedState", Type: cmdlet.Switch, Help: "Purge a deleted vault for ever."},
			{Name: "Force", Type: cmdlet.Switch, Help: "Do not ask."},
			subscription,
		},
		Impact: cmdlet.High, Side: cmdlet.Vault,
	}
}

func undoVaultRow() cmdlet.Cmdlet {
	return cmdlet.Cmdlet{
		Name:        "Undo-AzKeyVaultRemoval",
		Synopsis:    "Take a deleted vault back.",
		Description: "It comes back as it was, with all its keys. Its resource group must be there.",
		Examples:    []string{`Undo-AzKeyVaultRemoval -VaultName contoso-east`},
		Params:      []cmdlet.Param{vaultName, resourceGroup, vaultLocation, subscription},
		Output:      cmdlet.VaultType, Impact: cmdlet.Medium, Side: cmdlet.Vault,
	}
}

func vaultRemovalViews() []cmdlet.View {
	columns := []cmdlet.Column{
		{Label: "Vault Name", Property: "VaultName"}, {Label: "Location", Property: "Location"}, {Label: "Deletion Date", Property: "DeletionDate"},
		{Label: "Scheduled Purge Date", Property: "ScheduledPurgeDate"}, {Label: "Resource ID", Property: "ResourceId"},
	}
	return []cmdlet.View{{Type: cmdlet.DeletedVaultType, Summary: true, Table: columns, List: append(columns[:5:5], cmdlet.Column{Label: "Purge Protection Enabled?", Property: "EnablePurgeProtection"}, cmdlet.Column{Label: "Tags", Property: "Tags"})}}
}
