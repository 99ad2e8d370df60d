package cmdlet

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Call is a command with its parameters bound, ready to run.
type Call struct {
	Cmdlet *Cmdlet
	Args   Args
	Common Common
	Caller directory.Caller // who asks; set by the server only, a client's call goes with a token
	Notes  []string         // what the user should know about how the call was written
	Page   Page
	Host   Host
}

// Common are the parameters that every command takes, by PowerShell's custom.
type Common struct {
	WhatIf        bool   // say what would be done, do nothing
	Confirm       *bool  // nil: ask if the command's impact is High
	Verbose       bool   //
	ErrorAction   string // Continue, Stop, SilentlyContinue or Ignore; "" for Continue
	WarningAction string // the same words
	OutputFormat  Format // "": the command's own layout
}

// A Page asks for a part of a long answer. Commands yield objects in ascending order of
// Object.Key; After skips all up to and with that key.
type Page struct {
	After string
	Most  int // objects that the page has room for; 0: not known
}

// A Host takes what a command says while it runs. Object is required; a nil Warn, Verbose
// or WhatIf drops the text. A nil Confirm means that nobody can be asked.
type Host struct {
	Object  func(Object) error // an error stops the command
	Error   func(error)        // one that the command survives; nil: it does not (see Call.Fail)
	Warn    func(text string)
	Verbose func(text string)
	WhatIf  func(text string) // "Performing the operation ... on target ..."
	Confirm func(question string) (bool, error)
	Begin   func(target string) error // records that the command is about to act; nil: there is no record
}

// A Runner carries out bound calls of one side. Its errors are faults.
type Runner interface {
	Run(ctx context.Context, call *Call) error
}

// Shown reports whether an earlier page had the object of that key.
func (c *Call) Shown(key string) bool { return c.Page.After != "" && key <= c.Page.After }

// Warn tells the user something that did not stop the command.
func (c *Call) Warn(format string, args ...any) {
	if c.Host.Warn != nil {
		c.Host.Warn(fmt.Sprintf(format, args...))
	}
}

// Fail tells of an error that ends only a part of the command, as PowerShell's non-terminating
// errors do: nil if the command is to go on. Under -ErrorAction Stop, and where nobody takes
// such errors, it returns err, which then ends the command.
func (c *Call) Fail(err error) error {
	switch {
	case err == nil:
		return nil
	case c.Host.Error == nil || strings.EqualFold(c.Common.ErrorAction, "Stop"):
		return err
	}
	c.Host.Error(err)
	return nil
}

// Verbose tells what is going on, if -Verbose asked for it.
func (c *Call) Verbose(format string, args ...any) {
	if c.Common.Verbose && c.Host.Verbose != nil {
		c.Host.Verbose(fmt.Sprintf(format, args...))
	}
}

// ShouldProcess says whether a change may go ahead: not under -WhatIf, which describes it
// instead, and not when the user, being asked, says no. A question that nobody can be asked
// is fault.Invalid: a change of high impact is never made just because no terminal is there.
// In the service it records the command before it says yes.
func (c *Call) ShouldProcess(action, target string) (bool, error) {
	text := fmt.Sprintf("Performing the operation %q on target %q.", action, target)
	if c.Common.WhatIf {
		if c.Host.WhatIf != nil {
			c.Host.WhatIf(text)
		}
		return false, nil
	}
	if !c.asks() {
		return c.goAhead(target)
	}
	if c.Host.Confirm == nil {
		e := fault.New(fault.Invalid, "%s asks for confirmation, and nobody can be asked here", c.Cmdlet.Name)
		return false, e.WithReason(ReasonParameter).WithHint("add -Confirm:$false once you are sure (in quotes, '-Confirm:$false', for most shells)")
	}
	yes, err := c.Host.Confirm(text)
	if err != nil {
		return false, err
	}
	if !yes {
		c.Warn("%s changed nothing", c.Cmdlet.Name)
		return false, nil
	}
	return c.goAhead(target)
}

// goAhead says yes to a change, once it is recorded where it has to be.
func (c *Call) goAhead(target string) (bool, error) {
	if c.Host.Begin == nil {
		return true, nil
	}
	err := c.Host.Begin(target)
	return err == nil, err
}

// Target is what the call is about: the value of its first positional or mandatory text.
func (c *Call) Target() string {
	for _, p := range c.Cmdlet.Params {
		if text := c.Args.Text(p.Name); text != "" && (p.Position > 0 || p.Mandatory) {
			return text
		}
	}
	return "the organization"
}

// asks reports whether the user has to be asked before a change.
func (c *Call) asks() bool {
	if c.Common.Confirm != nil {
		return *c.Common.Confirm
	}
	return c.Cmdlet.Impact == High && !c.Args.On("Force")
}

// Silent reports whether the action word (-ErrorAction, -WarningAction) asks for silence.
func Silent(action string) bool {
	return strings.EqualFold(action, "SilentlyContinue") || strings.EqualFold(action, "Ignore")
}
