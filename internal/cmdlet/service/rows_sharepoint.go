package service

import (
	"fmt"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/policy"
)

// Type names of what the SharePoint cmdlets return.
const (
	geoPolicyType  = "SPODataEncryptionPolicy"
	sitePolicyType = "SPOSiteDataEncryptionPolicy"
	geoType        = "CKGeo"
	siteType       = "CKSite"
)

// The parameter sets of section 3.3.
const (
	byNames = "BYOK_MultipleParameters"
	byURI   = "BYOK_Uri"
	both    = "Replace" // ours: both roots in one act
)

var (
	geoParam = cmdlet.Param{Name: "Geo", Type: cmdlet.String, Help: "The geo, where the organization has several; that for new sites unless given."}
	// adminSite was once how the geo was chosen (row CK-140).
	adminSite = cmdlet.Param{Name: "Identity", Type: cmdlet.String, Position: 1, Help: "Address of the admin site; older scripts give it. It must be that of the geo, and has no other effect."}
)

// rootParams are one root key, by names or by URI; side is "Primary", "Secondary" or "".
func rootParams(side, of string) []cmdlet.Param {
	names := []string{byNames}
	return []cmdlet.Param{
		{Name: side + "KeyVaultName", Type: cmdlet.String, Mandatory: true, Sets: names, Help: fmt.Sprintf("Name of the vault that holds the %s.", of)},
		{Name: side + "KeyName", Type: cmdlet.String, Mandatory: true, Sets: names, Help: fmt.Sprintf("Name of the %s.", of)},
		{Name: side + "KeyVersion", Type: cmdlet.String, Mandatory: true, Sets: names, Help: fmt.Sprintf("Version of the %s: 32 hexadecimal digits, with or without hyphens.", of)},
		{Name: side + "KeyVaultUri", Type: cmdlet.String, Mandatory: true, Sets: []string{byURI}, Help: fmt.Sprintf("The URI of the %s with its version; without one the newest is taken, and kept.", of)},
	}
}

// pairParams are both root keys.
func pairParams() []cmdlet.Param {
	params := append(rootParams("Primary", "first root key"), rootParams("Secondary", "second root key")...)
	return append(params, geoParam, adminSite)
}

// sharePointRows are the SharePoint family (section 3.3), and the geos and sites that it is about.
func sharePointRows() []row {
	return []row{
		registerRow(), updateGeoRow(), getGeoPolicyRow(), getSitePolicyRow(), restoreRow(), getGeosRow(), addGeoRow(), newSiteRow(),
	}
}

func registerRow() row {
	return row{serve: registerGeo, Cmdlet: cmdlet.Cmdlet{
		Name:     "Register-SPODataEncryptionPolicy",
		Synopsis: "Put files of a geo under two root keys of your own.",
		Description: "Covers all files of SharePoint, OneDrive and Teams in the geo: new ones at once, those that are there in the background; Get-SPODataEncryptionPolicy shows how far it is. " +
			"The keys must lie in two vaults of two subscriptions, and the service must be allowed to get, wrap and unwrap with them. Single sites cannot be chosen, and there is no way back to the keys of the service.",
		Examples: []string{
			"Register-SPODataEncryptionPolicy -PrimaryKeyVaultName contoso-east -PrimaryKeyName files1 -PrimaryKeyVersion f635a23bd4a44b9996ff6aadd88d42ba -SecondaryKeyVaultName contoso-west -SecondaryKeyName files2 -SecondaryKeyVersion 2b3e8f1d754f438dacdec1f0945f251a",
			"Register-SPODataEncryptionPolicy -PrimaryKeyVaultUri https://contoso-east.vault.localhost:8443/keys/files1 -SecondaryKeyVaultUri https://contoso-west.vault.localhost:8443/keys/files2 -Geo EUR",
		},
		Params: pairParams(), DefaultSet: byNames, Output: geoPolicyType, Impact: cmdlet.Medium, Side: cmdlet.Service,
		Roles: rolesFor(policy.SharePoint, policy.Create),
	}}
}

