package script

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// sorting is Sort-Object: it holds all values until there are no more.
type sorting struct {
	*picker
	next                      stage
	descending, unique, exact bool
	held                      []sortable
}

type sortable struct {
	value any
	keys  []any
}

func newSort(r *run, call *cmdlet.Call, next stage) (stage, error) {
	p, err := newPicker(r, call)
	return &sorting{
		picker: p, next: next, descending: call.Args.On("Descending"), unique: call.Args.On("Unique"), exact: call.Args.On("CaseSensitive"),
	}, err
}

func (s *sorting) take(ctx context.Context, v any) error {
	if len(s.held) >= mostHeld {
		return limit("Sort-Object holds at most %d values", mostHeld)
	}
	keys, err := s.values(ctx, v)
	s.held = append(s.held, sortable{v, keys})
	return err
}

func (s *sorting) end(ctx context.Context) error {
	var failed error
	slices.SortStableFunc(s.held, func(a, b sortable) int {
		if failed != nil {
			return 0
		}
		order, err := s.before(ctx, a, b)
		failed = err
		return order
	})
	if failed != nil {
		return failed
	}
	for i, held := range s.held {
		if s.unique && i > 0 {
			if order, err := s.before(ctx, s.held[i-1], held); err != nil || order == 0 {
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := s.next.take(ctx, held.value); err != nil {
			return err
		}
	}
	return nil
}

func (s *sorting) before(ctx context.Context, a, b sortable) (int, error) {
	if err := s.spend(ctx, 1); err != nil {
		return 0, err
	}
	for i := range min(len(a.keys), len(b.keys)) {
		order, err := s.rank(ctx, a.keys[i], b.keys[i])
		if err != nil {
			return 0, err
		}
		down := s.descending
		if i < len(s.columns) && s.columns[i].descending != nil {
			down = *s.columns[i].descending
		}
		if order != 0 && down {
			return -order, nil
		}
		if order != 0 {
			return order, nil
		}
	}
	return 0, nil
}

// rank orders any two values: numbers among themselves, times too, and everything else, or
// what is of two kinds, by its text.
func (s *sorting) rank(ctx context.Context, a, b any) (int, error) {
	if a == nil || b == nil || kind(a) == kind(b) && kind(a) != "" {
		return s.order(ctx, a, b, s.exact)
	}
	left, err := s.text(ctx, a)
	if err != nil {
		return 0, err
	}
	right, err := s.text(ctx, b)
	if err != nil {
		return 0, err
	}
	return s.order(ctx, left, right, s.exact)
}

// kind is the same for values that have an order among themselves, "" for those without one.
func kind(v any) string {
	switch v.(type) {
	case []any, *block, *cmdlet.Object, laidOut:
		return ""
	}
	return typeName(v)
}

// grouping is Group-Object.
type grouping struct {
	*picker
	next   stage
	counts bool
	groups []*group
	byKey  map[string]*group
	held   int
}

// groupType is the type name of what Group-Object yields.
const groupType = "GroupInfo"

func groupViews() []cmdlet.View {
	return []cmdlet.View{{Type: groupType, Summary: true, Table: []cmdlet.Column{{Label: "Count", Property: "Count"}, {Label: "Name", Property: "Name"}}}}
}

type group struct {
	name  string
	count int64
	items []any
}

func newGroup(r *run, call *cmdlet.Call, next stage) (stage, error) {
	p, err := newPicker(r, call)
	return &grouping{picker: p, next: next, counts: call.Args.On("NoElement"), byKey: map[string]*group{}}, err
}

func (g *grouping) take(ctx context.Context, v any) error {
	values, err := g.values(ctx, v)
	if err != nil {
		return err
	}
	name, key := "", ""
	for i, value := range values {
		text, err := g.text(ctx, value)
		if err != nil {
			return err
		}
		if i > 0 {
			name += ", "
		}
		name += text
		key += lower(text) + "\x00"
	}
	at := g.byKey[key]
	if at == nil {
		at = &group{name: name}
		g.byKey[key], g.groups = at, append(g.groups, at)
	}
	at.count++
	if !g.counts {
		at.items = append(at.items, v)
	}
	if g.held++; len(g.groups) > mostHeld || !g.counts && g.held > mostHeld {
		return limit("Group-Object holds at most %d values", mostHeld)
	}
	return nil
}

func (g *grouping) end(ctx context.Context) error {
	for _, at := range g.groups {
		o := &cmdlet.Object{Type: groupType, Fields: []cmdlet.Field{{Name: "Count", Value: at.count}, {Name: "Name", Value: at.name}}}
		if !g.counts {
			o.Fields = append(o.Fields, cmdlet.Field{Name: "Group", Value: at.items})
		}
		if err := g.next.take(ctx, o); err != nil {
			return err
		}
	}
	return nil
}
