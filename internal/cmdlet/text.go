package cmdlet

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// timeText is how times are shown, the same in every locale.
const timeText = "2006-01-02 15:04:05Z"

// show returns a property as text for people.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return printable(v)
	case GUID:
		return printable(string(v))
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return printable(v.String())
	case time.Time:
		return v.UTC().Format(timeText)
	case []string:
		return "{" + printable(strings.Join(v, ", ")) + "}"
	case Object:
		return showFields(v)
	case []Object:
		return "{" + strings.Join(showEach(v), ", ") + "}"
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = show(item)
		}
		return "{" + strings.Join(texts, ", ") + "}"
	}
	return printable(fmt.Sprint(value))
}

func showFields(o Object) string {
	texts := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		texts[i] = printable(f.Name) + "=" + show(f.Value)
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

// isNumber reports whether a value stands at the right of its column.
func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64, json.Number:
		return true
	}
	return false
}

// printable makes text from outside safe to print: control characters, which can drive a
// terminal, and those that turn the direction of writing become the replacement character.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// cells counts the terminal cells that text takes: two for wide East Asian characters, none
// for combining ones.
func cells(text string) int {
	n := 0
	for _, r := range text {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit cuts text to at most n cells, ending in … if something was cut, and fills it up with
// spaces to n, at the left if it stands right.
func fit(text string, n int, right bool) string {
	size := cells(text)
	if size > n {
		text, size = cut(text, n)
	}
	space := strings.Repeat(" ", n-size)
	if right {
		return space + text
	}
	return text + space
}

func cut(text string, n int) (string, int) {
	used := 0
	for i, r := range text {
		if w := runeCells(r); used+w > n-1 {
			return text[:i] + "…", used + 1
		} else {
			used += w
		}
	}
	return text, used
}
