package azure_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/azure"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

var managesKeys = []rights.Permission{"get", "list", "create", "update", "delete", "recover"}

// The key commands of both articles, from the first version to a recovered key.
// Rows CK-194 to CK-196, CK-199, CK-200, CK-202 to CK-206.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.vaultFor("contoso-east", managesKeys...)
	out := w.mustCK(admin, "Add-AzKeyVaultKey -VaultName contoso-east -Name root1 -Destination Software -KeyOps wrapKey,unwrapKey -Size 3072 -Tag @{owner='alice';use='root'} -OutputFormat json")
	first := objects(t, out)[0]
	id := w.vault.VaultURL("contoso-east") + "/keys/root1/"
	if !strings.HasPrefix(first["Id"].(string), id) || first["Id"] != id+first["Version"].(string) || len(first["Version"].(string)) != 32 {
		t.Errorf("id %v, version %v", first["Id"], first["Version"])
	}
	for name, want := range map[string]any{
		"VaultName": "contoso-east", "Name": "root1", "KeyType": "RSA", "KeySize": 3072.0, "Enabled": true, "Expires": nil,
		"RecoveryLevel": "Recoverable+Purgeable", "PurgeDisabled": false,
		"KeyOps": []any{"wrapKey", "unwrapKey"}, "Tags": map[string]any{"owner": "alice", "use": "root"},
	} {
		if diff := cmp.Diff(want, first[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	attributes := first["Attributes"].(map[string]any)
	if attributes["RecoverableDays"] != 90.0 || attributes["KeyType"] != "RSA" || attributes["RecoveryLevel"] != "Recoverable+Purgeable" {
		t.Errorf("attributes: %v", attributes)
	}

	w.vault.Pass(2 * time.Second)
	second := objects(t, w.mustCK(admin, "Add-AzKeyVaultKey contoso-east root1 -Destination Software -OutputFormat json"))[0]
	versions := objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root1 -IncludeVersions -OutputFormat json"))
	if len(versions) != 2 || versions[0]["Version"] != second["Version"] || versions[1]["Version"] != first["Version"] {
		t.Errorf("versions, the newest first: %v", versions)
	}
	newest := objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east ROOT1 -OutputFormat json"))[0]
	old := objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root1 "+first["Version"].(string)+" -OutputFormat json"))[0]
	if newest["Version"] != second["Version"] || old["Version"] != first["Version"] || old["KeySize"] != 3072.0 {
		t.Errorf("newest %v, old %v", newest["Version"], old["Version"])
	}

	if out := w.mustCK(admin, "Update-AzKeyVaultKey -VaultName contoso-east -Name root1 -Enable $false"); out != "" {
		t.Errorf("an update without -PassThru prints %q", out)
	}
	changed := objects(t, w.mustCK(admin, "Set-AzKeyVaultKeyAttribute contoso-east root1 -Expires 12/31/9999 -PassThru -OutputFormat json"))[0]
	if changed["Enabled"] != false || changed["Expires"] != "9999-12-31T00:00:00Z" || len(changed["KeyOps"].([]any)) != 6 {
		t.Errorf("changed: %v", changed)
	}
	if old := objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root1 "+first["Version"].(string)+" -OutputFormat json"))[0]; old["Enabled"] != true {
		t.Error("disabling one version disabled another")
	}

	gone := objects(t, w.mustCK(admin, "Remove-AzKeyVaultKey contoso-east root1 -Force -PassThru -OutputFormat json"))[0]
	if gone["DeletedDate"] == nil || gone["ScheduledPurgeDate"] == nil {
		t.Errorf("deleted: %v", gone)
	}
	line := "Get-AzKeyVaultKey contoso-east root1"
	wantFault(t, line, w.ck(admin, line), fault.NotFound, "root1", "-InRemovedState")
	wantFault(t, line, w.ck(admin, line+" -IncludeVersions"), fault.NotFound, "root1", "")
	line = "Add-AzKeyVaultKey contoso-east root1 -Destination Software"
	wantFault(t, line, w.ck(admin, line), fault.Conflict, "root1", "Undo-AzKeyVaultKeyRemoval")
	for _, line := range []string{"Get-AzKeyVaultKey contoso-east -InRemovedState", "Get-AzKeyVaultKey contoso-east root1 -InRemovedState", "Get-AzKeyVaultKey contoso-east r* -InRemovedState"} {
		if list := objects(t, w.mustCK(admin, line+" -OutputFormat json")); len(list) != 1 || list[0]["Name"] != "root1" {
			t.Errorf("%s: %v", line, list)
		}
	}
	w.mustCK(admin, "Undo-AzKeyVaultKeyRemoval -VaultName contoso-east -Name root1")
	if list := objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root1 -IncludeVersions -OutputFormat json")); len(list) != 2 {
		t.Errorf("%d versions came back", len(list))
	}
}

