package azure_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// objects reads what a command printed with -OutputFormat json.
func objects(t testing.TB, out string) []map[string]any {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return list
}

func wantFault(t testing.TB, line string, r result, code fault.Code, message, hint string) {
	t.Helper()
	f := fault.As(r.err)
	if r.err == nil || f.Code != code || !strings.Contains(f.Message, message) || !strings.Contains(f.Hint, hint) {
		t.Errorf("%s: %v (%s), hint %q; want %s %q, hint %q", line, r.err, f.Code, f.Hint, code, message, hint)
	}
}

// access returns each principal's rights on keys in a vault, as Get-AzKeyVault shows them.
func (w *world) access(vault string) map[string]string {
	w.t.Helper()
	got := map[string]string{}
	v := objects(w.t, w.mustCK(w.caller(w.owner), "Get-AzKeyVault "+vault+" -OutputFormat json"))[0]
	for _, a := range v["AccessPolicies"].([]any) {
		entry := a.(map[string]any)
		var rights []string
		for _, r := range entry["PermissionsToKeys"].([]any) {
			rights = append(rights, r.(string))
		}
		got[entry["ObjectId"].(string)] = strings.Join(rights, ",")
	}
	return got
}

// Vaults as they are made and shown (CK-188, CK-189).
func TestVaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.caller(w.owner)
	if out := w.mustCK(owner, "Get-AzKeyVault -OutputFormat json"); out != "[]\n" {
		t.Errorf("vaults before any is made: %s", out)
	}
	out := w.mustCK(owner, "New-AzKeyVault -Name Contoso-East -ResourceGroupName keys -Location westeurope -Sku premium -EnablePurgeProtection -Tag side=east -OutputFormat json")
	made := objects(t, out)[0]
	for name, want := range map[string]any{
		"VaultName": "Contoso-East", "ResourceGroupName": "keys", "Location": "westeurope", "Sku": "Premium", "TenantId": w.vault.Tenant,
		"VaultUri": w.vault.VaultURL("contoso-east") + "/", "EnableSoftDelete": true, "EnablePurgeProtection": true, "SoftDeleteRetentionInDays": 90.0,
		"EnableRbacAuthorization": false,
	} {
		if made[name] != want {
			t.Errorf("%s = %v, want %v", name, made[name], want)
		}
	}
	if diff := cmp.Diff(map[string]string{w.owner.ID: "get,create,delete,list,update,import,backup,restore,recover"}, w.access("contoso-east")); diff != "" {
		t.Errorf("the maker's rights: %s", diff)
	}
	w.mustCK(owner, "New-AzKeyVault contoso-west keys westeurope")
	table := w.mustCK(owner, "Get-AzKeyVault")
	if lines := strings.Split(strings.TrimSpace(table), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], "Vault Name   Resource Group Name Location   Resource ID") {
		t.Errorf("the table:\n%s", table)
	}
	list := w.mustCK(owner, "get-azkeyvault -vaultname CONTOSO-EAST")
	for _, label := range []string{"Vault Name ", "Vault URI ", "Soft Delete Enabled? ", "Access Policies ", "DisplayName=Name of owner@contoso.example (owner@contoso.example)", "Tags ", "@{side=east}"} {
		if !strings.Contains(list, label) {
			t.Errorf("the list lacks %q:\n%s", label, list)
		}
	}
}

func TestVaultRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, stranger := w.caller(w.owner), w.caller(w.person("eve@contoso.example"))
	w.mustCK(owner, "New-AzKeyVault contoso-east keys westeurope")
	for _, tt := range []struct {
		caller        directory.Caller
		line          string
		code          fault.Code
		message, hint string
	}{
		{owner, "New-AzKeyVault contoso-east keys westeurope", fault.Conflict, "exists already", "Get-AzKeyVault"},
		{owner, "New-AzKeyVault evil.example/x keys westeurope", fault.Invalid, "cannot be the name of a vault", ""},
		{owner, "New-AzKeyVault x-1 keys", fault.Invalid, "needs -Location", ""},
		{owner, "Get-AzKeyVault nosuch", fault.NotFound, "nosuch", "Get-AzKeyVault"},
		{owner, "Get-AzKeyVault nosuch keys", fault.NotFound, "", ""},
		{stranger, "Get-AzKeyVault contoso-east", fault.NotFound, "no subscription", ""},
		{stranger, "New-AzKeyVault mine keys westeurope", fault.NotFound, "no subscription", ""},
		{owner, "Get-AzKeyVault -SubscriptionId 99999999-2222-4333-8444-555555555555", fault.NotFound, "", ""},
	} {
		wantFault(t, tt.line, w.ck(tt.caller, tt.line), tt.code, tt.message, tt.hint)
	}
	if r := w.ck(owner, "New-AzKeyVault other keys westeurope -WhatIf"); r.err != nil || !strings.Contains(r.out, `"Create key vault" on target "other"`) {
		t.Errorf("-WhatIf: %q, %v", r.out, r.err)
	}
	wantFault(t, "after -WhatIf", w.ck(owner, "Get-AzKeyVault other"), fault.NotFound, "other", "")
}

