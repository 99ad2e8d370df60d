package script

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// A builtin makes the stage of a command of the language. next is what is behind it.
type builtin func(r *run, call *cmdlet.Call, next stage) (stage, error)

func builtins() map[string]builtin {
	return map[string]builtin{
		"Format-List":    formatList,
		"Format-Table":   formatTable,
		"Where-Object":   newWhere,
		"Select-Object":  newSelect,
		"ForEach-Object": newForEach,
		"Sort-Object":    newSort,
		"Group-Object":   newGroup,
		"Measure-Object": newMeasure,
		"ConvertTo-Json": newJSON,
		"ConvertTo-Csv":  newCSV,
		"Export-Csv":     newCSVFile,
		"Out-File":       newOutFile,
		"Write-Output":   newOutput,
		"Write-Host":     newHost,
		"Write-Warning":  newWarning,
		"Write-Error":    newError,
		"Out-Null":       newNull,
		"Add-Member":     newAddMember,
		"Get-Date":       newDate,
		"New-Guid":       newGUID,
		"Get-Help":       newHelp,
		"Get-Command":    newCommands,
		"Import-Module":  newModule,
		"Install-Module": newModule,
	}
}

// takesLaidOut tells the commands that come behind Format-List and Format-Table: what these
// make is for people.
func takesLaidOut(name string) bool {
	switch name {
	case "Out-File", "Out-Null", "Write-Output", "Write-Host":
		return true
	}
	return false
}

// A guard stands before the stage of a command of the language and sees that it gets its
// values from one side only.
type guard struct {
	stage
	run   *run
	row   *cmdlet.Cmdlet
	input *cmdlet.Param // what the pipeline fills, nil if nothing
	given bool          // it is filled already
	value any
}

func newGuard(r *run, call *cmdlet.Call, i *invocation, next stage, make builtin) (stage, error) {
	inner, err := make(r, call, next)
	if err != nil {
		return nil, err
	}
	g := &guard{stage: inner, run: r, row: i.row}
	for n := range i.row.Params {
		if p := &i.row.Params[n]; p.Pipeline {
			g.input, g.given, g.value = p, call.Args.Has(p.Name), call.Args.Value(p.Name)
		}
	}
	return g, nil
}

// start begins a pipeline with what the words give.
func (g *guard) start(ctx context.Context) error {
	if !g.given {
		return nil
	}
	return g.pass(ctx, g.value)
}

func (g *guard) take(ctx context.Context, v any) error {
	if g.input == nil || g.given {
		return noInput(g.row)
	}
	return g.pass(ctx, v)
}

func (g *guard) pass(ctx context.Context, v any) error {
	if err := g.run.spend(ctx, 1); err != nil {
		return err
	}
	if _, laid := v.(laidOut); laid && !takesLaidOut(g.row.Name) {
		return laidOutError(g.row)
	}
	return g.stage.take(ctx, v)
}

// release lets go of what a stage holds, however the pipeline has ended.
func (g *guard) release() {
	if inner, ok := g.stage.(releaser); ok {
		inner.release()
	}
}

// A releaser is a stage that holds something beside memory.
type releaser interface{ release() }

func laidOutError(row *cmdlet.Cmdlet) error {
	return runtimeError("%s cannot use what Format-List and Format-Table make: it is for people", row.Name).
		WithHint("put Format-List or Format-Table last; to choose properties on the way take Select-Object")
}

// ending is the part of a stage that has nothing to do at its end.
type ending struct{}

func (ending) end(context.Context) error { return nil }
