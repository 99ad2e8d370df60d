package script

import (
	"fmt"
	"strings"
	"unicode"
)

// Quote writes text as a value of a command: as it is where nothing in it means anything to
// Parse, else in quotes. What is no UTF-8 becomes U+FFFD.
func Quote(text string) string {
	text = strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	if _, number := Number(text); text != "" && !number && bareText(text) == text {
		return text
	}
	return quoted(text)
}

// quoted writes text in single quotes, or in double ones with escapes if it holds characters
// that do not show.
func quoted(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return `"` + escaped(text) + `"`
	}
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range text {
		if isSingle(r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// escaped writes text as it stands between double quotes.
func escaped(text string) string {
	return escapeSome(text, func(_ int, r rune) bool { return isDouble(r) || r == '`' || r == '$' })
}

// bareText writes text as a bare word; it is the same where nothing in it means anything.
func bareText(text string) string {
	return escapeSome(text, func(i int, r rune) bool {
		begins := i == 0 && (isDash(r) || r == '#' || r == '@' || strings.HasPrefix(text, "[-"))
		return begins || !isPlain(r)
	})
}

func variableName(name string) string {
	if name == "?" || name != "" && !strings.ContainsFunc(name, func(r rune) bool { return !isNamePart(r) }) {
		return name
	}
	return "{" + bracedName(name) + "}"
}

func bracedName(name string) string {
	return escapeSome(name, func(_ int, r rune) bool { return r == '`' || r == '{' || r == '}' || r == ':' })
}

// escapeSome puts a backtick in front of some characters, told by their place and by
// themselves, and writes control characters by name.
func escapeSome(text string, some func(int, rune) bool) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case unicode.IsControl(r):
			b.WriteString(controlEscape(r))
			continue
		case some(i, r):
			b.WriteByte('`')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func controlEscape(r rune) string {
	for letter, special := range escapes {
		if r == special {
			return "`" + string(letter)
		}
	}
	return fmt.Sprintf("`u{%X}", r)
}

// isName tells names that need no quotes.
func isName(text string) bool {
	for i, r := range text {
		if i == 0 && !isNameStart(r) || !isNamePart(r) {
			return false
		}
	}
	return text != ""
}
