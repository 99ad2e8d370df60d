package script

import (
	"slices"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// What the articles print, and what of it reaches the commands.
func TestArticleBlocks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"$v = Get-AzKeyVault -VaultName contoso-east\n$r = Get-AzResource -ResourceId $v.ResourceId\n$r.Properties | Add-Member -MemberType NoteProperty -Name enableSoftDelete -Value 'True'\nSet-AzResource -ResourceId $r.ResourceId -Properties $r.Properties": {
			"Get-AzKeyVault -VaultName:contoso-east", "Get-AzResource -ResourceId:/subscriptions/1",
			"Set-AzResource -Properties:{   [{sku standard} {enableSoftDelete True}]} -ResourceId:/subscriptions/1",
		},
		`($r = Get-AzResource -ResourceId /subscriptions/1).Properties | Add-Member -MemberType "NoteProperty" -Name "enableSoftDelete" -Value "True"` + "\n" + `Set-AzResource -resourceid $r.ResourceId -Properties $r.Properties`: {
			"Get-AzResource -ResourceId:/subscriptions/1", "Set-AzResource -Properties:{   [{sku standard} {enableSoftDelete True}]} -ResourceId:/subscriptions/1",
		},
		`Update-AzKeyVaultKey -VaultName east -Name root1 -Expires (Get-Date -Date "12/31/9999")`: {
			"Update-AzKeyVaultKey -Expires:9999-12-30 23:00:00 +0000 UTC -Name:root1 -VaultName:east",
		},
		`Add-AzKeyVaultKey -VaultName east -Name root1 -Destination HSM -KeyOps @('wrapKey','unwrapKey') -NotBefore (Get-Date -Date "12/27/2016 12:01 AM")`: {
			"Add-AzKeyVaultKey -Destination:HSM -KeyOps:[wrapKey unwrapKey] -Name:root1 -NotBefore:2016-12-26 23:01:00 +0000 UTC -VaultName:east",
		},
		`Add-AzKeyVaultKey -VaultName east -Name root1 -Destination Software -KeyOps wrapKey,unwrapKey`: {
			"Add-AzKeyVaultKey -Destination:Software -KeyOps:[wrapKey unwrapKey] -Name:root1 -VaultName:east",
		},
		`New-M365DataAtRestEncryptionPolicy -Name "Default_Policy" -AzureKeyIDs "https://east/keys/a","https://west/keys/b" -Description "Tenant default policy"`: {
			"New-M365DataAtRestEncryptionPolicy -AzureKeyIDs:[https://east/keys/a https://west/keys/b] -Description:Tenant default policy -Name:Default_Policy",
		},
		`Set-M365DataAtRestEncryptionPolicyAssignment -Policy “Tenant default policy”`:     {"Set-M365DataAtRestEncryptionPolicyAssignment -DataEncryptionPolicy:Tenant default policy"},
		`Set-M365DataAtRestEncryptionPolicy -Identity "NAM Policy" -Enabled $false`:        {"Set-M365DataAtRestEncryptionPolicy -Enabled:false -Identity:NAM Policy"},
		`Set-M365DataAtRestEncryptionPolicy –Identity “EUR Policy” –Refresh`:               {"Set-M365DataAtRestEncryptionPolicy -Identity:EUR Policy -Refresh:true"},
		`(Get-AzKeyVaultKey -VaultName east).Id | Out-Null`:                                {"Get-AzKeyVaultKey -VaultName:east"},
		`Get-AzKeyVaultKey east root1 | Update-AzKeyVaultKey -Enable $false`:               {"Get-AzKeyVaultKey -Name:root1 -VaultName:east", "Update-AzKeyVaultKey -Enable:false -Name:root1 -VaultName:east -Version:0123"},
		`$k = Get-AzKeyVaultKey east root1; Get-AzKeyVaultKey -VaultName $k -Name $k`:      {"Get-AzKeyVaultKey -Name:root1 -VaultName:east", "Get-AzKeyVaultKey -Name:root1 -VaultName:east"},
		`$p = Get-M365DataAtRestEncryptionPolicy; Set-Mailbox a -DataEncryptionPolicy $p`:  {"Get-M365DataAtRestEncryptionPolicy", "Set-Mailbox -DataEncryptionPolicy:11111111-2222-4333-8444-555555555555 -Identity:a"},
		`Get-M365DataAtRestEncryptionPolicy | Set-M365DataAtRestEncryptionPolicy -Refresh`: {"Get-M365DataAtRestEncryptionPolicy", "Set-M365DataAtRestEncryptionPolicy -Identity:11111111-2222-4333-8444-555555555555 -Refresh:true"},
		`'a@contoso.example' | Set-Mailbox -DataEncryptionPolicy $null`:                    {"Set-Mailbox -DataEncryptionPolicy:<nil> -Identity:a@contoso.example"},
		`$k = 'a','b'; New-DataEncryptionPolicy -Name 007 -AzureKeyIDs $k`:                 {"New-DataEncryptionPolicy -AzureKeyIDs:[a b] -Name:007"},
		`Add-AzKeyVaultKey v k -Destination Software -Size 3072 -Tag @{side='east'; n=1}`:  {"Add-AzKeyVaultKey -Destination:Software -Name:k -Size:3072 -Tag:map[n:1 side:east] -VaultName:v"},
	} {
		w := newWorld(t, nil)
		if _, err := w.do(t, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if !slices.Equal(w.runner.asked, want) {
			t.Errorf("%s\nruns %q\nwant %q", text, w.runner.asked, want)
		}
	}
}

