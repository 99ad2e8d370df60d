package script

import (
	"strings"
	"unicode"
)

// visible makes text safe to print in one line: every character keeps its place, but control
// characters and those that turn the direction of writing become spaces or U+FFFD.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
