package script

import (
	"fmt"
	"strings"
	"unicode"
)

// glyph names a character for a message: itself, or its number where it does not show.
func glyph(r rune) string {
	if isInvisible(r) || unicode.IsSpace(r) {
		return fmt.Sprintf("%U", r)
	}
	return string(r)
}

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
