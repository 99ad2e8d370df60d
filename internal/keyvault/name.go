package keyvault

import (
	"regexp"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// Names of section 2. Longer vault names and "_" go beyond the documented rules, because the
// articles' own examples need them.
var (
	vaultName   = regexp.MustCompile(`^[A-Za-z]([-_]?[A-Za-z0-9])+$`)
	keyName     = regexp.MustCompile(`^[0-9A-Za-z_-]{1,127}$`)
	groupName   = regexp.MustCompile(`^[\pL\pN_().-]{0,89}[\pL\pN_()-]$`)
	location    = regexp.MustCompile(`^[A-Za-z0-9 -]{1,64}$`)
	versionName = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// fold returns a name in the form in which names are compared.
func fold(name string) string { return strings.ToLower(name) }

// SameName reports whether two names mean the same thing.
func SameName(a, b string) bool { return fold(a) == fold(b) }

// checkVaultName: 3 to 63 letters, digits, single "-" or "_"; a letter first, none of the
// two last.
func checkVaultName(name string) error {
	if len(name) < 3 || len(name) > 63 || !vaultName.MatchString(name) {
		return fault.New(fault.Invalid, "The vault name is invalid").WithReason(ReasonVaultName).
			WithHint("A vault's name has 3 to 63 letters, digits and single hyphens; it begins with a letter and ends with a letter or digit.")
	}
	return nil
}

func checkKeyName(name string) error {
	if !keyName.MatchString(name) {
		return fault.New(fault.Invalid, "The request URI contains an invalid name").
			WithHint("A key's name has 1 to 127 letters, digits, hyphens and underscores.")
	}
	return nil
}

// checkTags holds tags to 15, of at most 256 characters each (section 2).
func checkTags(tags map[string]string) error {
	if len(tags) > 15 {
		return invalid("tags")
	}
	for name, value := range tags {
		if name == "" || tooLong(name) || tooLong(value) {
			return invalid("tags")
		}
	}
	return nil
}

func tooLong(s string) bool { return len([]rune(s)) > 256 }
