package cmdlet

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Args are bound parameters: canonical names with values of the parameter's type, which
// are string, bool, int64, time.Time, []string, map[string]string, Object, or nil for $null; those
// of Any, AnyList and ScriptBlock are values of a script (see Word). The accessors return the zero
// value for a parameter that was not given.
type Args struct {
	values map[string]any
}

// Has reports whether the parameter was given, $null included.
func (a Args) Has(name string) bool { _, ok := a.values[name]; return ok }

// IsNull reports whether the parameter was given as $null.
func (a Args) IsNull(name string) bool { v, ok := a.values[name]; return ok && v == nil }

// Text returns a String or ID.
func (a Args) Text(name string) string { return value[string](a, name) }

// On returns a Bool or Switch.
func (a Args) On(name string) bool { return value[bool](a, name) }

// Int returns an Int.
func (a Args) Int(name string) int64 { return value[int64](a, name) }

// Time returns a Time.
func (a Args) Time(name string) time.Time { return value[time.Time](a, name) }

// List returns a StringList.
func (a Args) List(name string) []string { return slices.Clone(value[[]string](a, name)) }

// Map returns a Map.
func (a Args) Map(name string) map[string]string {
	return maps.Clone(value[map[string]string](a, name))
}

// Object returns a PSObject.
func (a Args) Object(name string) Object { return value[Object](a, name) }

// Value returns what was given whatever its type; it is for Any, AnyList and ScriptBlock.
func (a Args) Value(name string) any { return a.values[name] }

// TextPtr returns a String, or nil if it was not given: "leave it as it is".
func (a Args) TextPtr(name string) *string { return pointer[string](a, name) }

// BoolPtr returns a Bool, or nil if it was not given.
func (a Args) BoolPtr(name string) *bool { return pointer[bool](a, name) }

// TimePtr returns a Time, or nil if it was not given.
func (a Args) TimePtr(name string) *time.Time { return pointer[time.Time](a, name) }

// All yields the parameters by name, in alphabetical order.
func (a Args) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, name := range slices.SortedFunc(maps.Keys(a.values), strings.Compare) {
			if !yield(name, a.values[name]) {
				return
			}
		}
	}
}

func value[T any](a Args, name string) T {
	v, _ := a.values[name].(T)
	return v
}

func pointer[T any](a Args, name string) *T {
	if v, ok := a.values[name].(T); ok {
		return &v
	}
	return nil
}
