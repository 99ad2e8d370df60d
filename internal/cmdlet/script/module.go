package script

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// newModule is Import-Module and Install-Module: which modules they are about Parse has looked at.
func newModule(_ *run, call *cmdlet.Call, _ stage) (stage, error) {
	call.Verbose("The commands of %s are here already.", strings.Join(call.Args.List("Name"), ", "))
	return eachStage{do: func(context.Context, any) error { return nil }}, nil
}

// modules refuses a command that loads or installs a module whose commands are not here: what
// follows it would fail one by one, after some of the script has run.
func (p *parser) modules(c *Command) {
	if name := strings.ToLower(c.Name); p.err != nil || name != "import-module" && name != "install-module" && name != "ipmo" {
		return
	}
	if p.modular == nil {
		p.modular = rows.Modules()
	}
	row, err := cmdlet.Find(p.modular, c.Name)
	if err != nil {
		return
	}
	words := make([]cmdlet.Word, len(c.Words))
	for i, w := range c.Words {
		value, known := written(w.Value)
		if !known {
			p.fail(w.At, "write it out", "the name of a module has to be text here")
			return
		}
		words[i] = cmdlet.Word{Name: w.Parameter, Value: value, Given: w.Value != nil, Literal: true}
	}
	call, err := cmdlet.BindValues(row, words, cmdlet.More{})
	if err != nil {
		return // as the script will say when it runs
	}
	for _, module := range call.Args.List("Name") {
		if !rows.IsModule(module) {
			p.fail(c.At, useNothing, "%s %s is outside of what ck takes", shown(c.Name), shown(module))
		}
	}
}

// written returns the value of an expression that is written out, so that nothing has to run for it.
func written(e Expression) (value any, known bool) {
	switch e := e.(type) {
	case nil:
		return nil, true
	case *Literal:
		if text, ok := e.Data.(string); ok && e.Bare {
			return bareValue(text), true
		}
		return e.Data, true
	case *Variable:
		switch lower(e.Name) {
		case "true", "false":
			return lower(e.Name) == "true", true
		}
	case *List:
		items := make([]any, len(e.Items))
		for i, item := range e.Items {
			if items[i], known = written(item); !known {
				return nil, false
			}
		}
		return items, true
	}
	return nil, false
}
