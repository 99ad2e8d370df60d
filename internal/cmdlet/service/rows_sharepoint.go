package cmdlet

import (
	"fmt"

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
	geoParam = Param{Name: "Geo", Type: String, Help: "The geo, where the organization has several; that for new sites unless given."}
	// adminSite was once how the geo was chosen (row CK-140).
	adminSite = Param{Name: "Identity", Type: String, Position: 1, Help: "Address of the admin site; older scripts give it. It must be that of the geo, and has no other effect."}
)

// rootParams are one root key, by names or by URI; side is "Primary", "Secondary" or "".
func rootParams(side, of string) []Param {
	names := []string{byNames}
	return []Param{
		{Name: side + "KeyVaultName", Type: String, Mandatory: true, Sets: names, Help: fmt.Sprintf("Name of the vault that holds the %s.", of)},
		{Name: side + "KeyName", Type: String, Mandatory: true, Sets: names, Help: fmt.Sprintf("Name of the %s.", of)},
		{Name: side + "KeyVersion", Type: String, Mandatory: true, Sets: names, Help: fmt.Sprintf("Version of the %s: 32 hexadecimal digits, with or without hyphens.", of)},
		{Name: side + "KeyVaultUri", Type: String, Mandatory: true, Sets: []string{byURI}, Help: fmt.Sprintf("The URI of the %s with its version; without one the newest is taken, and kept.", of)},
	}
}

// pairParams are both root keys.
func pairParams() []Param {
	params := append(rootParams("Primary", "first root key"), rootParams("Secondary", "second root key")...)
	return append(params, geoParam, adminSite)
}

// sharePointRows are the SharePoint family (section 3.3), and the geos and sites that it is about.
func sharePointRows() []Cmdlet {
	return []Cmdlet{
		registerRow(), updateGeoRow(), getGeoPolicyRow(), getSitePolicyRow(), restoreRow(), getGeosRow(), addGeoRow(), newSiteRow(),
	}
}

func registerRow() Cmdlet {
	return Cmdlet{
		Name:     "Register-SPODataEncryptionPolicy",
		Synopsis: "Put files of a geo under two root keys of your own.",
		Description: "Covers all files of SharePoint, OneDrive and Teams in the geo: new ones at once, those that are there in the background; Get-SPODataEncryptionPolicy shows how far it is. " +
			"The keys must lie in two vaults of two subscriptions, and the service must be allowed to get, wrap and unwrap with them. Single sites cannot be chosen, and there is no way back to the keys of the service.",
		Examples: []string{
			"Register-SPODataEncryptionPolicy -PrimaryKeyVaultName contoso-east -PrimaryKeyName files1 -PrimaryKeyVersion f635a23bd4a44b9996ff6aadd88d42ba -SecondaryKeyVaultName contoso-west -SecondaryKeyName files2 -SecondaryKeyVersion 2b3e8f1d754f438dacdec1f0945f251a",
			"Register-SPODataEncryptionPolicy -PrimaryKeyVaultUri https://contoso-east.vault.localhost:8443/keys/files1 -SecondaryKeyVaultUri https://contoso-west.vault.localhost:8443/keys/files2 -Geo EUR",
		},
		Params: pairParams(), DefaultSet: byNames, Output: geoPolicyType, Impact: Medium, Side: Service,
		Roles: rolesFor(policy.SharePoint, policy.Create), serve: registerGeo,
	}
}

func updateGeoRow() Cmdlet {
	params := rootParams("", "new root key")
	params = append(params,
		Param{Name: "KeyType", Type: String, Mandatory: true, Sets: []string{byNames, byURI}, Values: []string{"Primary", "Secondary", "Availability"}, Help: "Which root key to change: Primary or Secondary."},
		Param{Name: "KeyVaultType", Type: String, Sets: []string{byNames, byURI}, Values: []string{"KeyVault", "ManagedHSM"}, Help: "What holds the key; accepted, and has no effect."},
		Param{Name: "Replace", Type: Switch, Mandatory: true, Sets: []string{both}, Help: "Change both root keys in one act, rather than one after the other."},
		Param{Name: "PrimaryKeyVaultUri", Type: String, Mandatory: true, Sets: []string{both}, Help: "The URI of the new first root key."},
		Param{Name: "SecondaryKeyVaultUri", Type: String, Mandatory: true, Sets: []string{both}, Help: "The URI of the new second root key."},
		geoParam, adminSite,
	)
	return Cmdlet{
		Name:     "Update-SPODataEncryptionPolicy",
		Synopsis: "Roll a root key of the policy for files.",
		Description: "Takes another key, or another version of one, as the primary or secondary root key. It only starts the roll: sites move in the background, and Get-SPODataEncryptionPolicy says Rolling until all have. " +
			"A second roll has to wait for that; -Replace changes both keys in one.",
		Examples: []string{
			"Update-SPODataEncryptionPolicy -KeyVaultName contoso-east -KeyName files1 -KeyVersion 2b3e8f1d754f438dacdec1f0945f251a -KeyType Primary",
			"Update-SPODataEncryptionPolicy -KeyVaultUri https://contoso-west.vault.localhost:8443/keys/files3/2b3e8f1d754f438dacdec1f0945f251a -KeyType Secondary",
		},
		Params: params, DefaultSet: byNames, Output: geoPolicyType, Impact: Medium, Side: Service,
		Roles: rolesFor(policy.SharePoint, policy.Replace), check: checkUpdateGeo, serve: updateGeo,
	}
}

