package show

import (
	"encoding/json"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// isNumber reports whether a value stands at the right of its column.
func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64, json.Number:
		return true
	}
	return false
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
