package script

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// An eachStage does one thing with each value.
type eachStage struct {
	ending
	do func(ctx context.Context, v any) error
}

func (s eachStage) take(ctx context.Context, v any) error { return s.do(ctx, v) }

func newOutput(r *run, call *cmdlet.Call, next stage) (stage, error) {
	if call.Args.On("NoEnumerate") {
		return eachStage{do: next.take}, nil
	}
	return eachStage{do: func(ctx context.Context, v any) error { return r.each(ctx, v, next) }}, nil
}

func newNull(*run, *cmdlet.Call, stage) (stage, error) {
	return eachStage{do: func(context.Context, any) error { return nil }}, nil
}

func newHost(r *run, call *cmdlet.Call, _ stage) (stage, error) {
	newline := "\n"
	if call.Args.On("NoNewline") {
		newline = ""
	}
	return eachStage{do: func(ctx context.Context, v any) error {
		text, err := r.text(ctx, v)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(r.c.Err, safe(text)+newline); err != nil {
			return unwritten(err)
		}
		return nil
	}}, nil
}

func newWarning(r *run, call *cmdlet.Call, _ stage) (stage, error) {
	return eachStage{do: func(ctx context.Context, v any) error {
		text, err := r.text(ctx, v)
		if err == nil {
			call.Warn("%s", text)
		}
		return err
	}}, nil
}

// newError is Write-Error: an error for each text, after which the pipeline goes on unless
// -ErrorAction or its preference ends the script.
func newError(r *run, call *cmdlet.Call, _ stage) (stage, error) {
	return eachStage{do: func(ctx context.Context, v any) error {
		text, err := r.text(ctx, v)
		if err != nil {
			return err
		}
		return r.report(fault.New(fault.Conflict, "%s", text).WithReason(ReasonWritten), call.Common.ErrorAction)
	}}, nil
}

// addMember is Add-Member.
type addMember struct {
	*run
	ending
	next        stage
	name        string
	value       any
	force, pass bool
}

func newAddMember(r *run, call *cmdlet.Call, next stage) (stage, error) {
	a := &addMember{run: r, next: next, name: call.Args.Text("Name"), value: call.Args.Value("Value"), force: call.Args.On("Force"), pass: call.Args.On("PassThru")}
	if call.Args.Has("NotePropertyName") {
		a.name, a.value = call.Args.Text("NotePropertyName"), call.Args.Value("NotePropertyValue")
	}
	return a, nil
}

func (a *addMember) take(ctx context.Context, v any) error {
	o, ok := v.(*cmdlet.Object)
	if !ok {
		return runtimeError("Add-Member adds to objects, not to %s", typeName(v))
	}
	if err := a.add(ctx, o); err != nil || !a.pass {
		return err
	}
	return a.next.take(ctx, o)
}

// add gives an object the property.
func (a *addMember) add(ctx context.Context, o *cmdlet.Object) error {
	switch f := field(o, a.name); {
	case f == nil && len(o.Fields) >= mostHeld:
		return limit("an object has at most %d properties", mostHeld)
	case f == nil:
		o.Fields = append(o.Fields, cmdlet.Field{Name: a.name, Value: a.value})
	case a.force:
		f.Value = a.value
	default:
		same, err := a.equals(ctx, f.Value, a.value, false) // as the article adds enableSoftDelete, which vaults have long had
		if err != nil || same {
			return err
		}
		return fault.New(fault.Conflict, "the object has a property %q already", f.Name).WithReason(ReasonRuntime).WithHint("replace its value with -Force")
	}
	return nil
}

// A maker makes one value at the end of its pipeline's input, of which it takes none.
type maker struct {
	next stage
	make func() (any, error)
}

func (maker) take(context.Context, any) error { return nil }

func (m maker) end(ctx context.Context) error {
	v, err := m.make()
	if err != nil {
		return err
	}
	return m.next.take(ctx, v)
}

func newGUID(_ *run, _ *cmdlet.Call, next stage) (stage, error) {
	return maker{next, func() (any, error) {
		id, err := uuid.NewRandom()
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "no random bytes can be had")
		}
		return cmdlet.GUID(id.String()), nil
	}}, nil
}
