package script

import (
	"fmt"
	"strings"
)

// sexp writes a tree out so that its shape can be read in a test: (eq $_.Name 'x').
func sexp(node any) string {
	switch n := node.(type) {
	case nil:
		return "nil"
	case *Script:
		return each(n.Statements, " ; ")
	case *Assignment:
		if n.To != nil {
			return fmt.Sprintf("(set %s %s)", sexpOf(n.To), sexp(n.Value))
		}
		return fmt.Sprintf("(set %s %s)", n.Name, sexp(n.Value))
	case *Pipeline:
		return each(n.Stages, " | ")
	case *Value:
		return sexp(n.Of)
	case *Command:
		return "[" + strings.TrimSpace(n.Name+" "+each(n.Words, " ")) + "]"
	case Word:
		switch {
		case n.Parameter == "":
			return sexp(n.Value)
		case n.Value == nil:
			return "-" + n.Parameter
		}
		return "-" + n.Parameter + ":" + sexp(n.Value)
	}
	return sexpOf(node.(Expression))
}

func sexpOf(e Expression) string {
	switch n := e.(type) {
	case *Literal:
		if text, ok := n.Data.(string); ok && n.Bare {
			return text
		} else if ok {
			return fmt.Sprintf("%q", text)
		}
		return fmt.Sprintf("%T(%v)", n.Data, n.Data)
	case *Expandable:
		return "(text " + each(n.Parts, " ") + ")"
	case *Variable:
		return "$" + n.Name
	case *Member:
		return fmt.Sprintf("%s.%s", sexp(n.Of), n.Name)
	case *Index:
		return fmt.Sprintf("%s[%s]", sexp(n.Of), sexp(n.N))
	case *List:
		return "(list" + strings.TrimRight(" "+each(n.Items, " "), " ") + ")"
	case *Table:
		return "(table" + strings.TrimRight(" "+each(n.Entries, " "), " ") + ")"
	case *Paren:
		return "(paren " + sexp(n.Of) + ")"
	case *Sub:
		if n.IsList {
			return "(all " + each(n.Of, " ; ") + ")"
		}
		return "(sub " + each(n.Of, " ; ") + ")"
	case *Block:
		return "{" + sexp(n.Of) + "}"
	case *Not:
		return "(not " + sexp(n.Of) + ")"
	case *Binary:
		op := n.Op
		if n.Exact {
			op = "c" + op
		}
		return fmt.Sprintf("(%s %s %s)", op, sexp(n.Left), sexp(n.Right))
	}
	panic(fmt.Sprintf("no such node: %T", e))
}

func each[T any](list []T, between string) string {
	texts := make([]string, len(list))
	for i, item := range list {
		if e, ok := any(item).(Entry); ok {
			texts[i] = sexp(e.Name) + "=" + sexp(e.Value)
		} else {
			texts[i] = sexp(item)
		}
	}
	return strings.Join(texts, between)
}
