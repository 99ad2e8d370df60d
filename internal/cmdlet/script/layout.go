package script

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// layout is Format-List and Format-Table.
type layout struct {
	*picker
	ending
	next   stage
	format cmdlet.Format
	wrap   bool
}

func formatList(r *run, call *cmdlet.Call, next stage) (stage, error) {
	p, err := newPicker(r, call)
	return &layout{picker: p, next: next, format: cmdlet.ListFormat}, err
}

func formatTable(r *run, call *cmdlet.Call, next stage) (stage, error) {
	p, err := newPicker(r, call)
	return &layout{picker: p, next: next, format: cmdlet.TableFormat, wrap: call.Args.On("Wrap")}, err
}

// take lays an object out. Text and numbers stay what they are, unless properties are chosen.
func (l *layout) take(ctx context.Context, v any) error {
	o, ok := v.(*cmdlet.Object)
	if len(l.columns) == 0 {
		if !ok {
			return l.next.take(ctx, v)
		}
		return l.next.take(ctx, laidOut{object: o, format: l.format, wrap: l.wrap})
	}
	fields, err := l.fields(ctx, v)
	if err != nil {
		return err
	}
	return l.next.take(ctx, laidOut{object: &cmdlet.Object{Fields: distinct(fields)}, format: l.format, wrap: l.wrap})
}
