package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of texts, in characters (no source gives any: CK-386).
const (
	maxName        = 64
	maxDescription = 1024
)

// checkName refuses names that could not be told apart when read, or that would be taken for
// an id. Spaces inside are fine.
func checkName(name string) error {
	if name == "" {
		return fault.New(fault.Invalid, "the policy needs a name").WithHint("give it one with -Name")
	}
	if err := checkText("name", name, maxName); err != nil {
		return err
	}
	if _, err := uuid.Parse(name); err == nil {
		return fault.New(fault.Invalid, "the name of a policy cannot be a GUID").WithHint("choose a name that says what it protects")
	}
	return nil
}

// checkText refuses text that is too long, has control or invisible characters, or begins or
// ends with a space.
func checkText(what, text string, most int) error {
	switch {
	case utf8.RuneCountInString(text) > most:
		return fault.New(fault.Invalid, "the %s of the policy is longer than %d characters", what, most).WithHint("choose a shorter one")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.New(fault.Invalid, "the %s of the policy has characters that cannot be shown", what).
			WithHint("use letters, digits, punctuation and plain spaces")
	case strings.TrimSpace(text) != text:
		return fault.New(fault.Invalid, "the %s of the policy begins or ends with a space", what).WithHint("leave it out")
	}
	return nil
}

// FoldName returns the form of a name in which two names that differ by case only are equal.
func FoldName(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
