package azure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
)

// CK-188: who reaches a vault, as it is made; CK-189: as it is shown, and the list by tags.
func TestCK188_Network(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.caller(w.owner)
	line := "New-AzKeyVault closed keys westeurope -PublicNetworkAccess disabled -Tag side=east -NetworkRuleSet @{DefaultAction='Deny';Bypass='None';IpAddressRanges='192.0.2.0/24,198.51.100.7'} -OutputFormat json"
	made := objects(t, w.mustCK(owner, line))[0]
	want := map[string]any{"DefaultAction": "Deny", "Bypass": "None", "IpAddressRanges": []any{"192.0.2.0/24", "198.51.100.7/32"}, "VirtualNetworkResourceIds": []any{}}
	if diff := cmp.Diff(want, made["NetworkRuleSet"]); diff != "" || made["PublicNetworkAccess"] != "Disabled" {
		t.Errorf("public access %v, rules: %s", made["PublicNetworkAccess"], diff)
	}
	w.mustCK(owner, "New-AzKeyVault open keys westeurope")
	if open := objects(t, w.mustCK(owner, "Get-AzKeyVault open -OutputFormat json"))[0]; open["PublicNetworkAccess"] != "Enabled" || open["NetworkRuleSet"] != nil {
		t.Errorf("a vault is open unless told otherwise: %v, %v", open["PublicNetworkAccess"], open["NetworkRuleSet"])
	}
	found := objects(t, w.mustCK(owner, "Get-AzKeyVault -Tag @{side='east'} -OutputFormat json"))
	if len(found) != 1 || found[0]["VaultName"] != "closed" || len(objects(t, w.mustCK(owner, "Get-AzKeyVault -Tag @{side='west'} -OutputFormat json"))) != 0 {
		t.Errorf("vaults with the tag: %v", found)
	}
	for line, message := range map[string]string{
		"New-AzKeyVault v1 keys westeurope -NetworkRuleSet @{DefaultActoin='Deny'}":                                       "has no \"DefaultActoin\"",
		"New-AzKeyVault v2 keys westeurope -NetworkRuleSet @{DefaultAction='Perhaps'}":                                    "defaultAction",
		"New-AzKeyVault v3 keys westeurope -NetworkRuleSet @{DefaultAction='Deny';VirtualNetworkResourceIds='/x'}":        "Virtual network rules",
		"New-AzKeyVault v4 keys westeurope -NetworkRuleSet @{DefaultAction='Deny';IpAddressRanges='not-an-address'}":      "ipRules.value has invalid value",
		"New-AzKeyVault v5 keys westeurope -PublicNetworkAccess perhaps":                                                  "cannot be",
		"New-AzKeyVault v6 keys westeurope -NetworkRuleSet @{DefaultAction='Deny';VirtualNetworkResourceId='/x'} -WhatIf": "",
	} {
		if message == "" {
			w.mustCK(owner, line)
			continue
		}
		wantFault(t, line, w.ck(owner, line), fault.Invalid, message, "")
	}
}

// CK-187: a group that is there is changed only after a question. CK-192, CK-193: a person by mail address.
func TestCK187_CK192_WhatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, bob := w.caller(w.owner), w.person("bob@contoso.example")
	w.mustCK(owner, "New-AzResourceGroup twice westeurope -Tag a=1")
	const again = "New-AzResourceGroup twice westeurope -Tag a=2"
	wantFault(t, again, w.ck(owner, again), fault.Invalid, "asks for confirmation", "-Confirm:$false")
	w.mustCK(owner, again+" -WhatIf")
	for _, line := range []string{again + " -Force", again + " -Confirm:$false"} {
		group := objects(t, w.mustCK(owner, line+" -OutputFormat json"))[0]
		if diff := cmp.Diff(map[string]any{"a": "2"}, group["Tags"]); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}

	w.mustCK(owner, "New-AzKeyVault contoso-east keys westeurope")
	w.mustCK(owner, "Set-AzKeyVaultAccessPolicy contoso-east -EmailAddress Bob@contoso.example -PermissionsToKeys get,list")
	if got := w.access("contoso-east")[bob.ID]; got != "get,list" {
		t.Errorf("rights by mail address: %q", got)
	}
	w.mustCK(owner, "Remove-AzKeyVaultAccessPolicy contoso-east -EmailAddress bob@contoso.example")
	if got, has := w.access("contoso-east")[bob.ID]; has {
		t.Errorf("rights are left: %q", got)
	}
	const nobody = "Set-AzKeyVaultAccessPolicy contoso-east -EmailAddress nobody@contoso.example -PermissionsToKeys get"
	wantFault(t, nobody, w.ck(owner, nobody), fault.NotFound, "nobody@contoso.example", "check the spelling")
}
