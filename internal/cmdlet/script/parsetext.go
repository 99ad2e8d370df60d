package script

import (
	"strconv"
	"unicode/utf8"
)

// textParts gathers text from characters and from values that are written out.
type textParts struct {
	at    Pos
	run   []byte // literal text behind the last part
	parts []Expression
}

func (t *textParts) write(r rune) { t.run = utf8.AppendRune(t.run, r) }

func (t *textParts) value(e Expression) {
	t.flush()
	t.parts = append(t.parts, e)
}

func (t *textParts) flush() {
	if len(t.run) > 0 {
		t.parts = append(t.parts, &Literal{At: t.at, Data: string(t.run)})
		t.run = nil
	}
}

// plain returns the text if it holds no values.
func (t *textParts) plain() (string, bool) { return string(t.run), len(t.parts) == 0 }

// expression returns a Literal, or an Expandable if there are values in the text.
func (t *textParts) expression() Expression {
	if data, ok := t.plain(); ok {
		return &Literal{At: t.at, Data: data}
	}
	t.flush()
	return &Expandable{At: t.at, Parts: t.parts}
}

// quoted reads text in quotes, which stand here.
func (p *parser) quoted() Expression {
	t := &textParts{at: p.at}
	p.quotation(t)
	return t.expression()
}

// quotation adds text in quotes to t.
func (p *parser) quotation(t *textParts) {
	at := p.at
	expands := isDouble(p.next())
	closes := isSingle
	if expands {
		closes = isDouble
	}
	for {
		switch r := p.peek(); {
		case r == end:
			p.failEnd(at, "close it, or double it where it stands for itself", "the quote that opens here is not closed")
			return
		case closes(r):
			if p.next(); !closes(p.peek()) {
				return
			}
			t.write(p.next())
		case expands && r == '`':
			p.escape(t)
		case expands && r == '$':
			p.dollar(t)
		default:
			t.write(p.next())
		}
	}
}

// bare adds a bare word to t. Quotes inside it belong to it.
func (p *parser) bare(t *textParts) {
	for {
		switch r := p.peek(); {
		case p.atContinuation(), endsWord(r):
			return
		case isSingle(r), isDouble(r):
			p.quotation(t)
		case r == '`':
			p.escape(t)
		case r == '$':
			p.dollar(t)
		case isInvisible(r):
			p.fail(p.at, "take it out, or put the text in quotes if it belongs there", "an invisible character stands here, %s", glyph(r))
		default:
			t.run = append(t.run, p.take(isPlain)...)
		}
	}
}

// escapes are the characters that a backtick makes of letters; behind it every other
// character stands for itself.
var escapes = map[rune]rune{
	'0': 0, 'a': '\a', 'b': '\b', 'e': '\x1b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

func (p *parser) escape(t *textParts) {
	at := p.at
	p.next()
	switch r := p.peek(); {
	case r == end:
		p.failEnd(at, "", "the text ends with a backtick")
	case r == 'u':
		p.codePoint(at, t)
	default:
		p.next()
		if special, ok := escapes[r]; ok {
			r = special
		}
		t.write(r)
	}
}

// codePoint reads what stands behind the backtick in `u{1F511}.
func (p *parser) codePoint(at Pos, t *textParts) {
	p.next()
	if p.peek() == '{' {
		p.next()
		digits := p.take(isNamePart)
		n, err := strconv.ParseUint(digits, 16, 32)
		if err == nil && len(digits) <= 6 && n <= utf8.MaxRune && utf8.ValidRune(rune(n)) && p.peek() == '}' {
			p.next()
			t.write(rune(n))
			return
		}
	}
	p.fail(at, "write it as `u{1F511}", "this names no character")
}

// dollar adds what a $ stands for inside text: a variable, $( statements ), or itself.
func (p *parser) dollar(t *textParts) {
	if p.second() == '(' {
		t.value(p.sub())
	} else if v := p.variable(); v != nil {
		t.value(v)
	} else {
		t.write(p.next())
	}
}