func updateGeoRow() row {
	params := rootParams("", "new root key")
	params = append(params,
		cmdlet.Param{Name: "KeyType", Type: cmdlet.String, Mandatory: true, Sets: []string{byNames, byURI}, Values: []string{"Primary", "Secondary", "Availability"}, Help: "Which root key to change: Primary or Secondary."},
		cmdlet.Param{Name: "KeyVaultType", Type: cmdlet.String, Sets: []string{byNames, byURI}, Values: []string{"KeyVault", "ManagedHSM"}, Help: "What holds the key; accepted, and has no effect."},
		cmdlet.Param{Name: "Replace", Type: cmdlet.Switch, Mandatory: true, Sets: []string{both}, Help: "Change both root keys in one act, rather than one after the other."},
		cmdlet.Param{Name: "PrimaryKeyVaultUri", Type: cmdlet.String, Mandatory: true, Sets: []string{both}, Help: "The URI of the new first root key."},
		cmdlet.Param{Name: "SecondaryKeyVaultUri", Type: cmdlet.String, Mandatory: true, Sets: []string{both}, Help: "The URI of the new second root key."},
		geoParam, adminSite,
	)
	return row{serve: updateGeo, Cmdlet: cmdlet.Cmdlet{
		Name:     "Update-SPODataEncryptionPolicy",
		Synopsis: "Roll a root key of the policy for files.",
		Description: "Takes another key, or another version of one, as the primary or secondary root key. It only starts the roll: sites move in the background, and Get-SPODataEncryptionPolicy says Rolling until all have. " +
			"A second roll has to wait for that; -Replace changes both keys in one.",
		Examples: []string{
			"Update-SPODataEncryptionPolicy -KeyVaultName contoso-east -KeyName files1 -KeyVersion 2b3e8f1d754f438dacdec1f0945f251a -KeyType Primary",
			"Update-SPODataEncryptionPolicy -KeyVaultUri https://contoso-west.vault.localhost:8443/keys/files3/2b3e8f1d754f438dacdec1f0945f251a -KeyType Secondary",
		},
		Params: params, DefaultSet: byNames, Output: geoPolicyType, Impact: cmdlet.Medium, Side: cmdlet.Service,
		Roles: rolesFor(policy.SharePoint, policy.Replace), Check: checkUpdateGeo,
	}}
}

func getGeoPolicyRow() row {
	return row{serve: getGeoPolicy, Cmdlet: cmdlet.Cmdlet{
		Name:        "Get-SPODataEncryptionPolicy",
		Synopsis:    "Show how files of a geo are covered: state, progress, keys.",
		Description: "State is Unregistered, Registering, Registered, Rolling or Recovering; RegistrationProgress says how many percent of the sites are under the newest keys. RevocationBound is the longest that taking both keys back can go unnoticed where no vault tells of it.",
		Examples:    []string{"Get-SPODataEncryptionPolicy", "Get-SPODataEncryptionPolicy -Geo EUR"},
		Params:      []cmdlet.Param{geoParam, adminSite},
		Output:      geoPolicyType, Side: cmdlet.Service, Roles: rolesFor(policy.SharePoint, policy.Read),
	}}
}

func getSitePolicyRow() row {
	return row{serve: getSitePolicy, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-SPOSiteDataEncryptionPolicy",
		Synopsis: "Show how one site is covered.",
		Examples: []string{"Get-SPOSiteDataEncryptionPolicy -Identity https://contoso.sharepoint.com/sites/marketing", "Get-SPOSiteDataEncryptionPolicy marketing"},
		Params:   []cmdlet.Param{{Name: "Identity", Type: cmdlet.ID, Position: 1, Mandatory: true, Pipeline: true, Help: "Address or name of the site."}},
		Output:   sitePolicyType, Side: cmdlet.Service, Roles: rolesFor(policy.SharePoint, policy.Read),
	}}
}

