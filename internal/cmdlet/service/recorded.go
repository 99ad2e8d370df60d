package service

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/cmdlet"
)

// hidden stands in records for a value that is in none.
const hidden = "***"

// parameters returns what the command was given, for its record.
func parameters(c *cmdlet.Call) (list []activity.Parameter) {
	for name, v := range c.Args.All() {
		if p := c.Cmdlet.Param(name); p != nil {
			list = append(list, activity.Parameter{Name: p.Name, Value: recorded(p, v)})
		}
	}
	return list
}

// Given returns the parameters of a request that was refused before they were bound, for its
// record. What is no parameter of the command is left out: it may be anything.
func Given(c *cmdlet.Cmdlet, params cmdlet.Object) (list []activity.Parameter) {
	for _, f := range params.Fields {
		if p := c.Param(f.Name); p != nil {
			list = append(list, activity.Parameter{Name: p.Name, Value: recorded(p, f.Value)})
		}
	}
	return list
}

// recorded returns a value as a record shows it.
func recorded(p *cmdlet.Param, v any) string {
	if p.Secret {
		return hidden
	}
	return recordedText(v)
}

// recordedText writes a bound or a decoded value the way PowerShell's audit records do: lists with
// semicolons, True and False. What may be secret in an address is left out.
func recordedText(v any) string {
	switch v := v.(type) {
	case nil:
		return "$null"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case string:
		return activity.Plain(v)
	case cmdlet.GUID:
		return string(v)
	case int64, json.Number:
		return fmt.Sprint(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case []string:
		return joined(slices.Values(v), activity.Plain)
	case []any:
		return joined(slices.Values(v), recordedText)
	case map[string]string:
		return joined(slices.Values(slices.Sorted(maps.Keys(v))), func(name string) string { return name + "=" + activity.Plain(v[name]) })
	case cmdlet.Object:
		return joined(slices.Values(v.Fields), func(f cmdlet.Field) string { return f.Name + "=" + recordedText(f.Value) })
	}
	return hidden
}

// joined writes the texts of all elements with semicolons between.
func joined[T any](list iter.Seq[T], text func(T) string) string {
	var all []string
	for v := range list {
		all = append(all, text(v))
	}
	return strings.Join(all, ";")
}
