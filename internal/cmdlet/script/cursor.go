package script

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// end is what peek returns behind the last character. No script holds it: Parse refuses NUL.
const end rune = 0

// A cursor walks over a text and knows its place. It only goes forward, but for looks ahead
// that go back to a mark.
type cursor struct {
	text string
	off  int // bytes
	at   Pos
}

func newCursor(text string) cursor { return cursor{text: text, at: Pos{Line: 1, Column: 1}} }

func (c *cursor) rest() string { return c.text[c.off:] }

// peek returns the next character.
func (c *cursor) peek() rune {
	if c.off >= len(c.text) {
		return end
	}
	if b := c.text[c.off]; b < utf8.RuneSelf {
		return rune(b)
	}
	r, _ := utf8.DecodeRuneInString(c.rest())
	return r
}

// second returns the character behind the next one.
func (c *cursor) second() rune {
	if c.off >= len(c.text) {
		return end
	}
	_, size := utf8.DecodeRuneInString(c.rest())
	if c.off+size == len(c.text) {
		return end
	}
	r, _ := utf8.DecodeRuneInString(c.text[c.off+size:])
	return r
}

// next returns the next character and steps over it. CR, LF and CRLF each end one line.
func (c *cursor) next() rune {
	r, size := utf8.DecodeRuneInString(c.rest())
	if size == 0 {
		return end
	}
	c.off += size
	switch {
	case r == '\n', r == '\r' && c.peek() != '\n':
		c.at.Line++
		c.at.Column = 1
	case r != '\r':
		c.at.Column++
	}
	return r
}

func (c *cursor) has(prefix string) bool { return strings.HasPrefix(c.rest(), prefix) }

// take returns the characters from here on that belong, and steps over them.
func (c *cursor) take(belongs func(rune) bool) string {
	start := c.off
	for c.peek() != end && belongs(c.peek()) {
		c.next()
	}
	return c.text[start:c.off]
}

// Typographic quotes and dashes stand for plain ones, as in PowerShell (row X-31).

func isSingle(r rune) bool { return r == '\'' || r >= '\u2018' && r <= '\u201b' }

func isDouble(r rune) bool { return r == '"' || r >= '\u201c' && r <= '\u201e' }

func isDash(r rune) bool { return r == '-' || r >= '\u2010' && r <= '\u2015' || r == '\u2212' }

func isNewline(r rune) bool { return r == '\n' || r == '\r' }

// isSpace tells what separates words in a line; web pages put no-break spaces there.
func isSpace(r rune) bool { return r != end && !isNewline(r) && unicode.IsSpace(r) }

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isNameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func isNamePart(r rune) bool { return isNameStart(r) || unicode.IsDigit(r) }

// endsWord tells the characters that no bare word holds: what separates words, and what
// means something of its own wherever it stands.
func endsWord(r rune) bool {
	switch r {
	case end, '\n', '\r', '|', ';', ',', '(', ')', '{', '}', '&', '<', '>':
		return true
	}
	return isSpace(r)
}

// isPlain tells the characters of a bare word that stand for themselves.
func isPlain(r rune) bool {
	return r != '`' && r != '$' && !isSingle(r) && !isDouble(r) && !endsWord(r) && !isInvisible(r)
}

// isInvisible tells characters that nobody sees: web pages leave zero-width spaces in what is
// copied, and marks of writing direction can make a text look like another.
func isInvisible(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// plainDashes turns typographic dashes into plain ones.
func plainDashes(text string) string {
	return strings.Map(func(r rune) rune {
		if isDash(r) {
			return '-'
		}
		return r
	}, text)
}
