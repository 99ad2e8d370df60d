package azure_test

import (
	"strings"
	"testing"
)

// CK-338: -WhatIf on commands about vaults and keys tells what the vault tells of the change, and changes
// nothing.
func TestCK338_WhatIfOfVaultsAndKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keeper := w.vaultFor("foreseen", "get", "list", "create", "update", "delete", "recover", "purge")
	asked := keeper
	foresees := func(line string, want ...string) {
		t.Helper()
		got := w.mustCK(asked, line+" -WhatIf")
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("%s -WhatIf says\n%swant %q", line, got, text)
			}
		}
	}
	const add = "Add-AzKeyVaultKey foreseen root -Destination Software"
	foresees(add, "It is a new key")
	w.mustCK(keeper, add+" -OutputFormat json")
	first := objects(t, w.mustCK(keeper, "Get-AzKeyVaultKey foreseen root -OutputFormat json"))[0]["Version"].(string)
	foresees(add, "it gets a new version. Those that it has, 1: "+first+", stay usable")
	w.mustCK(keeper, add)

	foresees("Update-AzKeyVaultKey foreseen root "+first+" -Enable $false -Tag @{side='east'}", "Version "+first+": Enabled from true to false; Tags from [] to [side=east].")
	foresees("Update-AzKeyVaultKey foreseen root -Enable $true", ": nothing changes.")
	foresees("Remove-AzKeyVaultKey foreseen root", "all versions of the key, 2: ", ", "+first+". What", "It could be recovered for 90 days, until ", "unless somebody purges it before: its recovery level is Recoverable+Purgeable.")
	if got := objects(t, w.mustCK(keeper, "Get-AzKeyVaultKey foreseen root -IncludeVersions -OutputFormat json")); len(got) != 2 || got[0]["Enabled"] != true || got[1]["Enabled"] != true {
		t.Fatalf("-WhatIf has changed something: %v", got)
	}

	w.mustCK(keeper, "Remove-AzKeyVaultKey foreseen root -Force")
	foresees(add, "The vault would refuse: a deleted key has the name.")
	foresees("Undo-AzKeyVaultKeyRemoval foreseen root", "It comes back with all its versions. It was deleted on ")
	foresees("Remove-AzKeyVaultKey foreseen root -InRemovedState", "Nothing brings them back but a backup", "it could be recovered until ")
	w.mustCK(keeper, "Get-AzKeyVaultKey foreseen root -InRemovedState")

	owner := w.caller(w.owner)
	if got := w.mustCK(owner, "Remove-AzKeyVaultKey foreseen root -WhatIf"); !strings.Contains(got, "More cannot be told: ") {
		t.Errorf("to one who may not look it says %q", got)
	}
	w.mustCK(keeper, "Undo-AzKeyVaultKeyRemoval foreseen root")

	asked = owner
	before := w.access("foreseen")
	foresees("Set-AzKeyVaultAccessPolicy foreseen -ObjectId "+keeper.ID+" -PermissionsToKeys get,list", "Rights on keys gained: none; lost: create, update, delete, recover, purge.")
	foresees("Remove-AzKeyVaultAccessPolicy foreseen -ObjectId "+keeper.ID, "Rights on keys gained: none; lost: get, list, create, update, delete, recover, purge.")
	if after := w.access("foreseen"); after[keeper.ID] != before[keeper.ID] {
		t.Errorf("-WhatIf has changed the access from %v to %v", before, after)
	}
	foresees("Remove-AzKeyVault foreseen", "It could be recovered, with all its keys, for 90 days, until ", "unless somebody purges it before", "More cannot be told: ")
	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy foreseen -ObjectId "+owner.ID+" -PermissionsToKeys list")
	foresees("Remove-AzKeyVault foreseen", "Nobody can use its keys any more: root.")
	w.mustCK(owner, "Remove-AzKeyVault foreseen -Force")
	foresees("Remove-AzKeyVault foreseen -InRemovedState", "All keys of the vault are destroyed.", "it could be recovered until ")
}
