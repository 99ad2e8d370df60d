package script

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// selection is Select-Object.
type selection struct {
	*picker
	next stage

	expand            string
	first, last, skip int64 // first and last -1: not asked for
	seen              int64
	tail              []any // the newest, with -Last
	unique            map[string]bool
}

func newSelect(r *run, call *cmdlet.Call, next stage) (stage, error) {
	p, err := newPicker(r, call)
	if err != nil {
		return nil, err
	}
	s := &selection{picker: p, next: next, expand: call.Args.Text("ExpandProperty"), first: -1, last: -1, skip: call.Args.Int("Skip")}
	if call.Args.Has("First") {
		s.first = call.Args.Int("First")
	}
	if call.Args.Has("Last") {
		s.last = call.Args.Int("Last")
	}
	if call.Args.On("Unique") {
		s.unique = map[string]bool{}
	}
	if s.first >= 0 && s.last >= 0 || s.expand != "" && len(p.columns) > 0 || call.Args.Int("First") < 0 || call.Args.Int("Last") < 0 || s.skip < 0 {
		return nil, fault.New(fault.Invalid, "these parameters of Select-Object cannot be used together, or count below zero").WithReason(cmdlet.ReasonParameter)
	}
	return s, nil
}

func (s *selection) take(ctx context.Context, v any) error {
	if s.last >= 0 {
		return s.remember(v)
	}
	if s.first == 0 {
		return halt{s}
	}
	if s.seen++; s.seen <= s.skip {
		return nil
	}
	if err := s.choose(ctx, v); err != nil {
		return err
	}
	if s.first > 0 && s.seen >= s.skip+s.first {
		return halt{s}
	}
	return nil
}

// remember keeps the newest values, as many as the end can ask for.
func (s *selection) remember(v any) error {
	s.tail = append(s.tail, v)
	if int64(len(s.tail)) > s.last+s.skip {
		s.tail[0] = nil
		s.tail = s.tail[1:]
	}
	if len(s.tail) > mostHeld {
		return limit("Select-Object holds at most %d values", mostHeld)
	}
	return nil
}

func (s *selection) end(ctx context.Context) error {
	for _, v := range s.tail[:max(0, len(s.tail)-int(s.skip))] {
		if err := s.choose(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// choose passes on what is wanted of a value.
func (s *selection) choose(ctx context.Context, v any) error {
	if s.expand != "" {
		value, err := s.run.member(ctx, v, s.expand)
		if err != nil {
			return err
		}
		v = value
	}
	if len(s.columns) > 0 {
		fields, err := s.fields(ctx, v)
		if err != nil {
			return err
		}
		v = &cmdlet.Object{Fields: distinct(fields)}
	}
	if s.unique != nil {
		key, err := s.key(ctx, v)
		if err != nil || s.unique[key] {
			return err
		}
		if s.unique[key] = true; len(s.unique) > mostHeld {
			return limit("Select-Object holds at most %d values", mostHeld)
		}
	}
	if s.expand != "" {
		return s.each(ctx, v, s.next)
	}
	return s.next.take(ctx, v)
}

// distinct keeps the first of fields of one name, such as Name, N*.
func distinct(fields []cmdlet.Field) []cmdlet.Field {
	seen := map[string]bool{}
	kept := make([]cmdlet.Field, 0, len(fields))
	for _, f := range fields {
		if !seen[lower(f.Name)] {
			kept = append(kept, f)
		}
		seen[lower(f.Name)] = true
	}
	return kept
}

// key is a text that two values share only if they are alike in all that they hold.
func (r *run) key(ctx context.Context, v any) (string, error) {
	if o, ok := v.(*cmdlet.Object); ok {
		v = &cmdlet.Object{Fields: o.Fields} // by its properties, not by its identity
	}
	text, err := r.text(ctx, v)
	return typeName(v) + ":" + text, err
}