// The access policy commands of the article, with its sets of permissions (KV-105), and what row CK-192 promises about them.
// CK-193 takes all of it away.
func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, bob := w.caller(w.owner), w.person("bob@contoso.example")
	w.mustCK(owner, "New-AzKeyVault contoso-east keys westeurope")
	service, err := w.directory.ServicePrincipal(t.Context(), w.contoso.ID, directory.MultiWorkloadApp)
	w.must(err)
	makers := "get,create,delete,list,update,import,backup,restore,recover"

	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy -VaultName contoso-east -PermissionsToKeys wrapKey,unwrapKey,get -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4")
	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east keys -UPN BOB@contoso.example -PermissionsToKeys CREATE, Import, list")
	if diff := cmp.Diff(map[string]string{w.owner.ID: makers, service.ID: "wrapKey,unwrapKey,get", bob.ID: "create,import,list"}, w.access("contoso-east")); diff != "" {
		t.Errorf("after two grants: %s", diff)
	}
	out := w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east -ObjectId "+strings.ToUpper(bob.ID)+" -PermissionsToKeys get -PassThru -OutputFormat json")
	if len(objects(t, out)) != 1 || w.access("contoso-east")[bob.ID] != "get" {
		t.Errorf("a set does not replace: %v", w.access("contoso-east"))
	}
	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east -UserPrincipalName bob@contoso.example -PermissionsToKeys @()")
	if rights := w.access("contoso-east")[bob.ID]; rights != "" {
		t.Errorf("an empty list leaves %s", rights)
	}
	w.mustCK(owner, "Remove-AzKeyVaultAccessPolicy -VaultName contoso-east -ServicePrincipalName c066d759-24ae-40e7-a56f-027002b5d3e4")
	if diff := cmp.Diff(map[string]string{w.owner.ID: makers}, w.access("contoso-east")); diff != "" {
		t.Errorf("at the end: %s", diff)
	}
	if r := w.ck(owner, "Remove-AzKeyVaultAccessPolicy contoso-east -ObjectId "+bob.ID); r.err != nil || !strings.Contains(r.errs, "has no access") {
		t.Errorf("removing what is not there: %v, %q", r.err, r.errs)
	}
	for _, tt := range []struct {
		line    string
		code    fault.Code
		message string
	}{
		{"Set-AzKeyVaultAccessPolicy contoso-east -UPN nobody@contoso.example -PermissionsToKeys get", fault.NotFound, "nobody@contoso.example"},
		{"Set-AzKeyVaultAccessPolicy contoso-east -UPN o'x@contoso.example -PermissionsToKeys get", fault.NotFound, "o'x"},
		{"Set-AzKeyVaultAccessPolicy contoso-east -ObjectId 99999999-2222-4333-8444-555555555555 -PermissionsToKeys get", fault.NotFound, "99999999"},
		{"Set-AzKeyVaultAccessPolicy contoso-east -ObjectId bob -PermissionsToKeys get", fault.Invalid, "no object id"},
		{"Set-AzKeyVaultAccessPolicy contoso-east -UPN bob@contoso.example -PermissionsToKeys fly", fault.Invalid, "fly"},
		{"Set-AzKeyVaultAccessPolicy contoso-east -UPN bob@contoso.example -SPN x -PermissionsToKeys get", fault.Invalid, "cannot be used together"},
		{"Set-AzKeyVaultAccessPolicy contoso-east -PermissionsToKeys get", fault.Invalid, "needs -UserPrincipalName"},
		{"Set-AzKeyVaultAccessPolicy nosuch -UPN bob@contoso.example -PermissionsToKeys get", fault.NotFound, "nosuch"},
	} {
		wantFault(t, tt.line, w.ck(owner, tt.line), tt.code, tt.message, "")
	}
	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east -ObjectId 99999999-2222-4333-8444-555555555555 -PermissionsToKeys get -BypassObjectIdValidation")
	if w.access("contoso-east")["99999999-2222-4333-8444-555555555555"] != "get" {
		t.Error("an unchecked object id got no rights")
	}
}

// Every row of the vault side runs, and nothing else does.
func TestEveryVaultRowRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, row := range rows.Table() {
		err := w.environment(w.caller(w.owner)).Run(t.Context(), &cmdlet.Call{Cmdlet: &row, Host: cmdlet.Host{Object: func(cmdlet.Object) error { return nil }}})
		runs := err == nil || !strings.Contains(err.Error(), "does not run against vaults")
		if runs != (row.Side == cmdlet.Vault) {
			t.Errorf("%s is of side %s: %v", row.Name, row.Side, err)
		}
	}
}