func restoreRow() row {
	return row{serve: restoreGeo, Cmdlet: cmdlet.Cmdlet{
		Name:     "Restore-SPODataEncryptionPolicy",
		Synopsis: "Give files in recovery two new root keys.",
		Description: "For when both root keys are lost for ever. It works only while the geo is in recovery, which takes a request that was approved: see Get-CKRequest. " +
			"The availability key opens the policy key, and the new root keys wrap it: all files are readable at once.",
		Examples: []string{"Restore-SPODataEncryptionPolicy -PrimaryKeyVaultUri https://contoso-east.vault.localhost:8443/keys/rescue1 -SecondaryKeyVaultUri https://contoso-west.vault.localhost:8443/keys/rescue2"},
		Params:   pairParams(), DefaultSet: byNames, Output: geoPolicyType, Impact: cmdlet.Medium, Side: cmdlet.Service,
		Roles: rolesFor(policy.SharePoint, policy.Recover),
	}}
}

func getGeosRow() row {
	return row{serve: getGeos, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKGeo",
		Synopsis: "List the geos in which an organization keeps its files.",
		Examples: []string{"Get-CKGeo", "Get-CKGeo -Tenant contoso.example"},
		Params:   []cmdlet.Param{{Name: "Tenant", Type: cmdlet.String, Help: "Id or domain of the organization, for operators of the service; your own unless given."}},
		Output:   geoType, Side: cmdlet.Service, Roles: append(rolesFor(policy.SharePoint, policy.Read), operators...),
	}}
}

func addGeoRow() row {
	return row{serve: addGeo, Cmdlet: cmdlet.Cmdlet{
		Name:        "Add-CKGeo",
		Synopsis:    "Give an organization another geo for its files.",
		Description: "For operators of the service. Sites stay in the geo in which they were made, and a geo is never taken away. Each geo takes a policy of its own.",
		Examples:    []string{"Add-CKGeo -Tenant contoso.example -Geo EUR", "Add-CKGeo -Tenant contoso.example -Geo EUR -Default"},
		Params: []cmdlet.Param{
			{Name: "Tenant", Type: cmdlet.String, Mandatory: true, Help: "Id or domain of the organization."},
			{Name: "Geo", Type: cmdlet.String, Mandatory: true, Help: "Name of the geo: 2 to 16 letters and digits."},
			{Name: "Default", Type: cmdlet.Switch, Help: "Keep new sites there unless another geo is named."},
		},
		Output: geoType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: operators,
	}}
}

func newSiteRow() row {
	return row{serve: newSite, Cmdlet: cmdlet.Cmdlet{
		Name:        "New-CKSite",
		Synopsis:    "Make a site in one of the organization's geos.",
		Description: "A site can also be made by writing a file to it; then it belongs to whoever did, in the geo for new sites. The geo of a site never changes.",
		Examples:    []string{"New-CKSite -Name marketing -Geo EUR -Owner alice@contoso.example"},
		Params: []cmdlet.Param{
			{Name: "Name", Type: cmdlet.String, Position: 1, Mandatory: true, Help: "Name of the site, unique in the organization."},
			geoParam,
			{Name: "Owner", Type: cmdlet.String, Help: "User principal name of the person it belongs to; you unless given."},
		},
		Output: siteType, Impact: cmdlet.Medium, Side: cmdlet.Service, Roles: rolesFor(policy.SharePoint, policy.Assign),
	}}
}

func sharePointViews() []cmdlet.View {
	return []cmdlet.View{
		{Type: geoPolicyType, Table: []cmdlet.Column{
			{Label: "Geo", Property: "Geo"}, {Label: "State", Property: "State"}, {Label: "Progress", Property: "RegistrationProgress"}, {Label: "PrimaryKeyVaultUri", Property: "PrimaryKeyVaultUri"}, {Label: "SecondaryKeyVaultUri", Property: "SecondaryKeyVaultUri"},
		}},
		{Type: sitePolicyType},
		{Type: geoType, Summary: true},
		{Type: siteType},
	}
}
