package clixml

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// A Level says how deep objects within objects are written.
type Level int

const (
	// Partial writes objects within the result as objects, and those within these as text.
	Partial Level = 1
	// Full writes all levels, up to deepest.
	Full Level = deepest
)

// deepest is where even Full ends. PowerShell's own serializer ends at 48.
const deepest = 32

// Marshal returns the object as one document on one line. Every object can be written: what
// the format has no name for is written as text.
func Marshal(o cmdlet.Object, level Level) string {
	w := writer{level: level, types: map[string]int{}}
	w.raw(`<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">`)
	w.object("", o, 0)
	w.raw(`</Objs>`)
	return w.b.String()
}

// A writer numbers objects, and lists of type names, in the order in which they come. A list
// that came before is referred to by its number (TNRef).
type writer struct {
	b     strings.Builder
	level Level
	refs  int
	types map[string]int
}

// Type names of what is written, the most special first, separated by commas.
const (
	customObject = "System.Management.Automation.PSCustomObject,System.Object"
	array        = "System.Object[],System.Array,System.Object"
)

func (w *writer) raw(text string) { w.b.WriteString(text) }

// name returns the attribute that gives a property its name; nothing for an item of a list.
func name(n string) string {
	if n == "" {
		return ""
	}
	return ` N="` + encode(n) + `"`
}

func (w *writer) object(n string, o cmdlet.Object, depth int) {
	w.open(n, customObject)
	w.raw("<MS>")
	for _, f := range o.Fields {
		w.value(f.Name, f.Value, depth)
	}
	w.raw("</MS></Obj>")
}

func (w *writer) open(n, types string) {
	fmt.Fprintf(&w.b, `<Obj%s RefId="%d">`, name(n), w.refs)
	w.refs++
	if id, known := w.types[types]; known {
		fmt.Fprintf(&w.b, `<TNRef RefId="%d" />`, id)
		return
	}
	id := len(w.types)
	w.types[types] = id
	fmt.Fprintf(&w.b, `<TN RefId="%d">`, id)
	for t := range strings.SplitSeq(types, ",") {
		w.element("T", "", t)
	}
	w.raw("</TN>")
}

// element writes a value of a simple type.
func (w *writer) element(tag, n, text string) {
	w.raw("<" + tag + name(n) + ">" + encode(text) + "</" + tag + ">")
}

func (w *writer) value(n string, value any, depth int) {
	switch v := value.(type) {
	case nil:
		w.raw("<Nil" + name(n) + " />")
	case bool:
		w.element("B", n, strconv.FormatBool(v))
	case int64:
		w.element("I64", n, strconv.FormatInt(v, 10))
	case json.Number:
		w.number(n, v)
	case cmdlet.GUID:
		w.guid(n, string(v))
	case time.Time:
		w.time(n, v)
	case []string:
		list(w, n, v, depth)
	case []any:
		list(w, n, v, depth)
	case []cmdlet.Object:
		list(w, n, v, depth)
	case cmdlet.Object:
		w.nested(n, v, depth+1)
	default:
		w.element("S", n, fmt.Sprint(v))
	}
}

// list writes an array. Its items have the depth of the array itself.
func list[T any](w *writer, n string, items []T, depth int) {
	if depth >= int(w.level) && hasObjects(items) || depth >= deepest {
		w.element("S", n, textOf(items))
		return
	}
	w.open(n, array)
	w.raw("<LST>")
	for _, item := range items {
		if inner, ok := any(item).([]any); ok {
			list(w, "", inner, depth+1)
			continue
		}
		w.value("", item, depth)
	}
	w.raw("</LST></Obj>")
}

func hasObjects[T any](items []T) bool {
	for _, item := range items {
		if _, ok := any(item).(cmdlet.Object); ok {
			return true
		}
	}
	return false
}

func (w *writer) nested(n string, o cmdlet.Object, depth int) {
	if depth > int(w.level) || depth > deepest {
		w.element("S", n, textOf(o))
		return
	}
	w.object(n, o, depth)
}

func (w *writer) number(n string, v json.Number) {
	if i, err := v.Int64(); err == nil {
		w.element("I64", n, strconv.FormatInt(i, 10))
		return
	}
	if f, err := v.Float64(); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		w.element("Db", n, strconv.FormatFloat(f, 'G', 17, 64))
		return
	}
	w.element("S", n, v.String())
}

func (w *writer) guid(n, text string) {
	id, err := uuid.Parse(text)
	if err != nil {
		w.element("S", n, text)
		return
	}
	w.element("G", n, id.String())
}

// time writes an instant in UTC, to the tenth of a microsecond that a DateTime holds.
func (w *writer) time(n string, t time.Time) {
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 { // more than a DateTime holds
		w.element("S", n, t.Format(time.RFC3339))
		return
	}
	w.element("DT", n, t.Format("2006-01-02T15:04:05.9999999Z"))
}
