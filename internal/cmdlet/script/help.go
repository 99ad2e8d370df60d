package script

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/show"
	"github.com/customerkey/customerkey/internal/fault"
)

// newHelp is Get-Help: text that the table makes.
func newHelp(r *run, call *cmdlet.Call, next stage) (stage, error) {
	return maker{next, func() (any, error) {
		var text strings.Builder
		err := r.help(&text, call.Args)
		return strings.TrimSuffix(text.String(), "\n"), err
	}}, nil
}

func (r *run) help(w *strings.Builder, args cmdlet.Args) error {
	name := args.Text("Name")
	if name == "" {
		return show.WriteSummary(w, r.table)
	}
	row, err := cmdlet.Find(r.table, name)
	if err != nil {
		return err
	}
	switch {
	case args.On("Examples"):
		w.WriteString(strings.Join(row.Examples, "\n") + "\n")
		return nil
	case args.Has("Parameter"):
		return r.helpOn(w, row, args.Text("Parameter"))
	case args.On("Full"):
		return show.WriteHelp(w, row, show.ForScript)
	}
	return show.WriteBrief(w, row)
}

func (r *run) helpOn(w *strings.Builder, row *cmdlet.Cmdlet, pattern string) error {
	fits, err := r.patterns.wildcard(pattern, false)
	if err != nil {
		return err
	}
	found := false
	for _, p := range row.Known() {
		if fits.MatchString(p.Name) {
			found = true
			show.WriteParam(w, p)
		}
	}
	if !found {
		return fault.New(fault.NotFound, "%s has no parameter -%s", row.Name, pattern).WithHint("see its parameters with: Get-Help %s -Full", row.Name)
	}
	return nil
}

// newCommands is Get-Command.
func newCommands(r *run, call *cmdlet.Call, next stage) (stage, error) {
	return commands{r, call.Args, next}, nil
}

type commands struct {
	*run
	args cmdlet.Args
	next stage
}

func (commands) take(context.Context, any) error { return nil }

func (c commands) end(ctx context.Context) error {
	for _, g := range show.Groups(c.table) {
		for _, row := range g.Rows {
			if ok, err := c.wanted(row.Name); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			o := cmdlet.Object{Type: cmdlet.CommandType, Fields: []cmdlet.Field{
				{Name: "Name", Value: row.Name}, {Name: "Group", Value: g.Title}, {Name: "Synopsis", Value: row.Synopsis},
			}}
			if err := c.next.take(ctx, &o); err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted reports whether a command is one that -Name, -Verb and -Noun mean.
func (c commands) wanted(name string) (bool, error) {
	verb, noun, _ := strings.Cut(name, "-")
	for param, text := range map[string]string{"Name": name, "Verb": verb, "Noun": noun} {
		if !c.args.Has(param) {
			continue
		}
		fits, err := c.patterns.wildcard(c.args.Text(param), false)
		if err != nil {
			return false, err
		}
		if !fits.MatchString(text) {
			return false, nil
		}
	}
	return true, nil
}
