package script

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// Values are nil, string, bool, int64, float64, cmdlet.GUID, time.Time, []any, *cmdlet.Object
// (hash tables too) and *block. Objects are shared: who changes one changes it for all that
// hold it. Lists never change.

const (
	invariantTime = "01/02/2006 15:04:05" // a time in text, as PowerShell writes it in any culture
	deepestText   = 8                     // objects in one another that are written out
)

// text writes a value as "..." does: lists with spaces between, nothing for $null, an object
// by what identifies it, or else by its properties.
func (r *run) text(ctx context.Context, v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	b := textWriter{most: min(mostText, max(0, r.steps)*textStep)} // no longer than may be paid for
	within := b.value(v, 0)
	if err := r.spend(ctx, 1+b.Len()/textStep); err != nil { // also what came to nothing was work
		return "", err
	}
	if !within {
		return "", limit("a text has at most %d bytes", mostText)
	}
	return b.String(), nil
}

// A textWriter writes values as text, up to about most bytes. Its methods report whether the text
// stays within that.
type textWriter struct {
	strings.Builder
	most int
}

func (b *textWriter) value(v any, depth int) bool {
	switch v := v.(type) {
	case string:
		b.WriteString(v)
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64, float64:
		b.WriteString(textOfNumber(v))
	case cmdlet.GUID:
		b.WriteString(string(v))
	case time.Time:
		b.WriteString(v.Format(invariantTime))
	case *block:
		b.WriteString(v.Block())
	case []any:
		return b.each(v, depth)
	case *cmdlet.Object:
		return b.object(v, depth)
	}
	return b.Len() <= b.most
}

func (b *textWriter) each(list []any, depth int) bool {
	if depth > deepestText {
		b.WriteString("...")
		return true
	}
	for i, item := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		if !b.value(item, depth+1) {
			return false
		}
	}
	return true
}

func (b *textWriter) object(o *cmdlet.Object, depth int) bool {
	if o.Type != "" && o.Type != cmdlet.HashtableType {
		if id := identityOf(o); id != "" {
			b.WriteString(id)
			return b.Len() <= b.most
		}
	}
	if depth > deepestText {
		b.WriteString("...")
		return true
	}
	b.WriteString("@{")
	for i, f := range o.Fields {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.Name + "=")
		if !b.value(f.Value, depth+1) {
			return false
		}
	}
	b.WriteByte('}')
	return b.Len() <= b.most
}

// identityOf is what a text calls an object that some command yielded, "" if it has no name.
func identityOf(o *cmdlet.Object) string {
	for _, name := range []string{"Identity", "Name", "Id"} {
		if text, ok := o.Get(name).(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// textOfNumber writes a number as PowerShell does: as short as it can be, and with an exponent
// only where it is very large or small.
func textOfNumber(n any) string {
	switch n := n.(type) {
	case int64:
		return strconv.FormatInt(n, 10)
	case float64:
		if a := math.Abs(n); a != 0 && (a >= 1e15 || a < 1e-5) {
			return strconv.FormatFloat(n, 'E', -1, 64)
		}
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return ""
}

// truth is what a value is as a condition: nothing, "", 0 and an empty list are false, a list
// of one is what its item is.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case []any:
		if len(v) == 1 {
			if _, nested := v[0].([]any); nested {
				return true
			}
			return truth(v[0])
		}
		return len(v) > 1
	}
	return true
}

func lower(s string) string { return strings.ToLower(s) }
