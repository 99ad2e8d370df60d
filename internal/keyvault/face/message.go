package face

import (
	"strings"
	"unicode"

	"github.com/customerkey/customerkey/internal/fault"
)

// Message is the text of a fault for people: its message, and its hint as a second sentence.
func Message(f *fault.Error) string {
	if f.Hint == "" {
		return f.Message
	}
	hint := []rune(f.Hint)
	hint[0] = unicode.ToUpper(hint[0])
	return strings.TrimSuffix(f.Message, ".") + ". " + strings.TrimSuffix(string(hint), ".") + "."
}