func getGeoPolicyRow() Cmdlet {
	return Cmdlet{
		Name:        "Get-SPODataEncryptionPolicy",
		Synopsis:    "Show how files of a geo are covered: state, progress, keys.",
		Description: "State is Unregistered, Registering, Registered, Rolling or Recovering; RegistrationProgress says how many percent of the sites are under the newest keys. RevocationBound is the longest that taking both keys back can go unnoticed where no vault tells of it.",
		Examples:    []string{"Get-SPODataEncryptionPolicy", "Get-SPODataEncryptionPolicy -Geo EUR"},
		Params:      []Param{geoParam, adminSite},
		Output:      geoPolicyType, Side: Service, Roles: rolesFor(policy.SharePoint, policy.Read), serve: getGeoPolicy,
	}
}

func getSitePolicyRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-SPOSiteDataEncryptionPolicy",
		Synopsis: "Show how one site is covered.",
		Examples: []string{"Get-SPOSiteDataEncryptionPolicy -Identity https://contoso.sharepoint.com/sites/marketing", "Get-SPOSiteDataEncryptionPolicy marketing"},
		Params:   []Param{{Name: "Identity", Type: ID, Position: 1, Mandatory: true, Pipeline: true, Help: "Address or name of the site."}},
		Output:   sitePolicyType, Side: Service, Roles: rolesFor(policy.SharePoint, policy.Read), serve: getSitePolicy,
	}
}

func restoreRow() Cmdlet {
	return Cmdlet{
		Name:     "Restore-SPODataEncryptionPolicy",
		Synopsis: "Give files in recovery two new root keys.",
		Description: "For when both root keys are lost for ever. It works only while the geo is in recovery, which takes a request that was approved: see Get-CKRequest. " +
			"The availability key opens the policy key, and the new root keys wrap it: all files are readable at once.",
		Examples: []string{"Restore-SPODataEncryptionPolicy -PrimaryKeyVaultUri https://contoso-east.vault.localhost:8443/keys/rescue1 -SecondaryKeyVaultUri https://contoso-west.vault.localhost:8443/keys/rescue2"},
		Params:   pairParams(), DefaultSet: byNames, Output: geoPolicyType, Impact: Medium, Side: Service,
		Roles: rolesFor(policy.SharePoint, policy.Recover), serve: restoreGeo,
	}
}

func getGeosRow() Cmdlet {
	return Cmdlet{
		Name:     "Get-CKGeo",
		Synopsis: "List the geos in which an organization keeps its files.",
		Examples: []string{"Get-CKGeo", "Get-CKGeo -Tenant contoso.example"},
		Params:   []Param{{Name: "Tenant", Type: String, Help: "Id or domain of the organization, for operators of the service; your own unless given."}},
		Output:   geoType, Side: Service, Roles: append(rolesFor(policy.SharePoint, policy.Read), operators...), serve: getGeos,
	}
}

func addGeoRow() Cmdlet {
	return Cmdlet{
		Name:        "Add-CKGeo",
		Synopsis:    "Give an organization another geo for its files.",
		Description: "For operators of the service. Sites stay in the geo in which they were made, and a geo is never taken away. Each geo takes a policy of its own.",
		Examples:    []string{"Add-CKGeo -Tenant contoso.example -Geo EUR", "Add-CKGeo -Tenant contoso.example -Geo EUR -Default"},
		Params: []Param{
			{Name: "Tenant", Type: String, Mandatory: true, Help: "Id or domain of the organization."},
			{Name: "Geo", Type: String, Mandatory: true, Help: "Name of the geo: 2 to 16 letters and digits."},
			{Name: "Default", Type: Switch, Help: "Keep new sites there unless another geo is named."},
		},
		Output: geoType, Impact: Medium, Side: Service, Roles: operators, serve: addGeo,
	}
}

func newSiteRow() Cmdlet {
	return Cmdlet{
		Name:        "New-CKSite",
		Synopsis:    "Make a site in one of the organization's geos.",
		Description: "A site can also be made by writing a file to it; then it belongs to whoever did, in the geo for new sites. The geo of a site never changes.",
		Examples:    []string{"New-CKSite -Name marketing -Geo EUR -Owner alice@contoso.example"},
		Params: []Param{
			{Name: "Name", Type: String, Position: 1, Mandatory: true, Help: "Name of the site, unique in the organization."},
			geoParam,
			{Name: "Owner", Type: String, Help: "User principal name of the person it belongs to; you unless given."},
		},
		Output: siteType, Impact: Medium, Side: Service, Roles: rolesFor(policy.SharePoint, policy.Assign), serve: newSite,
	}
}

func sharePointViews() []View {
	return []View{
		{Type: geoPolicyType, Table: []Column{
			{"Geo", "Geo"}, {"State", "State"}, {"Progress", "RegistrationProgress"}, {"PrimaryKeyVaultUri", "PrimaryKeyVaultUri"}, {"SecondaryKeyVaultUri", "SecondaryKeyVaultUri"},
		}},
		{Type: sitePolicyType},
		{Type: geoType, Summary: true},
		{Type: siteType},
	}
}
