package show

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/fault"
	"golang.org/x/term"
)

// CLI runs commands of the table for someone at a terminal, or for a script.
type CLI struct {
	Runner func(cmdlet.Side) (cmdlet.Runner, error) // required: opened only when a command needs it
	Out    io.Writer                                // required: objects
	Err    io.Writer                                // required: warnings and questions
	Width  int                                      // cells of the terminal Out goes to; 0: not a terminal, nothing is cut
	Ask    func(question string) (cmdlet.Answer, error)
	Prompt cmdlet.Prompt // asks for mandatory parameters that are missing; nil: an error
}

// NewCLI returns a CLI over the three files of a process: output is cut to the width of a
// terminal, and questions are asked only if input and stderr are one.
func NewCLI(in, out, errs *os.File, runner func(cmdlet.Side) (cmdlet.Runner, error)) CLI {
	c := CLI{Runner: runner, Out: out, Err: errs}
	if width, _, err := term.GetSize(int(out.Fd())); err == nil {
		c.Width = width
	}
	if term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(errs.Fd())) {
		c.Ask = func(question string) (cmdlet.Answer, error) { return ask(in, errs, question) }
		c.Prompt = func(row *cmdlet.Cmdlet, p *cmdlet.Param) (string, error) { return promptFor(in, errs, row, p) }
	}
	return c
}

// Run runs the command of that name with the words that follow it. "-?" shows its help.
// Everything that PowerShell would write on its output goes to Out in the call's layout;
// warnings go to Err. The error is a fault; show it with PrintError and end with ExitCode.
func (c CLI) Run(ctx context.Context, name string, words []string) error {
	row, err := cmdlet.Find(rows.Table(), name)
	if err != nil {
		return err
	}
	if len(words) == 1 && (words[0] == "-?" || strings.EqualFold(words[0], "--help")) {
		return WriteHelp(c.Out, row, ForShell)
	}
	call, err := cmdlet.BindAsking(row, words, c.Prompt)
	if err != nil {
		return err
	}
	runner, err := c.Runner(row.Side)
	if err != nil {
		return hushed(call, err)
	}
	printer := &lazyPrinter{cli: c, call: call}
	call.Host = c.host(call, printer)
	var survived error // the last of those that did not end the command
	call.Host.Error = func(err error) {
		PrintError(c.Err, hushed(call, err))
		survived = hush{err}
	}
	for _, note := range call.Notes {
		call.Warn("%s", note)
	}
	err = runner.Run(ctx, call)
	if closing := printer.close(); err == nil && closing != nil {
		err = fault.Wrap(fault.Internal, closing, "the output cannot be written")
	}
	if err == nil {
		err = survived
	}
	return hushed(call, err)
}

func (c CLI) host(call *cmdlet.Call, printer *lazyPrinter) cmdlet.Host {
	line := func(prefix string) func(string) {
		return func(text string) { fmt.Fprintf(c.Err, "%s: %s\n", prefix, cmdlet.Printable(text)) }
	}
	words := c.Out // what -WhatIf says in sentences
	if call.Common.OutputFormat == cmdlet.JSONFormat {
		words = c.Err
	}
	h := cmdlet.Host{
		Object: func(o cmdlet.Object) error {
			if o.IsReport() && call.Common.OutputFormat == "" {
				return nil // the sentences say the same
			}
			return printer.print(o)
		},
		Warn:    line("WARNING"),
		Verbose: line("VERBOSE"),
		WhatIf:  func(text string) { fmt.Fprintf(words, "What if: %s\n", cmdlet.Printable(text)) },
	}
	if c.Ask != nil {
		h.Confirm = func(question string) (bool, error) {
			answer, err := c.Ask(question)
			return answer.Allows(), err
		}
	}
	if cmdlet.Silent(call.Common.WarningAction) {
		h.Warn = nil
	}
	return h
}

// A lazyPrinter chooses the layout when it sees the first object.
type lazyPrinter struct {
	cli     CLI
	call    *cmdlet.Call
	printer Printer
}

func (p *lazyPrinter) print(o cmdlet.Object) error {
	if p.printer == nil {
		views := rows.Views()
		p.printer = NewPrinter(p.cli.Out, p.call.Layout(views, o), p.cli.Width, views)
	}
	return p.printer.Print(o)
}

// close ends the output. A command that returns objects, but had none, is [] in JSON.
func (p *lazyPrinter) close() error {
	if p.printer == nil && p.call.Common.OutputFormat == cmdlet.JSONFormat && p.call.Cmdlet.Output != "" {
		p.printer = NewPrinter(p.cli.Out, cmdlet.JSONFormat, 0, nil)
	}
	if p.printer == nil {
		return nil
	}
	return p.printer.Close()
}
