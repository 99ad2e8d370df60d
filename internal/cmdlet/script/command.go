package script

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// An invocation is a command with its words evaluated, ready for its first call.
type invocation struct {
	row   *cmdlet.Cmdlet
	words []cmdlet.Word
	first bool // nothing comes from a pipeline
}

func (r *run) invocation(ctx context.Context, c *Command) (*invocation, error) {
	row, err := cmdlet.Find(r.table, c.Name)
	if err != nil {
		return nil, err
	}
	if wantsHelp(c) {
		return r.helpCall(row)
	}
	i := &invocation{row: row}
	for _, w := range c.Words {
		word := cmdlet.Word{Name: w.Parameter, Given: w.Value != nil, Literal: isLiteral(w.Value)}
		if w.Value != nil {
			if word.Value, err = r.argument(ctx, w.Value); err != nil {
				return nil, err
			}
		}
		i.words = append(i.words, word)
	}
	return i, nil
}

// wantsHelp tells a command whose only word is -?, PowerShell's short way to ask for help on it.
func wantsHelp(c *Command) bool {
	return len(c.Words) == 1 && c.Words[0].Parameter == "?" && c.Words[0].Value == nil
}

func (r *run) helpCall(on *cmdlet.Cmdlet) (*invocation, error) {
	row, err := cmdlet.Find(r.table, "Get-Help")
	if err != nil {
		return nil, err
	}
	return &invocation{row: row, words: []cmdlet.Word{{Value: on.Name, Given: true}}}, nil
}

// isLiteral tells $null and @() that are written as such from those that came out of something.
func isLiteral(e Expression) bool {
	switch e := e.(type) {
	case *Variable:
		return lower(e.Name) == "null"
	case *List:
		return len(e.Items) == 0
	}
	return false
}

// argument evaluates a value behind a command's name, where bare words are text: those that
// are a number in no other spelling are that number.
func (r *run) argument(ctx context.Context, e Expression) (any, error) {
	switch e := e.(type) {
	case *Literal:
		if text, ok := e.Data.(string); ok && e.Bare {
			return bareValue(text), nil
		}
	case *List:
		items := make([]any, len(e.Items))
		for i, item := range e.Items {
			v, err := r.argument(ctx, item)
			if err != nil {
				return nil, err
			}
			items[i] = v
		}
		return items, r.spend(ctx, len(items)+1)
	}
	return r.eval(ctx, e)
}

// bareValue keeps words such as 007 and 1KB as they are written, for they may be names; where
// a number is needed they are taken for one (see asNumber).
func bareValue(word string) any {
	if n, ok := Number(word); ok && textOfNumber(n) == word {
		return n
	}
	return word
}

// stage makes the stage of a command. Commands of the language are made once and see all
// values; others run anew for each.
func (r *run) stage(i *invocation, next stage) (stage, error) {
	if make, ok := builtins()[i.row.Name]; ok {
		call, err := cmdlet.BindValues(i.row, i.words, cmdlet.More{Prompt: r.c.Prompt})
		if err != nil {
			return nil, err
		}
		r.prepare(call)
		return newGuard(r, call, i, next, make)
	}
	runner, err := r.c.Runner(i.row.Side)
	if err != nil {
		return nil, err
	}
	return &caller{run: r, invocation: i, runner: runner, next: next}, nil
}

// A caller runs a command of a service or a vault, once for each value that comes.
type caller struct {
	*run
	*invocation
	runner cmdlet.Runner
	next   stage
	layout cmdlet.Format // of objects of the type kind
	kind   string
	json   bool          // -OutputFormat json
	answer cmdlet.Answer // that stands for all questions of this command, once it is given
}

// start calls the command that begins a pipeline.
func (c *caller) start(ctx context.Context) error {
	call, err := cmdlet.BindValues(c.row, c.words, cmdlet.More{Prompt: c.c.Prompt})
	if err != nil {
		return err
	}
	return c.call(ctx, call)
}

