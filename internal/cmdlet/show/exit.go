package show

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// The exit codes of ck. They are part of its contract: scripts decide on them.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2 // the command cannot be understood, or breaks a rule whatever the state
	ExitNotAllowed  = 3 // not signed in, or not allowed
	ExitNotFound    = 4
	ExitConflict    = 5 // refused by the state
	ExitDenied      = 6 // the owner of the root keys refuses
	ExitUnreachable = 7 // the service or a vault cannot be reached, or asks to come back later
	ExitSomeFailed  = 8 // some of many failed
)

// ExitCode returns the exit code for an error, ExitDone for nil.
func ExitCode(err error) int {
	if err == nil {
		return ExitDone
	}
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.TooLarge, fault.BadRange:
		return ExitUsage
	case fault.Unauthenticated, fault.Forbidden:
		return ExitNotAllowed
	case fault.NotFound:
		if fault.As(err).Reason == cmdlet.ReasonUnknown {
			return ExitUsage // a misspelt command is not a missing thing
		}
		return ExitNotFound
	case fault.Conflict:
		return ExitConflict
	case fault.Denied:
		return ExitDenied
	case fault.Unavailable, fault.Throttled:
		return ExitUnreachable
	}
	return ExitFailed
}

// PrintError writes an error as ck shows it: what is wrong, then what to do next. It
// writes nothing for nil, or where -ErrorAction asked for silence.
func PrintError(w io.Writer, err error) { printError(w, err, forShell) }

// PrintScriptError is PrintError for who writes scripts, where nothing needs a shell's quotes.
func PrintScriptError(w io.Writer, err error) { printError(w, err, ForScript) }

func printError(w io.Writer, err error, typed func(string) string) {
	var quiet hush
	var f *fault.Error
	switch {
	case err == nil || errors.As(err, &quiet):
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "ck: error: interrupted")
	case !errors.As(err, &f):
		fmt.Fprintf(w, "ck: error: %s\n", cmdlet.Printable(err.Error()))
	default:
		fmt.Fprintf(w, "ck: error: %s\n", cmdlet.Printable(f.Message))
		if f.Hint != "" {
			fmt.Fprintf(w, "ck: hint: %s\n", cmdlet.Printable(typed(f.Hint)))
		}
	}
}

// expanded are the words of a command that a shell other than ours would make empty.
var expanded = regexp.MustCompile(`( )((?:-\w+:)?\$(?:null|true|false))\b`)

// forShell quotes what a shell would expand in commands that are shown to be typed there.
func forShell(text string) string { return expanded.ReplaceAllString(text, "$1'$2'") }

// hush is an error whose text is not to be shown.
type hush struct{ error }

func (h hush) Unwrap() error { return h.error }

// Hush returns err as one that PrintError writes nothing of: it has been shown already.
func Hush(err error) error { return hush{err} }

func hushed(call *cmdlet.Call, err error) error {
	if err != nil && cmdlet.Silent(call.Common.ErrorAction) {
		return hush{err}
	}
	return err
}
