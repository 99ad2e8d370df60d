package script

import (
	"cmp"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// asNumber takes a value for a number, nil if it is none. Text is one in any spelling that
// the language knows, 1KB too.
func asNumber(v any) any {
	switch v := v.(type) {
	case int64, float64:
		return v
	case bool:
		return int64(oneIf(v))
	case string:
		if n, ok := Number(strings.TrimSpace(v)); ok {
			return n
		}
	}
	return nil
}

// orderNumbers compares whole numbers exactly, others as float64.
func orderNumbers(left, right any) int {
	l, lok := left.(int64)
	n, rok := right.(int64)
	if lok && rok {
		return cmp.Compare(l, n)
	}
	return cmp.Compare(asFloat(left), asFloat(right))
}

func asFloat(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// asTime takes a value for a time; text without an offset is one of UTC, as properties are.
func asTime(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		return cmdlet.ParseTime(v, time.UTC)
	}
	return time.Time{}, false
}

// simpleText is the text of a value that is one piece, which an object is not.
func simpleText(v any) (string, bool) {
	switch v.(type) {
	case string, bool, int64, float64, cmdlet.GUID, time.Time:
		b := textWriter{most: mostText}
		ok := b.value(v, 0)
		return b.String(), ok
	}
	return "", false
}