// CK-210: midnight of 12/31/9999 is "never" in every zone, the farthest ones too.
func TestCK210_MidnightOfAnyZone(t *testing.T) {
	t.Parallel()
	for _, hours := range []int{-12, -8, 0, 1, 5, 14} {
		w := newWorld(t, func(c *Config) { c.Zone = time.FixedZone("", hours*3600) })
		if _, err := w.do(t, `Update-AzKeyVaultKey east root1 -Expires (Get-Date -Date "12/31/9999")`); err != nil {
			t.Fatal(err)
		}
		want := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Add(-time.Duration(hours) * time.Hour)
		if got := "Update-AzKeyVaultKey -Expires:" + want.String() + " -Name:root1 -VaultName:east"; w.runner.asked[0] != got {
			t.Errorf("%d hours: %s, want %s", hours, w.runner.asked[0], got)
		}
	}
	w := newWorld(t, func(c *Config) { c.Zone = time.FixedZone("", -12*3600) })
	if _, err := w.do(t, `Update-AzKeyVaultKey east root1 -Expires (Get-Date -Date "12/31/9999 11:59 PM")`); err != nil || w.runner.asked[0] != "Update-AzKeyVaultKey -Expires:9999-12-31 23:59:59 +0000 UTC -Name:root1 -VaultName:east" {
		t.Errorf("past the last instant: %v, %v", w.runner.asked, err)
	}
}

// Help that does not work is worse than none: the examples of all commands parse and bind.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, row := range rows.Table() {
		for _, example := range row.Examples {
			parsed, err := Parse(example)
			if err != nil {
				t.Errorf("%s: %v", example, err)
				continue
			}
			some := false
			for _, st := range parsed.Statements {
				for i, s := range st.(*Pipeline).Stages {
					if c, ok := s.(*Command); ok {
						some = bindsExample(t, example, c, i > 0) == row.Name || some
					}
				}
			}
			if !some {
				t.Errorf("%s is no example of %s", example, row.Name)
			}
		}
	}
}

// bindsExample binds a command of an example and returns its full name.
func bindsExample(t *testing.T, example string, c *Command, piped bool) string {
	t.Helper()
	w := newWorld(t, nil)
	w.variables["r"] = &cmdlet.Object{Fields: []cmdlet.Field{{Name: "Properties", Value: &cmdlet.Object{}}}}
	w.variables["name"] = "root1"
	r := &run{Session: w.Session, steps: 1000}
	i, err := r.invocation(t.Context(), c)
	if err != nil {
		t.Errorf("%s: %v", example, err)
		return ""
	}
	more := cmdlet.More{}
	if piped && i.row.Side != cmdlet.Shell {
		more = cmdlet.More{Piped: true, Input: "x"}
	}
	if _, err := cmdlet.BindValues(i.row, i.words, more); err != nil {
		t.Errorf("%s: %v", example, err)
	}
	return i.row.Name
}
