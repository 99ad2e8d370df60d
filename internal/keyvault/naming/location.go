package naming

import (
	"regexp"
	"strings"
)

var location = regexp.MustCompile(`^[A-Za-z0-9 -]{1,64}$`)

// IsLocation reports whether something can lie there: 1 to 64 letters, digits, spaces and dashes.
func IsLocation(s string) bool { return location.MatchString(s) }

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

// Geography returns the geography of a location, "West Europe" or "westeurope".
func Geography(location string) string {
	location = plainLocation(location)
	if g, ok := geographies[location]; ok {
		return g
	}
	return location
}

// plainLocation is the form in which locations are compared.
func plainLocation(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

// SameLocation compares "West Europe" and "westeurope" as equal.
func SameLocation(a, b string) bool { return plainLocation(a) == plainLocation(b) }
