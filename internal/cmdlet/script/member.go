package script

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// member returns a property of a value, whatever the case of its name. On a list it is that
// of each item that has it. A property that nothing has is an error, as under strict mode in
// PowerShell: a $null instead could go on into a command for which it means something.
func (r *run) member(ctx context.Context, of any, name string) (any, error) {
	if v, ok := memberOf(of, name); ok {
		return v, nil
	}
	list, ok := of.([]any)
	if !ok {
		return nil, noMember(of, name)
	}
	var found []any
	for _, item := range list {
		if err := r.spend(ctx, 1); err != nil {
			return nil, err
		}
		v, ok := memberOf(item, name)
		if inner, isList := v.([]any); ok && isList {
			found = append(found, inner...)
		} else if ok {
			found = append(found, v)
		}
		if len(found) > mostHeld {
			return nil, limit("a list has at most %d values", mostHeld)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case found == nil && len(list) > 0:
		return nil, noMember(list[0], name)
	case found == nil:
		return nil, nil
	}
	return found, nil
}

// memberOf returns a property that the value itself has.
func memberOf(of any, name string) (any, bool) {
	low := lower(name)
	switch of := of.(type) {
	case *cmdlet.Object:
		if f := field(of, name); f != nil {
			return f.Value, true
		}
		if of.Type == cmdlet.HashtableType {
			if v, ok := tableMember(of, low); ok {
				return v, true
			}
		}
	case []any:
		if low == "count" || low == "length" {
			return int64(len(of)), true
		}
		return nil, false
	case string:
		if low == "length" {
			return int64(utf8.RuneCountInString(of)), true
		}
	case time.Time:
		if v, ok := timeMember(of, low); ok {
			return v, true
		}
	}
	if low == "count" && of != nil { // PowerShell gives every single thing one
		return int64(1), true
	}
	if low == "count" {
		return int64(0), true
	}
	return nil, false
}

// field returns the property itself, nil if there is none.
func field(o *cmdlet.Object, name string) *cmdlet.Field {
	for i := range o.Fields {
		if strings.EqualFold(o.Fields[i].Name, name) {
			return &o.Fields[i]
		}
	}
	return nil
}

func tableMember(o *cmdlet.Object, low string) (any, bool) {
	switch low {
	case "count":
		return int64(len(o.Fields)), true
	case "keys", "values":
		list := make([]any, len(o.Fields))
		for i, f := range o.Fields {
			list[i] = f.Value
			if low == "keys" {
				list[i] = f.Name
			}
		}
		return list, true
	}
	return nil, false
}

func timeMember(t time.Time, low string) (any, bool) {
	switch low {
	case "year":
		return int64(t.Year()), true
	case "month":
		return int64(t.Month()), true
	case "day":
		return int64(t.Day()), true
	case "hour":
		return int64(t.Hour()), true
	case "minute":
		return int64(t.Minute()), true
	case "second":
		return int64(t.Second()), true
	case "dayofyear":
		return int64(t.YearDay()), true
	case "dayofweek":
		return t.Weekday().String(), true
	case "date":
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()), true
	}
	return nil, false
}

func noMember(of any, name string) *fault.Error {
	e := runtimeError("%s has no property %q", typeName(of), name).WithReason("PropertyNotFoundStrict")
	o, ok := of.(*cmdlet.Object)
	if !ok {
		if of == nil {
			return e.WithHint("the command or variable before the dot has yielded nothing")
		}
		return e.WithHint("only objects have properties")
	}
	names := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		names[i] = f.Name
	}
	if near := cmdlet.Nearest(name, names); len(near) > 0 {
		return e.WithHint("did you mean %s?", strings.Join(near, ", "))
	}
	return e.WithHint("see all of them with: ... | Format-List *")
}
