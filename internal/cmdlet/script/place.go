package script

import (
	"strings"
	"unicode/utf8"
)

// A PlaceKind says what can stand at a place.
type PlaceKind int

// The kinds of places that a prompt can complete.
const (
	NoPlace        PlaceKind = iota
	CommandPlace             // the name of a command
	ParameterPlace           // the name of a parameter of Command
	ArgumentPlace            // a value of Parameter, or without one the next positional value
	MemberPlace              // the name of a property of Of
	VariablePlace            // the name of a variable
)

// A Place is where a text ends that somebody is typing.
type Place struct {
	Kind      PlaceKind
	Start     int        // where Word begins in the text, in bytes, with its quote, dash or $
	Word      string     // what is typed of it, without an opening quote, dash or $
	Quote     rune       // the quote that Word stands in, 0 if in none
	Command   *Command   // with the words before this one
	Parameter string     // as written; a switch takes no value, so that Word then is positional
	Of        Expression // whose member it is
	Upstream  []Stage    // the stages of the pipeline before the one that Word is in
	Around    []Stage    // those before the command of the block that Word is in: they give $_
}

// PlaceAt returns what stands in text before the cursor, a number of bytes. What is behind
// the cursor does not matter, and what is before it may be unfinished or wrong: the kind of a
// place about which nothing can be said is NoPlace.
func PlaceAt(text string, cursor int) Place {
	text = text[:min(max(cursor, 0), len(text))]
	if len(text) > MaxText {
		return Place{}
	}
	p := newParser(text)
	p.asked = true
	p.script()
	if p.place == nil {
		return Place{}
	}
	place := *p.place
	place.Start += len(text) - len(p.text)
	place.Word = text[place.Start:]
	place.trim()
	return place
}

// trim takes away what leads Word.
func (l *Place) trim() {
	switch r, size := utf8.DecodeRuneInString(l.Word); {
	case l.Kind == ParameterPlace:
		l.Word = strings.TrimLeftFunc(l.Word, isDash)
	case l.Kind == VariablePlace:
		l.Word = l.Word[size:]
	case size > 0 && (isSingle(r) || isDouble(r)):
		l.Quote, l.Word = r, l.Word[size:]
	}
}

// mark notes that something begins here that could be where the text ends.
func (p *parser) mark(l Place) {
	if !p.asked || p.err != nil {
		return
	}
	kept := l // apart from l, which stays off the heap where nobody asks
	kept.Start, kept.Upstream, kept.Around = p.off, p.stages, p.around
	if l.Command != nil {
		c := *l.Command
		kept.Command = &c
	}
	p.place = &kept
}

// leave notes that what began at the last mark is read. It was no place to complete if the
// text goes on.
func (p *parser) leave() {
	if p.off < len(p.text) {
		p.place = nil
	}
}
