package script

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// Config is what a Session needs.
type Config struct {
	// Runner returns what carries out the commands of a side: required. For Shell it is asked
	// about the commands that this package does not carry out itself (Connect-*, Get-Help).
	Runner func(cmdlet.Side) (cmdlet.Runner, error)

	Out   io.Writer // required: what the script yields
	Err   io.Writer // required: errors, warnings
	Width int       // cells of the terminal that Out goes to; 0: not a terminal, nothing is cut

	Ask    func(question string) (cmdlet.Answer, error) // confirms a change; nil: nobody can be asked
	Prompt cmdlet.Prompt                                // asks for mandatory parameters that are missing; nil: an error
	Now    func() time.Time                             // time.Now if nil
	Zone   *time.Location                               // of times without an offset; time.Local if nil
	Places bool                                         // errors name line and column, as for a script from a file
	Steps  int                                          // the most that one Run may do by itself; 10 million if 0
}

// A Session runs scripts one after another. Variables live as long as it does. It is not safe
// for concurrent use.
type Session struct {
	c         Config
	table     []cmdlet.Cmdlet
	views     []cmdlet.View
	variables map[string]any // by name in lower case
	succeeded bool           // $?
	patterns  patterns
}

// New returns a Session without variables of its own.
func New(c Config) (*Session, error) {
	if c.Runner == nil || c.Out == nil || c.Err == nil {
		return nil, errors.New("script: Runner, Out and Err are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.Steps == 0 {
		c.Steps = 10_000_000
	}
	return &Session{c: c, table: rows.Table(), views: append(rows.Views(), groupViews()...), variables: preferences(), succeeded: true}, nil
}

// SetWidth tells how many cells the terminal of Out has now.
func (s *Session) SetWidth(width int) { s.c.Width = width }

// Run runs a script: what its statements yield is shown on Out. As in PowerShell an error is
// shown on Err and the next statement runs, unless -ErrorAction Stop or $ErrorActionPreference
// ends the script. Run returns the last error; it has been shown already (show.Hush), save
// for the end of ctx.
func (s *Session) Run(ctx context.Context, script *Script) error {
	r := &run{Session: s, steps: s.c.Steps}
	for _, st := range script.Statements {
		err := r.top(ctx, st)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if isFatal(err) {
			break
		}
	}
	if r.last == nil {
		return nil
	}
	return show.Hush(r.last)
}

// top runs a statement of the script itself. What goes wrong is shown; the error returned
// tells whether the script goes on.
func (r *run) top(ctx context.Context, st Statement) error {
	r.at, r.item = st.Position(), nil
	before := r.errors
	out := &console{run: r, out: r.c.Out, width: r.c.Width}
	err := r.statement(ctx, st, out)
	if closing := out.close(); err == nil {
		err = closing
	}
	if err != nil && ctx.Err() == nil {
		err = r.report(err, "")
	}
	r.succeeded = r.errors == before
	return err
}

// statement runs a statement whose values go to out.
func (r *run) statement(ctx context.Context, st Statement, out stage) error {
	switch st := st.(type) {
	case *Assignment:
		_, err := r.assign(ctx, st)
		return err
	case *Pipeline:
		return r.pipeline(ctx, st, out)
	}
	return fault.New(fault.Internal, "the script has a statement of no kind that is known")
}

// assign sets a variable, or a property, and returns its value. A command that failed and yielded nothing
// leaves no variable behind: in PowerShell it would be $null, which some commands take for
// "none", so that a misspelt name could take a policy away.
func (r *run) assign(ctx context.Context, a *Assignment) (any, error) {
	if a.To != nil {
		return r.assignMember(ctx, a)
	}
	name := strings.ToLower(a.Name)
	if fixed(name) {
		return nil, fault.New(fault.Invalid, "$%s cannot be set", a.Name).WithReason(ReasonRuntime)
	}
	before := r.errors
	value, err := r.valueOf(ctx, a.Value)
	if name == "null" { // PowerShell's way of dropping what a command yields
		return value, err
	}
	if err != nil || value == nil && r.errors > before {
		delete(r.variables, name)
		return value, err
	}
	if value, err = preference(name, value); err == nil {
		r.variables[name] = value
	}
	return value, err
}

// valueOf runs a statement and returns what it yields: nothing as nil, one value as itself,
// more as a list.
func (r *run) valueOf(ctx context.Context, st Statement) (any, error) {
	if a, ok := st.(*Assignment); ok {
		return r.assign(ctx, a)
	}
	if v, ok := single(st); ok {
		return r.eval(ctx, v)
	}
	list, err := r.collect(ctx, []Statement{st})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

// single returns the expression that is all of a statement: its list stays one.
func single(st Statement) (Expression, bool) {
	p, ok := st.(*Pipeline)
	if !ok || len(p.Stages) != 1 {
		return nil, false
	}
	v, ok := p.Stages[0].(*Value)
	if !ok {
		return nil, false
	}
	return v.Of, true
}

// collect runs statements and returns all that they yield.
func (r *run) collect(ctx context.Context, statements []Statement) ([]any, error) {
	c := &collector{run: r}
	for _, st := range statements {
		if err := r.statement(ctx, st, c); err != nil {
			return nil, err
		}
	}
	return c.list, nil
}
