package script

import (
	"context"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// assignMember sets a property of an object, and returns its value. The object is changed for all
// that hold it; what a command has yielded is no more than a picture, and nothing of the service or
// a vault changes. A command that failed and yielded nothing leaves the property as it was.
func (r *run) assignMember(ctx context.Context, a *Assignment) (any, error) {
	before := r.errors
	value, err := r.valueOf(ctx, a.Value)
	if err != nil || value == nil && r.errors > before {
		return value, err
	}
	of, err := r.eval(ctx, a.To.Of)
	if err != nil {
		return nil, err
	}
	return value, setMember(of, a.To.Name, value)
}

// setMember sets a property that is there. A hash table takes any name, as in PowerShell.
func setMember(of any, name string, value any) error {
	o, ok := of.(*cmdlet.Object)
	if !ok {
		return unsettable(of, name)
	}
	f := field(o, name)
	switch {
	case f != nil:
		f.Value = value
	case o.Type != cmdlet.HashtableType && len(cmdlet.Nearest(name, namesOf(o))) > 0:
		return noMember(of, name)
	case o.Type != cmdlet.HashtableType:
		return noMember(of, name).WithHint("add it first: ... | Add-Member -NotePropertyName %s -NotePropertyValue ...", name)
	case len(o.Fields) >= mostHeld:
		return limit("an object has at most %d properties", mostHeld)
	default:
		o.Fields = append(o.Fields, cmdlet.Field{Name: name, Value: value})
	}
	return nil
}

func unsettable(of any, name string) *fault.Error {
	e := runtimeError("no property %q can be set on %s", name, typeName(of)).WithReason("PropertyAssignmentException")
	if _, ok := of.([]any); ok {
		return e.WithHint("set it on each of its objects: ... | ForEach-Object { $_.%s = ... }", name)
	}
	return e.WithHint("only objects and hash tables have properties")
}
