package main

import (
	"context"
	"regexp"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/script"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// cmdlet runs a cmdlet by its name: the service's own through its admin endpoint, those of key
// vaults through Azure's client libraries, both as the signed-in person.
func (c *command) cmdlet(ctx context.Context, name string, words []string) error {
	if row, err := cmdlet.Find(rows.Table(), name); err == nil && row.Side == cmdlet.Shell {
		return c.runScript(ctx, asText(name, words), false)
	}
	return show.NewCLI(c.in, c.out, c.err, c.cmdletRunner).Run(ctx, name, words)
}

func (c *command) cmdletRunner(side cmdlet.Side) (cmdlet.Runner, error) {
	if side == cmdlet.Shell {
		return nil, fault.New(fault.Invalid, "this command works in pipelines only").WithHint("put it behind another command in a script")
	}
	p, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	return actorOf(p).runner(side)
}

// asText writes a command of the language as it is typed there: what another shell has split into
// words, in quotes but for names of parameters.
func asText(name string, words []string) string {
	text := name
	for _, w := range words {
		if !parameterName.MatchString(w) {
			w = script.Quote(w)
		}
		text += " " + w
	}
	return text
}

var parameterName = regexp.MustCompile(`^-[A-Za-z]+(:\$?[A-Za-z0-9]+)?$`)
