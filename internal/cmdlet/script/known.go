package script

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// Variables returns the names of all variables that have a value, in order, without "$".
func (s *Session) Variables() []string {
	names := []string{"true", "false", "null", "?", "_"}
	for name := range s.variables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Members returns the names of the properties that can stand at a place: those of what a variable
// holds, or of the objects that the commands before it in the pipeline are known to yield. It runs nothing.
func (s *Session) Members(at Place) []string {
	if at.Of == nil {
		return s.yielded(at.Upstream)
	}
	v, ok := at.Of.(*Variable)
	if !ok {
		return nil
	}
	if name := lower(v.Name); name == "_" || name == "psitem" {
		return s.yielded(at.Around)
	}
	value := s.variables[lower(v.Name)]
	if list, ok := value.([]any); ok && len(list) > 0 {
		value = list[0]
	}
	if o, ok := value.(*cmdlet.Object); ok {
		return namesOf(o)
	}
	return nil
}

func namesOf(o *cmdlet.Object) []string {
	names := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		names[i] = f.Name
	}
	return names
}

// yielded returns the properties that the last of the stages gives, as far as the table tells:
// commands such as Where-Object pass on what is before them.
func (s *Session) yielded(stages []Stage) []string {
	for _, st := range slices.Backward(stages) {
		if v, ok := st.(*Value); ok {
			return s.Members(Place{Of: v.Of})
		}
		c, ok := st.(*Command)
		if !ok {
			return nil
		}
		row, err := cmdlet.Find(s.table, c.Name)
		switch {
		case err != nil:
			return nil
		case row.Output != "":
			return s.shown(row.Output)
		case !passesOn(row.Name):
			return nil
		}
	}
	return nil
}

// passesOn tells the commands that yield what they are given.
func passesOn(name string) bool {
	return strings.HasSuffix(name, "-Object") && name != "Group-Object" && name != "Measure-Object" && name != "ForEach-Object"
}

// shown returns the properties that a type's views name.
func (s *Session) shown(output string) []string {
	var names []string
	for _, v := range s.views {
		if v.Type != output {
			continue
		}
		for _, c := range slices.Concat(v.List, v.Table) {
			if !slices.Contains(names, c.Property) {
				names = append(names, c.Property)
			}
		}
	}
	return names
}
