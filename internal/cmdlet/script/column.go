package script

import (
	"context"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// A column is what -Property picks: properties by name or wildcard, or what a block makes.
type column struct {
	label      string
	name       string   // of the property; "" with a block
	pattern    *pattern // of several names
	block      *block
	descending *bool // for Sort-Object; nil: as the command says
}

// A picker takes properties from values. Those that a first value does not have are told of,
// once each: as in PowerShell they are then empty.
type picker struct {
	*run
	call    *cmdlet.Call
	columns []column
	warned  map[string]bool
}

func newPicker(r *run, call *cmdlet.Call) (*picker, error) {
	p := &picker{run: r, call: call, warned: map[string]bool{}}
	items, _ := call.Args.Value("Property").([]any)
	for _, item := range items {
		c, err := r.column(item)
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, c)
	}
	return p, nil
}

func (r *run) column(item any) (column, error) {
	switch item := item.(type) {
	case string:
		c := column{label: item, name: item}
		if strings.ContainsAny(item, "*?[") {
			pattern, err := r.patterns.wildcard(item, false)
			c.pattern = pattern
			return c, err
		}
		return c, nil
	case *block:
		return column{label: item.Block(), block: item}, nil
	case *cmdlet.Object:
		if item.Type == cmdlet.HashtableType {
			return calculated(item)
		}
	}
	return column{}, runtimeError("a property is chosen by its name, not by %s", typeName(item)).
		WithHint("give a name, or @{Name='label'; Expression={ $_.Property }}")
}

// calculated reads @{Name='label'; Expression={...}}, the names of which may be shortened.
func calculated(o *cmdlet.Object) (c column, err error) {
	for _, f := range o.Fields {
		switch key := lower(f.Name); {
		case strings.HasPrefix("name", key), strings.HasPrefix("label", key):
			c.label, _ = f.Value.(string)
		case strings.HasPrefix("expression", key):
			switch e := f.Value.(type) {
			case *block:
				c.block = e
			case string:
				c.name = e
			}
		case strings.HasPrefix("descending", key), strings.HasPrefix("ascending", key):
			descending := truth(f.Value) == strings.HasPrefix("descending", key)
			c.descending = &descending
		default:
			return c, runtimeError("@{ } for a property has no %q", f.Name).WithHint("it has Name and Expression; for Sort-Object also Descending")
		}
	}
	if c.block == nil && c.name == "" {
		return c, runtimeError("@{ } for a property has no Expression").WithHint("write @{Name='label'; Expression={ $_.Property }}")
	}
	if c.label == "" {
		c.label = c.name
	}
	return c, nil
}

// fields returns what the columns pick from a value, under their labels.
func (p *picker) fields(ctx context.Context, v any) ([]cmdlet.Field, error) {
	fields := make([]cmdlet.Field, 0, len(p.columns))
	for _, c := range p.columns {
		if c.pattern != nil {
			fields = append(fields, p.matching(c, v)...)
			continue
		}
		value, err := p.value(ctx, c, v)
		if err != nil {
			return nil, err
		}
		fields = append(fields, cmdlet.Field{Name: c.label, Value: value})
	}
	return fields, p.spend(ctx, len(fields))
}

func (p *picker) matching(c column, v any) (fields []cmdlet.Field) {
	if o, ok := v.(*cmdlet.Object); ok {
		for _, f := range o.Fields {
			if c.pattern.MatchString(f.Name) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// value returns what a column of one name or block picks from a value.
func (p *picker) value(ctx context.Context, c column, v any) (any, error) {
	if c.block != nil {
		return p.blockValue(ctx, c.block, v)
	}
	value, ok := memberOf(v, c.name)
	if !ok && !p.warned[c.name] {
		p.warned[c.name] = true
		missing := noMember(v, c.name)
		p.call.Warn("%s: %s", missing.Message, missing.Hint)
	}
	return value, p.spend(ctx, 1)
}

// values returns what the columns pick, the value itself where there are none.
func (p *picker) values(ctx context.Context, v any) ([]any, error) {
	if len(p.columns) == 0 {
		return []any{v}, nil
	}
	fields, err := p.fields(ctx, v)
	values := make([]any, len(fields))
	for i, f := range fields {
		values[i] = f.Value
	}
	return values, err
}
