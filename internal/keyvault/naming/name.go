package naming

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Names that every request bears are not left to expressions, which take ten times as long; nor
// is that of a group, whose expression would take half a millisecond at each start of the program.

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isDash(c byte) bool   { return c == '-' || c == '_' }

// IsVault reports whether name has 3 to 63 letters, digits, single "-" or "_"; a letter
// first, none of the two last.
func IsVault(name string) bool {
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

// IsKey reports whether name has 1 to 127 letters, digits, "-" or "_".
func IsKey(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && !isDash(c) {
			return false
		}
	}
	return name != "" && len(name) <= 127
}

// IsVersion reports whether name is that of a version: 32 lower-case hex digits.
func IsVersion(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isDigit(c) && (c < 'a' || 'f' < c) {
			return false
		}
	}
	return len(name) == 32
}

// IsGroup reports whether name has 1 to 90 letters and digits of any script, "_", "(", ")", "-" or
// ".", the last of them no ".".
func IsGroup(name string) bool {
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsNumber(c) && !strings.ContainsRune("_().-", c) {
			return false
		}
	}
	return name != "" && !strings.HasSuffix(name, ".") && utf8.RuneCountInString(name) <= 90
}

// Fold returns a name in the form in which names are compared.
func Fold(name string) string { return strings.ToLower(name) }

// Same reports whether two names mean the same thing.
func Same(a, b string) bool { return Fold(a) == Fold(b) }

// IsGUID reports whether s is one as ids are written: 36 characters, in any case.
func IsGUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
