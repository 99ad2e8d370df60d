package onboarding

import (
	"fmt"
	"strings"
)

// pairs are regions of Azure that are updated and fail over together: two vaults in one pair are
// in two regions of availability instead of four (row CK-41).
var pairs = map[string]string{
	"eastus": "westus", "eastus2": "centralus", "northcentralus": "southcentralus", "westus2": "westcentralus", "westus3": "eastus",
	"canadacentral": "canadaeast", "brazilsouth": "southcentralus",
	"northeurope": "westeurope", "uksouth": "ukwest", "francecentral": "francesouth", "germanywestcentral": "germanynorth",
	"norwayeast": "norwaywest", "swedencentral": "swedensouth", "switzerlandnorth": "switzerlandwest",
	"eastasia": "southeastasia", "japaneast": "japanwest", "koreacentral": "koreasouth", "centralindia": "southindia",
	"australiaeast": "australiasoutheast", "southafricanorth": "southafricawest", "uaenorth": "uaecentral",
}

// regions says what is unwise about two locations, nothing if that is nothing.
func regions(a, b string) (message, next string) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
	a, b = plain(a), plain(b)
	switch {
	case a == b:
		return "both vaults are in the region " + a, "make one of them in another region, close to the data too"
	case pairs[a] == b || pairs[b] == a:
		return fmt.Sprintf("the regions %s and %s are a pair: they are updated and fail over together", a, b), "two regions that are no pair outlast more"
	}
	return "", ""
}
