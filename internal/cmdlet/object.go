package cmdlet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// An Object is one result of a command: properties in the order in which they are shown.
type Object struct {
	Type   string // picks the View; not shown
	Key    string // place in the command's order, for paging; not shown; "" if it has none
	Layout Format // how its command lays it out, set where scripts run; not shown; "": its view decides
	Fields []Field
}

// A Field is a property. Its value is nil, string, bool, int64, float64, json.Number, GUID,
// time.Time, []string, []any, Object or []Object. In scripts, where objects are shared, it is
// nil, string, bool, int64, float64, GUID, time.Time, []any or *Object.
type Field struct {
	Name  string
	Value any
}

// A GUID is text that the wire marks as such (row CK-339).
type GUID string

// TextType marks an object that is a plain text, as some commands return one.
const TextType = "String"

// TextObject is a plain text as the output of a command: a list shows it alone on its line, and
// JSON as a string.
func TextObject(text string) Object {
	return Object{Type: TextType, Fields: []Field{{"Value", text}}}
}

// Get returns the property of that name, whatever its case, nil if there is none.
func (o Object) Get(name string) any {
	for _, f := range o.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return nil
}

// Only returns the object with the properties of those names alone, whatever their case; with
// all if there are no names (row CK-330).
func (o Object) Only(names []string) Object {
	if len(names) == 0 {
		return o
	}
	some := o
	some.Fields = slices.DeleteFunc(slices.Clone(o.Fields), func(f Field) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, f.Name) })
	})
	return some
}

// MarshalJSON writes the properties in order. Times are RFC 3339 in UTC.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := writeMember(&b, f.Name, f.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func writeMember(b *bytes.Buffer, name string, value any) error {
	if t, ok := value.(time.Time); ok {
		value = t.UTC().Format(time.RFC3339)
	}
	label, err := MarshalPlain(name)
	if err != nil {
		return err
	}
	text, err := MarshalPlain(value)
	if err != nil {
		return fmt.Errorf("writing property %s: %w", name, err)
	}
	b.Write(label)
	b.WriteByte(':')
	b.Write(text)
	return nil
}

// MarshalPlain is json.Marshal without the escapes that only HTML needs.
func MarshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// UnmarshalJSON reads a JSON object with its order kept. Numbers become json.Number, arrays
// []any, objects Object. A name given twice is an error; null changes nothing.
func (o *Object) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return err
	}
	object, ok := v.(Object)
	if !ok {
		return errors.New("not a JSON object")
	}
	*o = object
	return nil
}

const deepest = 32 // levels of arrays and objects in one value; no command needs more than 4

func readValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > deepest {
		return nil, fmt.Errorf("more than %d levels of JSON", deepest)
	}
	switch token {
	case json.Delim('{'):
		return readObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func readObject(d *json.Decoder, depth int) (any, error) {
	o := Object{Fields: []Field{}}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		if seen[name] {
			return nil, fmt.Errorf("the name %q is given twice", name)
		}
		seen[name] = true
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.Fields = append(o.Fields, Field{name, v})
	}
	_, err := d.Token()
	return o, err
}
