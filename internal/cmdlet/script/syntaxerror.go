package script

import (
	"errors"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// ReasonParser marks errors of reading a script.
const ReasonParser = "ParserError"

// A SyntaxError says that a text is no script, and where it stops being one. It wraps a
// fault.Invalid with reason ReasonParser whose message begins with "line L, column C:".
type SyntaxError struct {
	At         Pos
	Incomplete bool // the text ends where it has to go on: a prompt asks for another line
	fault      *fault.Error
}

// Error returns the message, with its place.
func (e *SyntaxError) Error() string { return e.fault.Error() }

// Unwrap returns the fault.
func (e *SyntaxError) Unwrap() error { return e.fault }

func newSyntaxError(at Pos, hint, message string) *SyntaxError {
	f := fault.New(fault.Invalid, "line %d, column %d: %s", at.Line, at.Column, message).WithReason(ReasonParser)
	f.Hint = hint
	return &SyntaxError{At: at, fault: f}
}

// Incomplete reports whether text is the beginning of a script that has to go on: an open
// quote or bracket, or a last line that ends in |, a comma, an operator or a backtick.
func Incomplete(text string) bool {
	_, err := Parse(text)
	var e *SyntaxError
	return errors.As(err, &e) && e.Incomplete
}

// How many characters of a line Mark shows.
const (
	shownWidth  = 76
	shownBefore = 56 // at most in front of the place
)

// Mark returns the line of text in which err, from Parse, lies, and below it a line with a
// caret under the place, for a terminal: "" if err names no place. Long lines are cut. The
// caret stands right where each character takes one cell.
func Mark(text string, err error) string {
	var e *SyntaxError
	if !errors.As(err, &e) {
		return ""
	}
	line := []rune(lineOf(text, e.At.Line))
	column := min(e.At.Column-1, len(line))
	from := max(0, column-shownBefore)
	shown := line[from:min(len(line), from+shownWidth)]
	return fmt.Sprintf("%s\n%s^\n", visible(string(shown)), strings.Repeat(" ", column-from))
}

// lineOf returns the n-th line of text, counted from 1, without its end.
func lineOf(text string, n int) string {
	c := newCursor(strings.TrimPrefix(text, byteOrderMark))
	for c.at.Line < n && c.peek() != end {
		c.next()
	}
	return c.take(func(r rune) bool { return !isNewline(r) })
}

// A refusal is a part of PowerShell that ck does not take, and what there is instead.
type refusal struct{ what, instead string }

const realPowerShell = "scripts that need it run in PowerShell with the module that ck powershell-module writes"

func (r refusal) message() string { return r.what + " outside of what ck takes" }

func (r refusal) hint() string {
	if r.instead == "" {
		return realPowerShell
	}
	return r.instead + "; " + realPowerShell
}
