package keyvault

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/fault"
)

// Names of section 2. Longer vault names and "_" go beyond the documented rules, because the
// articles' own examples need them. Those that every request names are not left to expressions,
// which take ten times as long; nor is that of a group, whose expression would take half a
// millisecond at each start of the program.
var location = regexp.MustCompile(`^[A-Za-z0-9 -]{1,64}$`)

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isDash(c byte) bool   { return c == '-' || c == '_' }

// isVaultName reports whether name has 3 to 63 letters, digits, single "-" or "_"; a letter
// first, none of the two last.
func isVaultName(name string) bool {
	if len(name) < 3 || len(name) > 63 || !isLetter(name[0]) || isDash(name[len(name)-1]) {
		return false
	}
	for i := 1; i < len(name); i++ {
		if c := name[i]; !isLetter(c) && !isDigit(c) && !(isDash(c) && !isDash(name[i-1])) {
			return false
		}
	}
	return true
}

// isKeyName reports whether name has 1 to 127 letters, digits, "-" or "_".
func isKeyName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && !isDash(c) {
			return false
		}
	}
	return name != "" && len(name) <= 127
}

// isVersion reports whether name is that of a version: 32 lower-case hex digits.
func isVersion(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isDigit(c) && (c < 'a' || 'f' < c) {
			return false
		}
	}
	return len(name) == 32
}

// isGroupName reports whether name has 1 to 90 letters and digits of any script, "_", "(", ")", "-" or
// ".", the last of them no ".".
func isGroupName(name string) bool {
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsNumber(c) && !strings.ContainsRune("_().-", c) {
			return false
		}
	}
	return name != "" && !strings.HasSuffix(name, ".") && utf8.RuneCountInString(name) <= 90
}

// fold returns a name in the form in which names are compared.
func fold(name string) string { return strings.ToLower(name) }

// SameName reports whether two names mean the same thing.
func SameName(a, b string) bool { return fold(a) == fold(b) }

func checkVaultName(name string) error {
	if !isVaultName(name) {
		return fault.New(fault.Invalid, "The vault name is invalid").WithReason(ReasonVaultName).
			WithHint("A vault's name has 3 to 63 letters, digits and single hyphens; it begins with a letter and ends with a letter or digit.")
	}
	return nil
}

func checkKeyName(name string) error {
	if !isKeyName(name) {
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

// isDisplayName reports whether a subscription can be called so: 1 to 256 characters, and no
// NUL, which not every database keeps.
func isDisplayName(s string) bool { return s != "" && !tooLong(s) && !strings.ContainsRune(s, 0) }

func tooLong(s string) bool { return len([]rune(s)) > 256 }
