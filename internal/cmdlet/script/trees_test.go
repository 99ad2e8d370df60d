package script

import (
	"reflect"
	"strings"

	"pgregory.net/rapid"
)

// trees draws syntax trees as Parse makes them.
type trees struct{ t *rapid.T }

const deepest = 4

func anyText(least int) *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringN(least, -1, 20),
		rapid.StringOfN(rapid.RuneFrom([]rune("a0 -–'’\"“`$#@[](){},;|&<>.:%*?=!\n\r\t\x00\u00a0\u0085")), least, 8, -1),
	)
}

var (
	names     = rapid.StringMatching(`[A-Za-z_é][A-Za-z0-9_é]{0,6}`)
	variables = rapid.OneOf(names, rapid.SampledFrom([]string{"_", "?", "true", "null", "7", "a b", "a}:{`b", "x?"}))
)

func (g trees) statements(most, depth int) []Statement {
	n := rapid.IntRange(0, most).Draw(g.t, "statements")
	var list []Statement
	for range n {
		list = append(list, g.statement(depth))
	}
	return list
}

func (g trees) statement(depth int) Statement {
	if depth < deepest && rapid.IntRange(0, 4).Draw(g.t, "assigns") == 0 {
		set := &Assignment{Value: g.statement(depth + 1)}
		if rapid.Bool().Draw(g.t, "member") {
			set.To = &Member{Of: &Variable{Name: variables.Draw(g.t, "variable")}, Name: names.Draw(g.t, "property")}
		} else {
			set.Name = "v" + names.Draw(g.t, "name")
		}
		return set
	}
	line := &Pipeline{Stages: []Stage{g.first(depth)}}
	for range rapid.IntRange(0, 2).Draw(g.t, "stages") {
		line.Stages = append(line.Stages, g.command(depth))
	}
	return line
}

func (g trees) first(depth int) Stage {
	if rapid.Bool().Draw(g.t, "value") {
		return &Value{Of: g.value(depth)}
	}
	return g.command(depth)
}

func (g trees) command(depth int) Stage {
	name := "Get-" + rapid.OneOf(names, anyText(1)).Draw(g.t, "command")
	c := &Command{Name: plainDashes(name)}
	if word := strings.ToLower(c.Name); isProgram(word) || elsewhere[word] != "" {
		c.Name = "Get-It"
	}
	for range rapid.IntRange(0, 3).Draw(g.t, "words") {
		c.Words = append(c.Words, g.word(depth))
	}
	return c
}

func (g trees) word(depth int) Word {
	var w Word
	kind := rapid.IntRange(0, 2).Draw(g.t, "kind")
	if kind > 0 {
		w.Parameter = names.Draw(g.t, "parameter")
	}
	if kind < 2 {
		w.Value = g.argument(depth)
	}
	return w
}

func (g trees) argument(depth int) Expression {
	if rapid.IntRange(0, 3).Draw(g.t, "list") > 0 {
		return g.item(depth)
	}
	list := &List{}
	for range rapid.IntRange(2, 3).Draw(g.t, "items") {
		list.Items = append(list.Items, g.item(depth))
	}
	return list
}

func (g trees) item(depth int) Expression {
	if rapid.Bool().Draw(g.t, "bare") {
		return &Literal{Data: anyText(1).Draw(g.t, "word"), Bare: true}
	}
	for {
		switch e := g.operand(depth).(type) {
		case *Literal:
			if text, ok := e.Data.(string); ok {
				return &Literal{Data: text}
			}
		case *Not:
		case *List:
			if len(e.Items) < 2 {
				return e
			}
		default:
			return e
		}
	}
}

// value draws what may stand as a whole expression.
func (g trees) value(depth int) Expression {
	if depth >= deepest {
		return g.operand(depth)
	}
	switch rapid.IntRange(0, 3).Draw(g.t, "value") {
	case 0:
		return g.compared(depth + 1)
	case 1:
		op := rapid.SampledFrom([]string{"and", "or", "xor"}).Draw(g.t, "logic")
		return &Binary{Op: op, Left: g.compared(depth + 1), Right: g.compared(depth + 1)}
	}
	return g.operand(depth)
}

func (g trees) compared(depth int) Expression {
	op := rapid.SampledFrom([]string{"eq", "notlike", "in", "contains", "match"}).Draw(g.t, "op")
	return &Binary{Op: op, Exact: rapid.Bool().Draw(g.t, "exact"), Left: g.operand(depth), Right: g.operand(depth)}
}