func (c *caller) take(ctx context.Context, v any) error {
	if err := c.spend(ctx, 1); err != nil {
		return err
	}
	if _, laid := v.(laidOut); laid {
		return laidOutError(c.row)
	}
	call, err := cmdlet.BindValues(c.row, c.words, cmdlet.More{Piped: true, Input: v})
	if err != nil {
		return c.report(err, c.action())
	}
	return c.call(ctx, call)
}

// end sees that no objects as JSON are an empty array.
func (c *caller) end(context.Context) error {
	last, ok := c.next.(through)
	if out, shown := last.out.(*console); ok && shown && c.json && c.layout == "" && c.row.Output != "" {
		return out.nothing()
	}
	return nil
}

// action is -ErrorAction as the words give it, for errors that come before a call is bound.
func (c *caller) action() string {
	for _, w := range c.words {
		if text, ok := w.Value.(string); ok && w.Given && (lower(w.Name) == "erroraction" || lower(w.Name) == "ea") {
			return text
		}
	}
	return ""
}

// call runs the command once. Its own error is shown, and the pipeline goes on with the next
// value, unless nothing more can succeed; an error from behind ends the pipeline.
func (c *caller) call(ctx context.Context, call *cmdlet.Call) error {
	c.prepare(call)
	c.json = call.Common.OutputFormat == cmdlet.JSONFormat
	if c.c.Ask != nil {
		call.Host.Confirm = c.confirm
	}
	var behind error
	call.Host.Object = func(o cmdlet.Object) error {
		behind = c.pass(ctx, call, o)
		return behind
	}
	for _, note := range call.Notes {
		call.Warn("%s", note)
	}
	err := c.runner.Run(ctx, call)
	switch {
	case behind != nil:
		return behind
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if end := c.report(err, call.Common.ErrorAction); end != nil {
		return end
	}
	if broken(err, c.row.Side) {
		return told{err}
	}
	return nil
}

// pass hands an object of the command on. Each one that comes from outside allows some more
// steps: what a script may do grows with what it is given to work on. In a block none does,
// or blocks in one another could go on for ever.
func (c *caller) pass(ctx context.Context, call *cmdlet.Call, o cmdlet.Object) error {
	if c.item == nil {
		c.steps += perInput
	}
	if c.layout == "" || o.Type != c.kind {
		c.kind, c.layout = o.Type, call.Layout(c.views, o)
	}
	o.Layout = c.layout
	return c.next.take(ctx, cmdlet.Shared(o))
}

// confirm asks whether a change may go ahead. An answer for all holds for the rest of this
// command in this pipeline, and for no other.
func (c *caller) confirm(question string) (bool, error) {
	if c.answer.ForAll() {
		return c.answer.Allows(), nil
	}
	var err error
	if c.answer, err = c.c.Ask(question); err != nil {
		return false, err
	}
	return c.answer.Allows(), nil
}

// prepare gives a call what it needs to talk to the user.
func (r *run) prepare(call *cmdlet.Call) {
	r.prefer(call)
	foreseen := r.c.Out // what -WhatIf says in sentences
	if call.Common.OutputFormat == cmdlet.JSONFormat {
		foreseen = r.c.Err
	}
	call.Host = cmdlet.Host{
		Warn:    func(text string) { say(r.c.Err, "WARNING", text) },
		Verbose: func(text string) { say(r.c.Err, "VERBOSE", text) },
		WhatIf:  func(text string) { say(foreseen, "What if", text) },
	}
	call.Host.Error = func(err error) {
		_ = r.report(err, call.Common.ErrorAction) // it ends nothing: under Stop it does not come here
	}
	if cmdlet.Silent(call.Common.WarningAction) {
		call.Host.Warn = nil
	}
}

func noInput(row *cmdlet.Cmdlet) error {
	return fault.New(fault.Invalid, "%s takes nothing from a pipeline", row.Name).WithReason(cmdlet.ReasonParameter)
}
