package azure_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

// CK-202: every permission on keys goes by its name in any case of letters; All is all of them but
// purge.
func TestPermissionNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, bob := w.caller(w.owner), w.person("bob@contoso.example")
	w.mustCK(owner, "New-AzKeyVault contoso-east keys westeurope")
	const names = "get,list,update,create,import,delete,recover,backup,restore,purge,encrypt,decrypt,sign,verify,wrapKey,unwrapKey"
	for _, line := range []string{names, strings.ToUpper(names), strings.ToLower(names)} {
		w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east -UPN bob@contoso.example -PermissionsToKeys "+line)
		if diff := cmp.Diff(names, w.access("contoso-east")[bob.ID]); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east -UPN bob@contoso.example -PermissionsToKeys All")
	as := w.caller(bob)
	w.mustCK(as, "Add-AzKeyVaultKey contoso-east root1 -Destination Software -KeyType EC")
	w.mustCK(as, "Get-AzKeyVaultKey contoso-east root1")
	w.mustCK(as, "Remove-AzKeyVaultKey contoso-east root1 -Force")
	line := "Remove-AzKeyVaultKey contoso-east root1 -InRemovedState -Force"
	wantFault(t, line, w.ck(as, line), fault.Forbidden, "", "")
	w.mustCK(as, "Undo-AzKeyVaultKeyRemoval contoso-east root1")
}

// CK-203: what a key may be used for, as a,b or @('a','b'); all of it unless given. CK-204: the labels
// of a single key, in their order.
func TestKeyOperationsAndLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.vaultFor("contoso-east", managesKeys...)
	for ops, want := range map[string][]any{
		"":                                  {"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"},
		" -KeyOps IMPORT":                   {"import"},
		" -KeyOps wrapKey,unwrapKey":        {"wrapKey", "unwrapKey"},
		" -KeyOps @('wrapKey','unwrapKey')": {"wrapKey", "unwrapKey"},
		" -KeyOps encrypt,decrypt,sign,verify,wrapKey,unwrapKey":      {"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"},
		" -KeyOps encrypt, decrypt, sign, verify, wrapKey, unwrapKey": {"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"},
	} {
		made := objects(t, w.mustCK(admin, "Add-AzKeyVaultKey contoso-east root1 -Destination Software -OutputFormat json"+ops))[0]
		if diff := cmp.Diff(want, made["KeyOps"]); diff != "" {
			t.Errorf("%q: %s", ops, diff)
		}
	}
	line := "Add-AzKeyVaultKey contoso-east root1 -Destination Software -KeyOps fly"
	wantFault(t, line, w.ck(admin, line), fault.Invalid, "fly", "")

	var labels []string
	for line := range strings.Lines(w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root1")) {
		if label, _, ok := strings.Cut(line, " :"); ok {
			labels = append(labels, strings.TrimSpace(label))
		}
	}
	want := []string{
		"Vault/HSM Name", "Name", "Key Type", "Key Size", "Version", "Id", "Enabled", "Expires", "Not Before", "Created", "Updated",
		"Recovery Level", "Key Ops", "Purge Disabled", "Tags",
	}
	if diff := cmp.Diff(want, labels); diff != "" {
		t.Error(diff)
	}
}
