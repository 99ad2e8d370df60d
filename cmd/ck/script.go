package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/customerkey/customerkey/internal/cmdlet/script"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// session returns what runs scripts: commands go where those of the command line go, as the
// signed-in person, and each side is connected to once.
func (c *command) session(places bool) (*script.Session, error) {
	cli := show.NewCLI(c.in, c.out, c.err, nil)
	return script.New(script.Config{Runner: newConnections(c).runner, Out: c.out, Err: c.err, Width: cli.Width, Ask: cli.Ask, Prompt: cli.Prompt, Places: places})
}

// runText runs the commands of ck -c TEXT.
func (c *command) runText(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fault.New(fault.Invalid, "-c takes one text, the commands to run").WithHint("put it in quotes: %s -c 'Get-Mailbox | Format-Table Name'", c.self)
	}
	return c.runScript(ctx, args[0], false)
}

// runFile runs a script from a file, or from standard input where its name is "-".
func (c *command) runFile(ctx context.Context, args []string) error {
	set := c.flags("run", "FILE.ps1")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if set.NArg() != 1 {
		return fault.New(fault.Invalid, "run takes the name of one script").WithHint("for example: %s run report.ps1; or - for standard input", c.self)
	}
	text, err := c.readScript(set.Arg(0))
	if err != nil {
		return err
	}
	return c.runScript(ctx, text, true)
}

// readScript reads no more of a file than a script may have, and one byte that tells of more.
func (c *command) readScript(name string) (string, error) {
	file := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, err, "the script %s cannot be read", name).WithHint("check its name, and that you may read it")
		}
		defer f.Close()
		file = f
	}
	text, err := io.ReadAll(io.LimitReader(file, script.MaxText+1))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the script %s cannot be read", name)
	}
	if len(text) > script.MaxText {
		return "", fault.New(fault.TooLarge, "the script %s has more than %d bytes", name, script.MaxText)
	}
	return string(text), nil
}

func (c *command) runScript(ctx context.Context, text string, places bool) error {
	parsed, err := script.Parse(text)
	if err != nil {
		fmt.Fprint(c.err, script.Mark(text, err))
		return err
	}
	s, err := c.session(places)
	if err != nil {
		return err
	}
	return s.Run(ctx, parsed)
}
