package naming

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// ReasonVault is the reason of the fault about a name that no vault can have.
const ReasonVault = "VaultNameNotValid"

// Invalid is KV-95's answer: it names the member.
func Invalid(property string) *fault.Error {
	return fault.New(fault.Invalid, "Property %s has invalid value", property)
}

// CheckVault refuses what cannot be a vault's name, with ReasonVault.
func CheckVault(name string) error {
	if !IsVault(name) {
		return fault.New(fault.Invalid, "The vault name is invalid").WithReason(ReasonVault).
			WithHint("A vault's name has 3 to 63 letters, digits and single hyphens; it begins with a letter and ends with a letter or digit.")
	}
	return nil
}

// CheckKey refuses what cannot be a key's name.
func CheckKey(name string) error {
	if !IsKey(name) {
		return fault.New(fault.Invalid, "The request URI contains an invalid name").
			WithHint("A key's name has 1 to 127 letters, digits, hyphens and underscores.")
	}
	return nil
}

// CheckTags holds tags to 15, of at most 256 characters each (section 2).
func CheckTags(tags map[string]string) error {
	if len(tags) > 15 {
		return Invalid("tags")
	}
	for name, value := range tags {
		if name == "" || tooLong(name) || tooLong(value) {
			return Invalid("tags")
		}
	}
	return nil
}

// IsDisplayName reports whether a subscription can be called so: 1 to 256 characters, and no
// NUL, which not every database keeps.
func IsDisplayName(s string) bool { return s != "" && !tooLong(s) && !strings.ContainsRune(s, 0) }

func tooLong(s string) bool { return len([]rune(s)) > 256 }
