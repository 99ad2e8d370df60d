package script

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	MaxText       = 1 << 20 // the most bytes that a script has
	maxDepth      = 64      // brackets in brackets, operators behind one another
	byteOrderMark = "\ufeff"
)

// Parse reads the text of a script: UTF-8, with or without a byte order mark. Errors are
// *SyntaxError, a fault.Invalid with reason ReasonParser; for a text that is too large it is
// the fault alone. It takes time and memory in proportion to the text.
func Parse(text string) (*Script, error) {
	if len(text) > MaxText {
		return nil, fault.New(fault.Invalid, "a script has at most %d bytes, this one %d", MaxText, len(text)).WithReason(ReasonParser)
	}
	p := newParser(text)
	statements := p.script()
	if p.err != nil {
		return nil, p.err
	}
	return &Script{Statements: statements}, nil
}

// A parser reads a script in one pass, by descent. Its first error is kept, and moves the
// cursor to the end of the text, so that every loop ends and every caller returns; what they
// then return is dropped.
type parser struct {
	cursor
	depth int
	err   *SyntaxError

	asked  bool    // whether the place where the text ends is asked for
	place  *Place  // that place, as far as it is known
	stages []Stage // those that lie before the one that is being read, in its pipeline
	around []Stage // those before the command that the block round it belongs to

	modular []cmdlet.Cmdlet // the commands on modules, once one was read
}

func newParser(text string) *parser {
	return &parser{cursor: newCursor(strings.TrimPrefix(text, byteOrderMark))}
}

func (p *parser) script() []Statement {
	if p.checkText(); p.err != nil {
		return nil
	}
	return p.statements(end)
}

// checkText refuses what is no text before anything is read of it.
func (p *parser) checkText() {
	if utf8.ValidString(p.text) && !strings.ContainsRune(p.text, end) {
		return
	}
	for c := newCursor(p.text); c.off < len(c.text); c.next() {
		if c.peek() == end {
			p.fail(c.at, "save the script as UTF-8", "a NUL character is no text")
			return
		}
		if r, size := utf8.DecodeRuneInString(c.rest()); r == utf8.RuneError && size == 1 {
			p.fail(c.at, "save the script as UTF-8", "this is no UTF-8")
			return
		}
	}
}

// fail keeps the first error and ends the text.
func (p *parser) fail(at Pos, hint, format string, args ...any) {
	if p.err == nil {
		p.err = newSyntaxError(at, hint, fmt.Sprintf(format, args...))
		if p.off < len(p.text) {
			p.place = nil
		}
	}
	p.off = len(p.text)
}

// failEnd is fail where the text ends too early.
func (p *parser) failEnd(at Pos, hint, format string, args ...any) {
	if p.err == nil {
		p.err = newSyntaxError(at, hint, fmt.Sprintf(format, args...))
		p.err.Incomplete = true
	}
	p.off = len(p.text)
}

func (p *parser) refuse(at Pos, r refusal) { p.fail(at, r.hint(), "%s", r.message()) }

// deeper notes one more level of nesting. Each is given back by p.depth--.
func (p *parser) deeper(at Pos) {
	if p.depth++; p.depth > maxDepth {
		p.fail(at, "take it apart with variables", "more than %d levels of nesting", maxDepth)
	}
}

// skipSpace steps over what separates words in one line: space, comments, and a line's end
// behind a backtick.
func (p *parser) skipSpace() {
	for {
		switch r := p.peek(); {
		case isSpace(r):
			p.next()
		case p.atContinuation():
			p.continuation()
		case p.has("<#"):
			p.blockComment()
		case r == '#':
			p.lineComment()
		default:
			return
		}
	}
}

// atContinuation tells a backtick that ends its line, or the text.
func (p *parser) atContinuation() bool {
	return p.peek() == '`' && (isNewline(p.second()) || p.second() == end)
}

func (p *parser) continuation() {
	at := p.at
	p.next()
	if p.peek() == end {
		p.failEnd(at, "write the next line behind it, or leave the backtick out", "the text ends with a backtick")
		return
	}
	if p.next() == '\r' && p.peek() == '\n' {
		p.next()
	}
}

func (p *parser) lineComment() {
	p.take(func(r rune) bool { return !isNewline(r) })
	if p.peek() == end {
		p.asked, p.place = false, nil // nothing in a comment can be completed
	}
}

func (p *parser) blockComment() {
	at := p.at
	i := strings.Index(p.rest(), "#>")
	if i < 0 {
		p.failEnd(at, "close it with #>", "the comment that begins here is not closed")
		return
	}
	for stop := p.off + i + len("#>"); p.off < stop; {
		p.next()
	}
}

// skipLines is skipSpace over line ends too.
func (p *parser) skipLines() {
	for p.skipSpace(); isNewline(p.peek()); p.skipSpace() {
		p.next()
	}
}

// shown returns text that came from a script for a message: printable and short.
func shown(text string) string {
	const most = 40
	if runes := []rune(text[:min(len(text), 4*most)]); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return visible(text)
}
