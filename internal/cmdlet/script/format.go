package script

import (
	"strconv"
	"strings"
)

// Format writes a script out in one spelling: a statement on each line, without comments and
// line ends inside, parameters and names as they were written. Parse reads the same tree from it.
func Format(s *Script) string {
	var f formatter
	f.statements(s.Statements, "\n")
	return f.String()
}

// FormatStatement writes one statement out, on one line.
func FormatStatement(s Statement) string {
	var f formatter
	f.statement(s)
	return f.String()
}

type formatter struct{ strings.Builder }

func (f *formatter) statements(list []Statement, between string) {
	for i, s := range list {
		if i > 0 {
			f.WriteString(between)
		}
		f.statement(s)
	}
}

func (f *formatter) statement(s Statement) {
	switch s := s.(type) {
	case *Assignment:
		if s.To != nil {
			f.operand(s.To)
		} else {
			f.WriteString("$" + variableName(s.Name))
		}
		f.WriteString(" = ")
		f.statement(s.Value)
	case *Pipeline:
		for i, stage := range s.Stages {
			if i > 0 {
				f.WriteString(" | ")
			}
			f.stage(stage)
		}
	}
}

func (f *formatter) stage(s Stage) {
	switch s := s.(type) {
	case *Value:
		f.value(s.Of)
	case *Command:
		f.WriteString(bareText(s.Name))
		for _, w := range s.Words {
			f.WriteByte(' ')
			f.word(w)
		}
	}
}

func (f *formatter) word(w Word) {
	if w.Parameter != "" {
		f.WriteString("-" + w.Parameter)
		if w.Value == nil {
			return
		}
		f.WriteByte(':')
	}
	if list, ok := w.Value.(*List); ok && len(list.Items) > 1 {
		f.separated(list.Items, f.item)
		return
	}
	f.item(w.Value)
}

// item writes one value of a command.
func (f *formatter) item(e Expression) {
	if l, ok := e.(*Literal); ok && l.Bare {
		f.WriteString(bareText(l.Data.(string)))
		return
	}
	f.operand(e)
}

func (f *formatter) separated(items []Expression, write func(Expression)) {
	for i, item := range items {
		if i > 0 {
			f.WriteString(", ")
		}
		write(item)
	}
}

// value writes an expression where any may stand.
func (f *formatter) value(e Expression) {
	switch e := e.(type) {
	case *Binary:
		f.value(e.Left)
		f.WriteString(" -")
		if e.Exact {
			f.WriteByte('c')
		}
		f.WriteString(e.Op + " ")
		f.value(e.Right)
	case *List:
		if len(e.Items) > 1 {
			f.separated(e.Items, f.operand)
			return
		}
		f.operand(e)
	default:
		f.operand(e)
	}
}

// operand writes an expression where only one value may stand: a list gets its brackets.
func (f *formatter) operand(e Expression) {
	switch e := e.(type) {
	case *Literal:
		f.WriteString(literal(e.Data))
	case *Expandable:
		f.expandable(e)
	case *Variable:
		f.WriteString("$" + variableName(e.Name))
	case *Not:
		f.WriteString("-not ")
		f.operand(e.Of)
	case *Member:
		f.operand(e.Of)
		f.WriteByte('.')
		f.name(e.Name)
	case *Index:
		f.operand(e.Of)
		f.WriteByte('[')
		f.value(e.N)
		f.WriteByte(']')
	default:
		f.bracketed(e)
	}
}

func (f *formatter) bracketed(e Expression) {
	switch e := e.(type) {
	case *List:
		f.WriteString("@(")
		f.separated(e.Items, f.operand)
		f.WriteByte(')')
	case *Table:
		f.table(e)
	case *Paren:
		f.WriteByte('(')
		f.statement(e.Of)
		f.WriteByte(')')
	case *Block:
		f.WriteString("{ ")
		f.statement(e.Of)
		f.WriteString(" }")
	case *Sub:
		sign := "$("
		if e.IsList {
			sign = "@("
		}
		f.WriteString(sign)
		f.statements(e.Of, "; ")
		f.WriteByte(')')
	}
}

func (f *formatter) table(t *Table) {
	f.WriteString("@{")
	for i, e := range t.Entries {
		if i > 0 {
			f.WriteString("; ")
		}
		if l, ok := e.Name.(*Literal); ok {
			f.entryName(l)
		} else {
			f.operand(e.Name)
		}
		f.WriteString(" = ")
		if p, ok := e.Value.(*Paren); ok && !isValue(p.Of) {
			f.statement(p.Of) // as Parse gives it back
		} else {
			f.value(e.Value)
		}
	}
	f.WriteByte('}')
}

func (f *formatter) entryName(l *Literal) {
	if name, ok := l.Data.(string); ok {
		f.name(name)
		return
	}
	f.operand(l)
}

// name writes the name of a property, in quotes where it needs them.
func (f *formatter) name(name string) {
	if !isName(name) {
		name = quoted(name)
	}
	f.WriteString(name)
}

// isValue tells a pipeline that is a value alone.
func isValue(s Statement) bool {
	line, ok := s.(*Pipeline)
	if !ok || len(line.Stages) != 1 {
		return false
	}
	_, ok = line.Stages[0].(*Value)
	return ok
}

func (f *formatter) expandable(e *Expandable) {
	f.WriteByte('"')
	for _, part := range e.Parts {
		switch part := part.(type) {
		case *Literal:
			f.WriteString(escaped(part.Data.(string)))
		case *Variable:
			f.WriteString("${" + bracedName(part.Name) + "}")
		default:
			f.operand(part)
		}
	}
	f.WriteByte('"')
}

func literal(data any) string {
	switch v := data.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text
	}
	return quoted(data.(string))
}
