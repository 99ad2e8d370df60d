package cmdlet

import (
	"strconv"
	"strings"
	"time"
)

// accept turns a script's value into one of the parameter's type.
func (p *Param) accept(v any) (any, error) {
	if filter, ok := v.(Block); ok && p.Name == "Filter" && p.Type == String {
		return p.acceptText(filter.Block()) // as -Filter {Name -eq 'x'} is written for Exchange
	}
	if _, block := v.(Block); block != (p.Type == ScriptBlock) && p.Type != Any && p.Type != AnyList {
		return nil, p.mistyped()
	}
	switch p.Type {
	case Any, ScriptBlock:
		return v, nil
	case AnyList:
		return asList(v), nil
	}
	switch v := v.(type) {
	case nil:
		return p.null()
	case []any:
		return p.acceptList(v)
	case *Object:
		return p.acceptObject(v)
	case string:
		return p.acceptText(v)
	case bool:
		return p.convertBool(v)
	case int64:
		if p.Type == Bool || p.Type == Switch {
			return v != 0, nil
		}
		return p.acceptText(strconv.FormatInt(v, 10))
	case float64:
		return p.acceptText(strconv.FormatFloat(v, 'f', -1, 64))
	case time.Time:
		return p.acceptTime(v)
	case GUID:
		return p.acceptText(string(v))
	}
	return nil, p.mistyped()
}

// acceptText takes text as it is meant: no quotes are taken away, and $null is just a word
// but where a parameter gives it a meaning.
func (p *Param) acceptText(text string) (any, error) {
	if literal := p.Type == String || p.Type == ID; literal && !(p.AllowNull && strings.EqualFold(text, "$null")) {
		return p.checkText(text)
	}
	return p.parse(text)
}

// latest is the last instant that every part can write down.
var latest = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// acceptTime turns a time of any zone into UTC; no zone's 12/31/9999 goes past it (row CK-210).
func (p *Param) acceptTime(t time.Time) (any, error) {
	if t = t.UTC(); t.After(latest) {
		t = latest
	}
	if p.Type == Time {
		return t, nil
	}
	return p.acceptText(t.Format(time.RFC3339))
}

func (p *Param) acceptList(list []any) (any, error) {
	if p.Type != StringList {
		if len(list) == 1 { // PowerShell unrolls a list of one
			return p.accept(list[0])
		}
		return nil, p.crowded(len(list))
	}
	one := Param{Name: p.Name, Type: String, Values: p.Values, Mandatory: p.Mandatory}
	items := make([]string, 0, len(list))
	for _, item := range list {
		v, err := one.accept(item)
		if err != nil {
			return nil, err
		}
		items = append(items, v.(string))
	}
	return p.checkItems(items)
}

// crowded refuses a list where one value is wanted.
func (p *Param) crowded(n int) error {
	e := BindError("-%s takes one value, not a list of %d", p.Name, n)
	if n == 0 {
		return e.WithHint("what was to yield the value has yielded nothing")
	}
	if p.Pipeline || p.ByProperty {
		return e.WithHint("send the list through a pipeline to run the command for each")
	}
	return e.WithHint("pick one of them, or use ForEach-Object { }")
}

func (p *Param) acceptObject(o *Object) (any, error) {
	if p.Type == Map {
		m := make(map[string]string, len(o.Fields))
		text := Param{Name: p.Name, Type: String}
		for _, f := range o.Fields {
			v, err := text.accept(f.Value)
			if err != nil {
				return nil, err
			}
			m[f.Name] = v.(string)
		}
		return m, nil
	}
	if p.Type == PSObject {
		return Snapshot(o)
	}
	names := append(p.names(), "Identity", "Id", "Guid", "Name")
	if o.Type == PolicyType { // its name can be given to another policy meanwhile
		names = append([]string{"Guid"}, names...)
	}
	switch v := firstOf(o, names...).(type) {
	case nil, *Object, []any:
		return nil, p.mistyped()
	default:
		return p.accept(v)
	}
}

// firstOf returns the first of the named properties that holds something.
func firstOf(o *Object, names ...string) any {
	for _, name := range names {
		if v := o.Get(name); v != nil && v != "" {
			return v
		}
	}
	return nil
}

func asList(v any) any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// describe names a value in a message.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "$null"
	case string:
		return Quote(v)
	case Block:
		return "the block " + Quote("{ "+v.Block()+" }")
	case []any:
		return "a list"
	case *Object:
		if v.Type == "" {
			return "an object"
		}
		return "an object of type " + Printable(v.Type)
	}
	return Quote(Show(v))
}
