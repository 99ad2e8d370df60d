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

// skip steps over as many characters as text has, which holds no line's end.
func (c *cursor) skip(text string) {
	for range text {
		c.next()
	}
}

// take returns the characters from here on that belong, and steps over them.
func (c *cursor) take(belongs func(rune) bool) string {
	start := c.off
	for c.peek() != end && belongs(c.peek()) {
		c.next()
	}
	return c.text[start:c.off]
}

// The typographic characters that stand for plain ones, as in PowerShell (row X-31).
const (
	singleQuotes = "'\u2018\u2019\u201a\u201b"
	doubleQuotes = "\"\u201c\u201d\u201e"
	dashes       = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
)

func isSingle(r rune) bool { return r != end && strings.ContainsRune(singleQuotes, r) }

func isDouble(r rune) bool { return r != end && strings.ContainsRune(doubleQuotes, r) }

func isDash(r rune) bool { return r != end && strings.ContainsRune(dashes, r) }

func isNewline(r rune) bool { return r == '\n' || r == '\r' }

// isSpace tells what separates words in a line; web pages put no-break spaces there.
func isSpace(r rune) bool { return r != end && !isNewline(r) && unicode.IsSpace(r) }

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isNameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func isNamePart(r rune) bool { return isNameStart(r) || unicode.IsDigit(r) }

// endsWord tells the characters that no bare word holds: what separates words, and what
// means something of its own wherever it stands.
func endsWord(r rune) bool {
	return r == end || isNewline(r) || isSpace(r) || strings.ContainsRune("|;,(){}&<>", r)
}

// plainDashes turns typographic dashes into plain ones.
func plainDashes(text string) string {
	return strings.Map(func(r rune) rune {
		if isDash(r) {
			return '-'
		}
		return r
	}, text)
}
