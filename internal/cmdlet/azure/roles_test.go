package azure_test

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestVaultsWithRolesAndWalls: the commands say what is in the way, and what to do about it.
func TestVaultsWithRolesAndWalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.caller(w.owner)
	admin := w.vaultFor("contoso-east", "all")
	spec := keyvault.VaultSpec{Subscription: w.vault.Subscription.ID, Group: "keys", Location: keyvaulttest.Location, Name: "contoso-east"}
	set := func() {
		t.Helper()
		_, _, err := w.vault.PutVault(t.Context(), owner, spec)
		w.must(err)
	}
	on, off := true, false
	spec.RBAC = &on
	set()
	const line = "Get-AzKeyVaultKey contoso-east root1"
	wantFault(t, line, w.ck(admin, line), fault.Forbidden, "Caller is not authorized", "Microsoft.KeyVault/vaults/keys/read")
	if out := w.mustCK(owner, "Get-AzKeyVault contoso-east -OutputFormat json"); !strings.Contains(strings.Join(strings.Fields(out), ""), `"EnableRbacAuthorization":true`) {
		t.Errorf("the vault is shown as %s", out)
	}
	r := w.ck(owner, "Set-AzKeyVaultAccessPolicy contoso-east -ObjectId "+admin.ID+" -PermissionsToKeys get")
	if r.err != nil || !strings.Contains(r.errs, "goes by roles") {
		t.Errorf("an access policy that does not count: %q, %v", r.errs, r.err)
	}
	spec.RBAC, spec.Firewall = &off, keyvaulttest.Rules(&rights.Firewall{Deny: true})
	set()
	wantFault(t, line, w.ck(admin, line), fault.Forbidden, "Client address is not authorized", "network rules")
}