func (g trees) operand(depth int) Expression {
	if depth >= deepest {
		return g.leaf()
	}
	depth++
	switch rapid.IntRange(0, 10).Draw(g.t, "operand") {
	case 0:
		return &Member{Of: g.owner(depth), Name: rapid.OneOf(names, anyText(0)).Draw(g.t, "member")}
	case 1:
		return &Index{Of: g.owner(depth), N: g.value(depth)}
	case 2:
		return g.list(depth)
	case 3:
		return g.table(depth)
	case 4:
		return &Paren{Of: g.statement(depth)}
	case 5:
		return g.sub(depth)
	case 6:
		return &Block{Of: g.statement(depth)}
	case 7:
		return &Not{Of: g.operand(depth)}
	case 8:
		return g.expandable(depth)
	}
	return g.leaf()
}

// owner draws what members can be asked of.
func (g trees) owner(depth int) Expression {
	switch e := g.operand(depth).(type) {
	case *Variable, *Member, *Index, *Paren, *Sub, *Table, *Expandable, *List:
		return e
	}
	return &Variable{Name: "it"}
}

func (g trees) leaf() Expression {
	switch rapid.IntRange(0, 3).Draw(g.t, "leaf") {
	case 0:
		return &Literal{Data: rapid.Int64().Draw(g.t, "whole")}
	case 1:
		return &Literal{Data: rapid.Float64().Draw(g.t, "float")}
	case 2:
		return &Literal{Data: anyText(0).Draw(g.t, "text")}
	}
	return &Variable{Name: variables.Draw(g.t, "variable")}
}

func (g trees) list(depth int) Expression {
	list := &List{Items: []Expression{}}
	switch n := rapid.IntRange(0, 3).Draw(g.t, "items"); n {
	case 0:
	case 1:
		list.Items = append(list.Items, &Literal{Data: anyText(0).Draw(g.t, "text")})
	default:
		for range n {
			list.Items = append(list.Items, g.operand(depth))
		}
	}
	return list
}

func (g trees) sub(depth int) Expression {
	s := &Sub{Of: g.statements(2, depth), IsList: rapid.Bool().Draw(g.t, "list")}
	if _, ok := itemsOf(s.Of); ok {
		s.IsList = false // written with @( it would be a List
	}
	return s
}

func (g trees) table(depth int) Expression {
	table := &Table{}
	taken := map[string]bool{}
	for range rapid.IntRange(0, 3).Draw(g.t, "entries") {
		name := rapid.OneOf(names, anyText(0)).Draw(g.t, "entry")
		if taken[strings.ToLower(name)] {
			continue
		}
		taken[strings.ToLower(name)] = true
		e := Entry{Name: &Literal{Data: name}}
		if s := g.statement(depth); isValue(s) {
			e.Value = s.(*Pipeline).Stages[0].(*Value).Of
		} else {
			e.Value = &Paren{Of: s}
		}
		table.Entries = append(table.Entries, e)
	}
	return table
}

func (g trees) expandable(depth int) Expression {
	e := &Expandable{}
	for range rapid.IntRange(1, 3).Draw(g.t, "parts") {
		if rapid.Bool().Draw(g.t, "text") {
			e.Parts = append(e.Parts, &Literal{Data: anyText(1).Draw(g.t, "part")})
		}
		if rapid.Bool().Draw(g.t, "variable") {
			e.Parts = append(e.Parts, &Variable{Name: variables.Draw(g.t, "name")})
		} else {
			e.Parts = append(e.Parts, &Sub{Of: g.statements(2, depth)})
		}
	}
	return e
}

// sameTree reports whether two trees are the same but for the places of their nodes, which
// it takes away. (go-cmp walks slices in slices twice at every level: too long for deep trees.)
func sameTree(a, b *Script) bool {
	dropPlaces(reflect.ValueOf(a))
	dropPlaces(reflect.ValueOf(b))
	return reflect.DeepEqual(a, b)
}

func dropPlaces(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dropPlaces(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Pos]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			dropPlaces(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			dropPlaces(v.Index(i))
		}
	}
}

// depthOf returns the number of nodes on the longest way down a tree.
func depthOf(node any) int { return depthOfValue(reflect.ValueOf(node)) }

func depthOfValue(v reflect.Value) int {
	deepest, own := 0, 0
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		if v.Kind() == reflect.Pointer {
			own = 1
		}
		return own + depthOfValue(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			deepest = max(deepest, depthOfValue(v.Field(i)))
		}
	case reflect.Slice:
		for i := range v.Len() {
			deepest = max(deepest, depthOfValue(v.Index(i)))
		}
	}
	return deepest
}