// Lists of keys and what the labels are (CK-195, CK-204, CK-209).
func TestListKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.vaultFor("contoso-east", managesKeys...)
	if out := w.mustCK(admin, "Get-AzKeyVaultKey contoso-east"); out != "" {
		t.Errorf("no keys print %q", out)
	}
	for range 13 { // more than one page of 25 with the versions below
		w.mustCK(admin, "Add-AzKeyVaultKey contoso-east many -KeyType EC -CurveName p-256 -Destination Software")
		w.mustCK(admin, "Add-AzKeyVaultKey contoso-east many -KeyType EC -Destination Software -Disable")
	}
	w.mustCK(admin, "Add-AzKeyVaultKey contoso-east Root_1 -KeyType EC -Destination Software")
	for line, want := range map[string][]any{
		"Get-AzKeyVaultKey contoso-east":          {"many", "Root_1"},
		"Get-AzKeyVaultKey contoso-east r*":       {"Root_1"},
		"Get-AzKeyVaultKey contoso-east ?oot_1":   {"Root_1"},
		"Get-AzKeyVaultKey contoso-east nothing*": nil,
	} {
		var got []any
		for _, k := range objects(t, w.mustCK(admin, line+" -OutputFormat json")) {
			got = append(got, k["Name"])
			if k["Version"] != nil {
				t.Errorf("%s: an id with a version: %v", line, k["Id"])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
	if n := len(objects(t, w.mustCK(admin, "Get-AzKeyVaultKey contoso-east many -IncludeVersions -OutputFormat json"))); n != 26 {
		t.Errorf("%d versions of 26", n)
	}
	table := w.mustCK(admin, "Get-AzKeyVaultKey contoso-east")
	if !strings.HasPrefix(table, "\nVault/HSM Name Name   Version Enabled") {
		t.Errorf("the table:\n%s", table)
	}
	list := w.mustCK(admin, "Get-AzKeyVaultKey contoso-east Root_1")
	if !strings.HasPrefix(list, "Vault/HSM Name : contoso-east\nName           : Root_1\nKey Type       : EC\n") {
		t.Errorf("the list:\n%s", list)
	}
}

func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, reader := w.vaultFor("contoso-east", managesKeys...), w.caller(w.person("eve@contoso.example"))
	w.mustCK(admin, "Add-AzKeyVaultKey contoso-east root1 -KeyType EC -Destination Software")
	for _, tt := range []struct {
		line          string
		code          fault.Code
		message, hint string
	}{
		{"Get-AzKeyVaultKey contoso-east nosuch", fault.NotFound, "nosuch", "Get-AzKeyVaultKey"},
		{"Get-AzKeyVaultKey contoso-east root1 0123456789abcdef0123456789abcdef", fault.NotFound, "", ""},
		{"Get-AzKeyVaultKey nosuch", fault.NotFound, "", ""},
		{"Get-AzKeyVaultKey evil.example/", fault.Invalid, "cannot be the name of a vault", "not the vault's address"},
		{"Get-AzKeyVaultKey contoso-east -IncludeVersions", fault.Invalid, "-IncludeVersions needs -Name", ""},
		{"Get-AzKeyVaultKey contoso-east r* -IncludeVersions", fault.Invalid, "stands for several", ""},
		{"Get-AzKeyVaultKey contoso-east [", fault.Invalid, "invalid name", ""},
		{"Get-AzKeyVaultKey contoso-east [*", fault.Invalid, "no pattern", ""},
		{"Add-AzKeyVaultKey contoso-east root2 -Destination HSM", fault.Invalid, "", ""},
		{"Add-AzKeyVaultKey contoso-east root2 -Destination Software -Size 1024", fault.Invalid, "", ""},
		{"Add-AzKeyVaultKey contoso-east root2", fault.Invalid, "needs -Destination", ""},
		{"Update-AzKeyVaultKey contoso-east root1", fault.Invalid, "nothing to change", "-Enable"},
		{"Remove-AzKeyVaultKey contoso-east root1", fault.Invalid, "asks for confirmation", "-Confirm:$false"},
		{"Remove-AzKeyVaultKey contoso-east nosuch -Force", fault.NotFound, "nosuch", ""},
		{"Undo-AzKeyVaultKeyRemoval contoso-east root1", fault.NotFound, "root1", ""},
	} {
		wantFault(t, tt.line, w.ck(admin, tt.line), tt.code, tt.message, tt.hint)
	}
	for _, line := range []string{"Get-AzKeyVaultKey contoso-east root1", "Get-AzKeyVaultKey contoso-east", "Add-AzKeyVaultKey contoso-east x -Destination Software", "Update-AzKeyVaultKey contoso-east root1 -Enable false"} {
		wantFault(t, line, w.ck(reader, line), fault.Forbidden, "", "Set-AzKeyVaultAccessPolicy -VaultName contoso-east")
	}
	if r := w.ck(admin, "Remove-AzKeyVaultKey contoso-east root1 -WhatIf"); r.err != nil || !strings.Contains(r.out, `"Remove key" on target "contoso-east/root1"`) {
		t.Errorf("-WhatIf: %q, %v", r.out, r.err)
	}
	w.mustCK(admin, "Get-AzKeyVaultKey contoso-east root1")
}

// Where nobody listens, which a system says at once, a command tries a few times and gives up.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tries := 0
	nobody := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		tries++
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:1")
	}}}
	e, err := azure.New(azure.Config{
		Credential: credential{w, w.caller(w.owner)}, Tenant: w.vault.Tenant, Transport: nobody,
		VaultSuffix: "vault.localhost", Management: "https://management.localhost", Graph: "https://graph.localhost",
	})
	w.must(err)
	for _, name := range []string{"Get-AzKeyVault", "Get-AzKeyVaultKey"} {
		row, err := cmdlet.Find(rows.Table(), name)
		w.must(err)
		call, err := cmdlet.Bind(row, []string{"v"})
		w.must(err)
		call.Host = cmdlet.Host{Object: func(cmdlet.Object) error { return nil }}
		tries = 0
		wantFault(t, name, result{err: e.Run(t.Context(), call)}, fault.Unavailable, "cannot be reached", "check the vault's name")
		if tries != 3 {
			t.Errorf("%s tries %d times", name, tries)
		}
	}
}
