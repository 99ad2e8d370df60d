// Package fault is the one error type of customerkey.
//
// A fault has a code for programs, a message that is safe to show the caller, and a
// hint that says what to do next. The cause is for the log alone: it never crosses
// the wire. Packages return faults (or wrap them with %w); only a face turns one into
// a status code or an exit code, so a rule is written once.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// A Code says what kind of failure an error is. Programs decide on it; people read the message.
type Code string

const (
	Invalid         Code = "invalid"         // the request cannot be understood, or breaks a rule whatever the state
	Unauthenticated Code = "unauthenticated" // no token, or one that does not verify
	Forbidden       Code = "forbidden"       // known caller, missing right
	NotFound        Code = "not_found"       // no such thing, or not one this tenant may know of
	Conflict        Code = "conflict"        // the state forbids it: exists already, changed meanwhile, precondition not met
	TooLarge        Code = "too_large"       // a body or a name over its limit
	BadRange        Code = "bad_range"       // a byte range outside the content
	Throttled       Code = "throttled"       // too many requests; try again later
	Denied          Code = "denied"          // the owner of the root keys refuses (rows CK-49, CK-56 to CK-60)
	Unavailable     Code = "unavailable"     // a part that is needed cannot be reached, or cannot record; try again
	Corrupt         Code = "corrupt"         // stored bytes do not open: changed, cut off, or moved
	Internal        Code = "internal"        // our own mistake
)

// An Error carries a Code for programs and a Message and a Hint that are safe to show
// the caller. Err, the cause, is for the log alone and never crosses the wire.
type Error struct {
	Code    Code
	Reason  string        // finer than Code, for faces that must tell cases apart; e.g. "KeyDisabled"
	Message string        // one sentence, no final dot, no secret, no other tenant's name
	Hint    string        // what to do next; may be empty
	Retry   time.Duration // with Throttled and Unavailable: when to try again; 0 if that is not known
	Err     error
}

// Error joins the message and the cause, for the log.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the given code; the message follows fmt.Sprintf.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an error of the given code whose cause is err.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// WithHint sets what the reader should do next and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithReason sets the finer reason and returns e.
func (e *Error) WithReason(reason string) *Error {
	e.Reason = reason
	return e
}

// WithRetry sets when to try again and returns e.
func (e *Error) WithRetry(after time.Duration) *Error {
	e.Retry = after
	return e
}

// As returns the first fault in err's chain. An error that is no fault comes back as
// one with code Internal and a message that says nothing about its insides.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: "internal error", Err: err}
}

// CodeOf returns the code of err, Internal for an error that is no fault, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return As(err).Code
}

// Is reports whether err has the given code.
func Is(err error, code Code) bool { return CodeOf(err) == code }
