package script

import (
	"context"
	"errors"
	"fmt"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// A run is one Run of a Session: what it may still do, and what went wrong so far.
type run struct {
	*Session
	steps  int   // left
	depth  int   // of expressions and blocks in one another
	at     Pos   // the statement that runs
	item   *any  // $_, nil outside blocks
	errors int   // so far
	last   error // the newest of them
}

const (
	deepestRun = 128       // expressions and blocks in one another
	mostHeld   = 1_000_000 // values that one list or one command holds
	mostText   = 64 << 20  // bytes of one text
	perInput   = 100       // steps that each object of a service or vault allows
	textStep   = 32        // bytes of text that count as one step

	betweenLooks = 64 // steps after which a run sees whether somebody still waits
)

// Reasons of errors while a script runs.
const (
	ReasonRuntime = "RuntimeException"
	ReasonLimit   = "ScriptLimit"         // the script asks for more than it is given
	ReasonWritten = "WriteErrorException" // Write-Error
)

// spend counts steps and sees whether somebody waits no more. It bounds time and memory: all
// that a script makes by itself costs steps in proportion.
func (r *run) spend(ctx context.Context, steps int) error {
	before := r.steps
	r.steps -= steps
	if r.steps < 0 {
		return fatal{limit("the script takes more than %d steps", r.c.Steps)}
	}
	if before/betweenLooks != r.steps/betweenLooks {
		return ctx.Err()
	}
	return nil
}

// enter goes one level deeper, unless it returns an error; leave comes back.
func (r *run) enter(ctx context.Context) error {
	if r.depth == deepestRun {
		return limit("the script is nested more than %d deep", deepestRun)
	}
	if err := r.spend(ctx, 1); err != nil {
		return err
	}
	r.depth++
	return nil
}

func (r *run) leave() { r.depth-- }

func limit(format string, args ...any) *fault.Error {
	return fault.New(fault.TooLarge, format, args...).WithReason(ReasonLimit).
		WithHint("work on less at a time, or in PowerShell with the module that ck powershell-module writes")
}

func runtimeError(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithReason(ReasonRuntime)
}

// A fatal error ends the script, whatever its preferences.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// A told error has been printed and counted.
type told struct{ error }

func (t told) Unwrap() error { return t.error }

func isFatal(err error) bool {
	var f fatal
	return errors.As(err, &f)
}

// report prints an error, unless the action asks for silence, and counts it. It returns the
// error that ends the script, nil if the script may go on. action is the command's own
// -ErrorAction, "" if it has none.
func (r *run) report(err error, action string) error {
	var before told
	if errors.As(err, &before) {
		return onlyFatal(err)
	}
	if action == "" {
		action, _ = r.variables[errorPreference].(string)
	}
	r.errors++
	r.last = err
	end := isFatal(err) || action == "Stop"
	if end || !cmdlet.Silent(action) {
		show.PrintScriptError(r.c.Err, r.placed(err))
	}
	if end {
		return fatal{told{err}}
	}
	return nil
}

func onlyFatal(err error) error {
	if isFatal(err) {
		return err
	}
	return nil
}

// placed says where in the script an error came up.
func (r *run) placed(err error) error {
	if !r.c.Places {
		return err
	}
	f := *fault.As(err)
	f.Message = fmt.Sprintf("line %d, column %d: %s", r.at.Line, r.at.Column, f.Message)
	return &f
}

// broken tells errors after which nothing more of a pipeline can succeed: nobody is signed
// in, or the service is not there.
func broken(err error, side cmdlet.Side) bool {
	return fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Unavailable) && side == cmdlet.Service
}
