package prompt

import (
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/script"
)

// A source is a command that lists names, and the property that holds them.
type source struct {
	command  string
	words    []string
	property string
}

var (
	tenantPolicies  = source{command: "Get-M365DataAtRestEncryptionPolicy", property: "Name"}
	mailboxPolicies = source{command: "Get-DataEncryptionPolicy", property: "Name"}
	mailboxes       = source{command: "Get-Mailbox", property: "UserPrincipalName"}
	groups          = source{command: "Get-UnifiedGroup", property: "Name"}
	mailUsers       = source{command: "Get-MailUser", property: "UserPrincipalName"}
	vaults          = source{command: "Get-AzKeyVault", property: "VaultName"}
	subscriptions   = source{command: "Get-AzSubscription", property: "Name"}
	geos            = source{command: "Get-CKGeo", property: "Geo"}
	operations      = source{command: "Get-CKOperation", property: "Id"}
	requests        = source{command: "Get-CKRequest", property: "Identity"}
	alerts          = source{command: "Get-CKAlertSubscription", property: "Name"}
)

// byParameter are the sources of parameters that mean the same wherever they are.
var byParameter = map[string][]source{
	"VaultName": {vaults}, "KeyVaultName": {vaults}, "PrimaryKeyVaultName": {vaults}, "SecondaryKeyVaultName": {vaults},
	"Subscription": {subscriptions}, "Geo": {geos},
}

// byNoun are the sources of -Identity, by a part of the command's noun; the first that fits counts.
var byNoun = []struct {
	noun    string
	sources []source
}{
	{"-M365DataAtRestEncryptionPolicy", []source{tenantPolicies}},
	{"-DataEncryptionPolicy", []source{mailboxPolicies}},
	{"-MailboxStatistics", []source{mailboxes}},
	{"-CKMailboxPolicy", []source{mailboxPolicies}},
	{"-Mailbox", []source{mailboxes}},
	{"-User", []source{mailboxes}},
	{"-MailUser", []source{mailUsers}},
	{"-UnifiedGroup", []source{groups}},
	{"-CKOperation", []source{operations}},
	{"-CKRequest", []source{requests}},
	{"-CKKeyHealth", []source{tenantPolicies, mailboxPolicies}},
	{"-CKAvailabilityKey", []source{tenantPolicies, mailboxPolicies}},
	{"-CKReencryption", []source{tenantPolicies, mailboxPolicies}},
	{"-CKRehearsal", []source{tenantPolicies, mailboxPolicies}},
	{"-CKPurge", []source{tenantPolicies, mailboxPolicies}},
}

// sources returns what lists the values of a parameter, nil if nothing does. at has the words that
// are typed already: names of keys are those of the vault among them.
func sources(c *cmdlet.Cmdlet, p *cmdlet.Param, at script.Place) []source {
	if list, ok := byParameter[p.Name]; ok {
		return list
	}
	switch {
	case makesNew(c.Name) && p.Name == "Name":
		return nil
	case p.Name == "Name" && strings.HasSuffix(c.Name, "-AzKeyVaultKey"):
		return keysOf(c, at, "VaultName")
	case strings.HasSuffix(p.Name, "KeyName"):
		return keysOf(c, at, strings.TrimSuffix(p.Name, "Name")+"VaultName")
	case p.Name == "Name" && strings.HasSuffix(c.Name, "-CKAlertSubscription"):
		return []source{alerts}
	case p.Name == "DataEncryptionPolicy" && strings.Contains(c.Name, "M365"):
		return []source{tenantPolicies}
	case p.Name == "DataEncryptionPolicy":
		return []source{mailboxPolicies}
	case p.Name == "Identity":
		return identities(c)
	}
	return nil
}

func makesNew(command string) bool {
	return strings.HasPrefix(command, "New-") || strings.HasPrefix(command, "Add-")
}

func identities(c *cmdlet.Cmdlet) []source {
	for _, n := range byNoun {
		if strings.Contains(c.Name, n.noun) {
			return n.sources
		}
	}
	return nil
}

// keysOf lists the keys of the vault that the words before name.
func keysOf(c *cmdlet.Cmdlet, at script.Place, parameter string) []source {
	vault := given(c, at.Command, parameter)
	if vault == "" {
		return nil
	}
	return []source{{command: "Get-AzKeyVaultKey", words: []string{"-VaultName", vault}, property: "Name"}}
}
