package script

import (
	"context"
	"math"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// measuring is Measure-Object: it counts as values go by and holds none of them.
type measuring struct {
	*picker
	next   stage
	totals []total // one for each property
	wanted []string
}

// A total is what is known of a property, or of the values themselves.
type total struct {
	property           string
	count              int64
	sum                float64
	whole              int64 // the same as long as all were whole and it did not overflow
	fraction           bool
	numbers            int64
	greatest, smallest any
}

func newMeasure(r *run, call *cmdlet.Call, next stage) (stage, error) {
	p, err := newPicker(r, call)
	if err != nil {
		return nil, err
	}
	m := &measuring{picker: p, next: next}
	for _, name := range []string{"Average", "Sum", "Maximum", "Minimum"} {
		if call.Args.On(name) {
			m.wanted = append(m.wanted, name)
		}
	}
	for _, c := range p.columns {
		if c.pattern != nil {
			return nil, runtimeError("Measure-Object takes no wildcards")
		}
		m.totals = append(m.totals, total{property: c.label})
	}
	if len(m.totals) == 0 {
		m.totals = []total{{}}
	}
	return m, nil
}

func (m *measuring) take(ctx context.Context, v any) error {
	if len(m.columns) == 0 {
		return m.add(ctx, &m.totals[0], v)
	}
	for i, c := range m.columns {
		value, err := m.value(ctx, c, v)
		if err != nil {
			return err
		}
		if value == nil {
			continue
		}
		if err := m.add(ctx, &m.totals[i], value); err != nil {
			return err
		}
	}
	return nil
}

func (m *measuring) add(ctx context.Context, t *total, v any) error {
	t.count++
	for _, wanted := range m.wanted {
		var err error
		switch wanted {
		case "Maximum":
			t.greatest, err = m.better(ctx, t.greatest, v, 1)
		case "Minimum":
			t.smallest, err = m.better(ctx, t.smallest, v, -1)
		}
		if err != nil {
			return err
		}
	}
	if !m.sums() {
		return nil
	}
	n := asNumber(v)
	if n == nil {
		return runtimeError("%s cannot be added up", typeName(v)).WithHint("name the property to add up with -Property")
	}
	t.reckon(n)
	return nil
}

func (m *measuring) sums() bool {
	for _, w := range m.wanted {
		if w == "Sum" || w == "Average" {
			return true
		}
	}
	return false
}

func (t *total) reckon(n any) {
	t.numbers++
	t.sum += asFloat(n)
	whole, ok := n.(int64)
	after := t.whole + whole
	if overflow := (whole > 0) != (after > t.whole) && whole != 0; !ok || overflow {
		t.fraction = true
	}
	t.whole = after
}

func (m *measuring) better(ctx context.Context, best, v any, sign int) (any, error) {
	if best == nil {
		return v, nil
	}
	order, err := m.order(ctx, v, best, false)
	if order*sign > 0 {
		return v, err
	}
	return best, err
}

func (m *measuring) end(ctx context.Context) error {
	for _, t := range m.totals {
		o := &cmdlet.Object{Layout: cmdlet.ListFormat, Fields: []cmdlet.Field{{Name: "Count", Value: t.count}}}
		for _, wanted := range m.wanted {
			o.Fields = append(o.Fields, cmdlet.Field{Name: wanted, Value: t.figure(wanted)})
		}
		if t.property != "" {
			o.Fields = append(o.Fields, cmdlet.Field{Name: "Property", Value: t.property})
		}
		if err := m.next.take(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// figure is nil where there is none: the mean of nothing, or a sum past all numbers.
func (t *total) figure(name string) any {
	switch {
	case name == "Maximum":
		return t.greatest
	case name == "Minimum":
		return t.smallest
	case t.numbers == 0 || math.IsInf(t.sum, 0) || math.IsNaN(t.sum):
		return nil
	case name == "Average":
		return t.sum / float64(t.numbers)
	case t.fraction:
		return t.sum
	}
	return t.whole
}
