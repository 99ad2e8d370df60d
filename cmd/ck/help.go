package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
)

// help prints the page of all words, or that of one.
func (c *command) help(ctx context.Context, args []string) error {
	if len(args) > 0 && !strings.EqualFold(args[0], "help") {
		for _, v := range verbs() {
			if strings.EqualFold(v.name, args[0]) {
				return v.run(c, ctx, append(args[1:], "--help"))
			}
		}
		row, err := cmdlet.Find(rows.Table(), args[0])
		if err != nil {
			return err
		}
		return show.WriteHelp(c.out, row, show.ForShell)
	}
	fmt.Fprintf(c.out, "usage: %s [--profile NAME] WORD ...\n       %[1]s [--profile NAME] -c 'CMDLETS'\n\n", c.self)
	w := columns(c.out)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %s %s\t%s\n", v.name, v.usage, v.synopsis)
	}
	w.Flush()
	fmt.Fprintf(c.out, "\nCmdlets, as in PowerShell; names and parameters in any case (%s help NAME for more):\n\n", c.self)
	if err := show.WriteSummary(c.out, rows.Table()); err != nil {
		return err
	}
	fmt.Fprint(c.out, "\nExit codes:\n\n")
	for _, row := range exitCodes {
		fmt.Fprintf(c.out, "  %d  %s\n", row.code, row.means)
	}
	return nil
}

// exitCodes says in words what package cmdlet decides.
var exitCodes = []struct {
	code  int
	means string
}{
	{show.ExitDone, "done"},
	{show.ExitFailed, "failed"},
	{show.ExitUsage, "the command is not right as it stands"},
	{show.ExitNotAllowed, "not signed in, or not allowed"},
	{show.ExitNotFound, "no such thing"},
	{show.ExitConflict, "refused by the present state"},
	{show.ExitDenied, "the owner of the root keys refuses"},
	{show.ExitUnreachable, "the service or a vault cannot be reached; try again"},
	{show.ExitSomeFailed, "some of many could not be done; the rest was"},
}
