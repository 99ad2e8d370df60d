package script

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// where is Where-Object.
type where struct {
	*run
	ending
	next  stage
	block *block // nil: the comparison of a property

	property, op string // op "" asks for truth, "not" for its opposite
	value        any
}

func newWhere(r *run, call *cmdlet.Call, next stage) (stage, error) {
	w := &where{run: r, next: next, property: call.Args.Text("Property"), value: call.Args.Value("Value")}
	w.block, _ = call.Args.Value("FilterScript").(*block)
	for _, name := range append(rows.Comparisons(), "Not") {
		if call.Args.On(name) {
			w.op = lower(name)
		}
	}
	return w, nil
}

func (w *where) take(ctx context.Context, v any) error {
	ok, err := w.holds(ctx, v)
	if err != nil || !ok {
		return err
	}
	return w.next.take(ctx, v)
}

func (w *where) holds(ctx context.Context, v any) (bool, error) {
	if w.block != nil {
		result, err := w.blockValue(ctx, w.block, v)
		return truth(result), err
	}
	left, err := w.member(ctx, v, w.property) // a misspelt name must not let everything through
	if err != nil {
		return false, err
	}
	switch w.op {
	case "":
		return truth(left), nil
	case "not":
		return !truth(left), nil
	}
	result, err := w.compare(ctx, w.op, false, left, w.value)
	return truth(result), err
}

// forEach is ForEach-Object.
type forEach struct {
	*run
	ending
	next   stage
	block  *block
	member string
}

func newForEach(r *run, call *cmdlet.Call, next stage) (stage, error) {
	f := &forEach{run: r, next: next, member: call.Args.Text("MemberName")}
	f.block, _ = call.Args.Value("Process").(*block)
	return f, nil
}

func (f *forEach) take(ctx context.Context, v any) error {
	if f.block != nil {
		return f.run.block(ctx, f.block, v, f.next)
	}
	value, err := f.run.member(ctx, v, f.member)
	if err != nil {
		return err
	}
	return f.each(ctx, value, f.next)
}
