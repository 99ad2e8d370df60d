package cmdlet

import "slices"

// A Format is a layout of output.
type Format string

// The layouts. JSON is one array of objects, for programs.
const (
	TableFormat Format = "table"
	ListFormat  Format = "list"
	JSONFormat  Format = "json"
)

// A View says how objects of one type are shown: what PowerShell keeps in its format files.
type View struct {
	Type    string
	Summary bool     // one of many by nature: shown as a table unless asked otherwise
	Table   []Column // columns of the table, the most important first: the last give way on a narrow terminal
	List    []Column // lines of the list; empty: all properties under their own names
}

// A Column shows a property under a label. Numbers stand at the right.
type Column struct {
	Label    string
	Property string
}

// ViewOf returns the view of o, made from its own properties if its type has none.
func ViewOf(views []View, o Object) View {
	v := View{Type: o.Type}
	if i := slices.IndexFunc(views, func(v View) bool { return v.Type == o.Type }); i >= 0 {
		v = views[i]
	}
	own := make([]Column, len(o.Fields))
	for i, f := range o.Fields {
		own[i] = Column{f.Name, f.Name}
	}
	if len(v.List) == 0 {
		v.List = own
	}
	if len(v.Table) == 0 {
		v.Table = own
	}
	return v
}

// Layout returns the format for the call's output, whose first object is o: the one asked
// for, else the one of the command or of the object's type.
func (c *Call) Layout(views []View, o Object) Format {
	switch {
	case c.Common.OutputFormat != "":
		return c.Common.OutputFormat
	case c.Cmdlet.Detail != "" && (!c.Args.Has(c.Cmdlet.Detail) || c.Args.IsNull(c.Cmdlet.Detail)):
		return TableFormat
	case ViewOf(views, o).Summary:
		return TableFormat
	}
	return ListFormat
}
