package rows

import (
	"slices"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// A commandRow is a row of the tables of sections 3.3, 3.4 and 3.7. Words stand with spaces
// between them; a parameter's aliases follow it with bars.
type commandRow struct {
	row, cmdlet string
	positional  string // at places 1, 2 ...
	mandatory   string // in every set they belong to
	named       string // the others
}

const principals = "UserPrincipalName|UPN ServicePrincipalName|SPN ObjectId EmailAddress"

// What the rows list and the table does not have is in docs/divergences.md.
var commands3 = []commandRow{
	{"CK-129 CK-130 CK-139", "Register-SPODataEncryptionPolicy", "", "PrimaryKeyVaultName PrimaryKeyName PrimaryKeyVersion SecondaryKeyVaultName SecondaryKeyName SecondaryKeyVersion PrimaryKeyVaultUri SecondaryKeyVaultUri", ""},
	{"CK-132 to CK-135", "Update-SPODataEncryptionPolicy", "", "KeyVaultName KeyName KeyVersion KeyVaultUri KeyType", "KeyVaultType"},
	{"CK-138", "Get-SPOSiteDataEncryptionPolicy", "Identity", "Identity", ""},
	{"CK-139", "Restore-SPODataEncryptionPolicy", "", "PrimaryKeyVaultName PrimaryKeyName PrimaryKeyVersion SecondaryKeyVaultName SecondaryKeyName SecondaryKeyVersion PrimaryKeyVaultUri SecondaryKeyVaultUri", ""},
	{"CK-140", "Register-SPODataEncryptionPolicy", "Identity", "", "Geo"},
	{"CK-140", "Update-SPODataEncryptionPolicy", "Identity", "", "Geo"},
	{"CK-140", "Get-SPODataEncryptionPolicy", "Identity", "", "Geo"},
	{"CK-148 to CK-152", "New-CustomerKeyOnboardingRequest", "", "OrganizationId Scenario Subscription1 Subscription2 KeyIdentifier1 KeyIdentifier2 OnboardingMode", ""},
	{"CK-153", "Get-CustomerKeyOnboardingRequest", "", "OrganizationId", "RequestId"},
	{"CK-183", "Set-AzContext", "", "Subscription|SubscriptionId|SubscriptionName", "Tenant|Domain|TenantId Name Force Scope"},
	{"CK-184", "Register-AzProviderFeature", "", "FeatureName ProviderNamespace", ""},
	{"CK-185", "Get-AzProviderFeature", "", "", "FeatureName ProviderNamespace ListAvailable"},
	{"CK-186", "Register-AzResourceProvider", "", "ProviderNamespace", "ConsentToPermissions AsJob ApiVersion Pre"},
	{"CK-187", "New-AzResourceGroup", "Name Location", "Name Location", "Tag Force"},
	{"CK-188", "New-AzKeyVault", "Name ResourceGroupName Location", "Name ResourceGroupName Location", "Sku EnablePurgeProtection DisableRbacAuthorization SoftDeleteRetentionInDays PublicNetworkAccess NetworkRuleSet SubscriptionId Tag"},
	{"CK-189", "Get-AzKeyVault", "VaultName ResourceGroupName", "", "Tag SubscriptionId InRemovedState Location"},
	{"CK-190", "Get-AzResource", "", "ResourceId|Id", "Name ResourceType ResourceGroupName Tag ExpandProperties"},
	{"CK-191", "Set-AzResource", "", "ResourceId InputObject", "Properties Tag Sku Kind UsePatchSemantics Force"},
	{"CK-192", "Set-AzKeyVaultAccessPolicy", "VaultName ResourceGroupName", "VaultName PermissionsToKeys " + principals, "PassThru BypassObjectIdValidation"},
	{"CK-193", "Remove-AzKeyVaultAccessPolicy", "VaultName ResourceGroupName", "VaultName " + principals, "PassThru"},
	{"CK-194", "Add-AzKeyVaultKey", "VaultName Name|KeyName", "VaultName Name", "Destination KeyOps KeyType Size Expires NotBefore Disable Tag CurveName KeyFilePath KeyFilePassword"},
	{"CK-195", "Get-AzKeyVaultKey", "VaultName Name Version", "VaultName IncludeVersions InRemovedState", "OutFile"},
	{"CK-196", "Update-AzKeyVaultKey", "VaultName Name Version", "VaultName Name", "Enable Expires NotBefore KeyOps Tag PassThru"},
	{"CK-197", "Backup-AzKeyVaultKey", "VaultName Name OutputFile", "VaultName Name", "Force"},
	{"CK-198", "Restore-AzKeyVaultKey", "VaultName InputFile", "VaultName InputFile", ""},
	{"CK-199", "Remove-AzKeyVaultKey", "VaultName Name", "VaultName Name", "Force PassThru InRemovedState"},
	{"CK-200", "Undo-AzKeyVaultKeyRemoval", "VaultName Name", "VaultName Name", ""},
	{"CK-201", "Undo-AzKeyVaultRemoval", "VaultName ResourceGroupName Location", "VaultName", ""},
}

func TestSection3Commands(t *testing.T) {
	t.Parallel()
	for _, want := range commands3 {
		c, err := cmdlet.Find(Table(), want.cmdlet)
		if err != nil {
			t.Errorf("%s: %v", want.row, err)
			continue
		}
		find := func(word string) *cmdlet.Param {
			names := strings.Split(word, "|")
			p := c.Param(names[0])
			for _, n := range names {
				if p == nil || c.Param(n) != p || !slices.Contains(append(p.Aliases, p.Name), n) {
					t.Errorf("%s: %s has no -%s", want.row, c.Name, n)
					return &cmdlet.Param{}
				}
			}
			return p
		}
		for i, word := range strings.Fields(want.positional) {
			if p := find(word); p.Position != i+1 {
				t.Errorf("%s: -%s of %s is at place %d", want.row, word, c.Name, p.Position)
			}
		}
		for _, word := range strings.Fields(want.mandatory) {
			if !find(word).Mandatory {
				t.Errorf("%s: -%s of %s can be left out", want.row, word, c.Name)
			}
		}
		for _, word := range strings.Fields(want.named) {
			if find(word).Mandatory {
				t.Errorf("%s: -%s of %s is needed", want.row, word, c.Name)
			}
		}
	}
}

// CK-90, CK-99, CK-109, CK-131, CK-136: what changes something takes -WhatIf and -Confirm, what shows something does not.
// CK-199: what destroys asks. CK-93, CK-100, CK-102, CK-110, CK-111, CK-138: an identity comes through a pipeline.
func TestSection3Habits(t *testing.T) {
	t.Parallel()
	for _, c := range Table() {
		verb, _, _ := strings.Cut(c.Name, "-")
		if shows := slices.Contains([]string{"Get", "Test"}, verb); shows && c.Impact != cmdlet.None {
			t.Errorf("%s takes -WhatIf", c.Name)
		}
		if changes := slices.Contains([]string{"New", "Set", "Register", "Update", "Restore", "Remove", "Undo"}, verb); changes && c.Side != cmdlet.Shell && c.Impact == cmdlet.None {
			t.Errorf("%s takes no -WhatIf", c.Name)
		}
	}
	for _, name := range []string{"Remove-AzKeyVaultKey", "Remove-AzKeyVault"} {
		if c, err := cmdlet.Find(Table(), name); err != nil || !asks(t, c) {
			t.Errorf("CK-199: %s does not ask (%v)", name, err)
		}
	}
	for _, name := range []string{setM365, getM365, "Test-M365DataAtRestEncryptionPolicy", getMailboxPolicy, setMailboxPolicy, "Get-SPOSiteDataEncryptionPolicy", "Set-Mailbox", "Get-MailboxStatistics"} {
		if c, err := cmdlet.Find(Table(), name); err != nil || !c.Param("Identity").Pipeline {
			t.Errorf("%s takes no identity from a pipeline (%v)", name, err)
		}
	}
}

// CK-189, CK-204: the labels that PowerShell shows, in its order.
func TestSection3Labels(t *testing.T) {
	t.Parallel()
	for kind, labels := range map[string][]string{
		cmdlet.VaultType: {"Vault Name", "Resource Group Name", "Location", "Resource ID", "Vault URI", "Tenant ID", "SKU", "Enabled For Deployment?", "Enabled For Template Deployment?",
			"Enabled For Disk Encryption?", "Soft Delete Enabled?", "Access Policies", "Network Rule Set", "Tags"},
		cmdlet.KeyType: {"Vault/HSM Name", "Name", "Key Type", "Key Size", "Version", "Id", "Enabled", "Expires", "Not Before", "Created", "Updated", "Purge Disabled", "Tags"},
	} {
		i := slices.IndexFunc(Views(), func(v cmdlet.View) bool { return v.Type == kind })
		if i < 0 {
			t.Fatalf("there is no view of %s", kind)
		}
		var shown []string
		for _, c := range Views()[i].List {
			if slices.Contains(labels, c.Label) {
				shown = append(shown, c.Label)
			}
		}
		if !slices.Equal(shown, labels) {
			t.Errorf("%s shows %q, want %q", kind, shown, labels)
		}
	}
}
