package keyvault

import "strings"

// geographies maps locations to the geography within which backups can be restored (KV-76). A
// location that is not listed is a geography of its own.
var geographies = map[string]string{
	"eastus": "US", "eastus2": "US", "centralus": "US", "northcentralus": "US", "southcentralus": "US",
	"westcentralus": "US", "westus": "US", "westus2": "US", "westus3": "US",
	"northeurope": "EU", "westeurope": "EU",
	"francecentral": "France", "francesouth": "France",
	"germanywestcentral": "Germany", "germanynorth": "Germany",
	"norwayeast": "Norway", "norwaywest": "Norway",
	"swedencentral": "Sweden", "swedensouth": "Sweden",
	"switzerlandnorth": "Switzerland", "switzerlandwest": "Switzerland",
	"uksouth": "UK", "ukwest": "UK",
	"canadacentral": "Canada", "canadaeast": "Canada",
	"brazilsouth": "Brazil", "brazilsoutheast": "Brazil",
	"australiaeast": "Australia", "australiasoutheast": "Australia", "australiacentral": "Australia",
	"japaneast": "Japan", "japanwest": "Japan",
	"koreacentral": "Korea", "koreasouth": "Korea",
	"centralindia": "India", "southindia": "India", "westindia": "India",
	"eastasia": "AsiaPacific", "southeastasia": "AsiaPacific",
	"southafricanorth": "SouthAfrica", "southafricawest": "SouthAfrica",
	"uaenorth": "UAE", "uaecentral": "UAE",
}

// geographyOf returns the geography of a location, "West Europe" or "westeurope".
func geographyOf(location string) string {
	location = plainLocation(location)
	if g, ok := geographies[location]; ok {
		return g
	}
	return location
}

// plainLocation is the form in which locations are compared.
func plainLocation(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
