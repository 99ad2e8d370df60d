package cmdlet

import (
	"encoding/json"
	"strconv"
)

// Scripts hold objects by reference: who changes one changes it for all that hold it. These
// functions lead into that form of values and out of it.

// Shared returns a field's value in the form that scripts hold: objects behind pointers, lists
// as []any, numbers as int64 or float64. An object that is a plain text becomes that text.
func Shared(value any) any {
	switch v := value.(type) {
	case Object:
		if v.Type == TextType {
			return Shared(v.Get("Value"))
		}
		o := &Object{Type: v.Type, Key: v.Key, Layout: v.Layout, Fields: make([]Field, len(v.Fields))}
		for i, f := range v.Fields {
			o.Fields[i] = Field{f.Name, Shared(f.Value)}
		}
		return o
	case []Object:
		return sharedEach(v)
	case []string:
		return sharedEach(v)
	case []any:
		return sharedEach(v)
	case map[string]string:
		return Shared(tableObject(v))
	case json.Number:
		return sharedNumber(v)
	}
	return value
}

func sharedEach[T any](items []T) []any {
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = Shared(item)
	}
	return list
}

func sharedNumber(n json.Number) any {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil {
		return f
	}
	return n.String()
}

const mostShared = 1_000_000 // values in one snapshot: an object may hold another many times over

// Snapshot returns a copy of an object of a script, in the form that commands and printers
// take. An object that holds itself, or too much, is fault.Invalid.
func Snapshot(o *Object) (Object, error) {
	s := snapshot{left: mostShared}
	v, err := s.object(o, 0)
	return v, err
}

type snapshot struct{ left int }

func (s *snapshot) value(value any, depth int) (any, error) {
	if s.left--; s.left < 0 || depth > deepest {
		return nil, BindError("the object holds itself, or more than can be written down").WithHint("pick the properties that are wanted with Select-Object")
	}
	switch v := value.(type) {
	case *Object:
		return s.object(v, depth)
	case []any:
		return s.list(v, depth)
	case Block:
		return "{ " + v.Block() + " }", nil
	}
	return value, nil
}

func (s *snapshot) object(o *Object, depth int) (Object, error) {
	out := Object{Type: o.Type, Key: o.Key, Layout: o.Layout, Fields: make([]Field, len(o.Fields))}
	for i, f := range o.Fields {
		v, err := s.value(f.Value, depth+1)
		if err != nil {
			return Object{}, err
		}
		out.Fields[i] = Field{f.Name, v}
	}
	return out, nil
}

// list keeps the types that printers and the wire know lists by.
func (s *snapshot) list(list []any, depth int) (any, error) {
	texts, objects := make([]string, 0, len(list)), make([]Object, 0, len(list))
	out := make([]any, len(list))
	for i, item := range list {
		v, err := s.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case Object:
			objects = append(objects, v)
		}
		out[i] = v
	}
	switch len(list) {
	case len(texts):
		return texts, nil
	case len(objects):
		return objects, nil
	}
	return out, nil
}

// IsReport reports whether an object is what -WhatIf reports, which is said in sentences too.
func (o Object) IsReport() bool { return o.Type == ReportType }
