package cmdlet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// timeText is how times are shown, the same in every locale.
const timeText = "2006-01-02 15:04:05Z"

// Show returns a property as text for people.
func Show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return Printable(v)
	case GUID:
		return Printable(string(v))
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return Printable(v.String())
	case time.Time:
		return v.UTC().Format(timeText)
	case []string:
		return "{" + Printable(strings.Join(v, ", ")) + "}"
	case Object:
		return showFields(v)
	case []Object:
		return "{" + strings.Join(showEach(v), ", ") + "}"
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = Show(item)
		}
		return "{" + strings.Join(texts, ", ") + "}"
	}
	return Printable(fmt.Sprint(value))
}

func showFields(o Object) string {
	texts := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		texts[i] = Printable(f.Name) + "=" + Show(f.Value)
	}
	return "@{" + strings.Join(texts, "; ") + "}"
}

func showEach(list []Object) []string {
	texts := make([]string, len(list))
	for i, o := range list {
		texts[i] = showFields(o)
	}
	return texts
}

// Printable makes text from outside safe to print: control characters, which can drive a
// terminal, and those that turn the direction of writing become the replacement character.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if drives(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// drives tells the characters that do something to a terminal or to the direction of a text.
func drives(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// PrintableJSON makes one line of JSON safe to print without changing what it says: what Printable
// would replace stands there by its number.
func PrintableJSON(line []byte) []byte {
	if !bytes.ContainsFunc(line, drives) {
		return line
	}
	out := make([]byte, 0, len(line)+64)
	for _, r := range string(line) {
		if drives(r) {
			out = fmt.Appendf(out, `\u%04x`, r) // all of them lie in the basic plane, and in strings
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
