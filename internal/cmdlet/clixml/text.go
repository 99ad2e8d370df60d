package clixml

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// encode makes text safe inside an element or an attribute. Control characters, what lies
// outside the basic plane, and what XML has no place for are written as _xHHHH_, a UTF-16 unit
// each, and an underscore that would look like the beginning of one is too (MS-PSRP 2.2.5.3.2).
func encode(text string) string {
	var b strings.Builder
	for i, r := range text { // what is no UTF-8 becomes U+FFFD
		switch {
		case r == '_' && looksEscaped(text[i:]), unicode.IsControl(r), r == 0xFFFE, r == 0xFFFF:
			fmt.Fprintf(&b, "_x%04X_", r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, "_x%04X__x%04X_", high, low)
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// looksEscaped reports whether a reader could take the underscore at the beginning of text for
// that of an escape. PowerShell asks for no more than the x behind it.
func looksEscaped(text string) bool {
	return len(text) > 1 && (text[1] == 'x' || text[1] == 'X')
}

// textOf returns what stands for an object where only text may, as PowerShell shows it.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case cmdlet.Object:
		parts := make([]string, len(v.Fields))
		for i, f := range v.Fields {
			parts[i] = f.Name + "=" + textOf(f.Value)
		}
		return "@{" + strings.Join(parts, "; ") + "}"
	case []string:
		return joined(v)
	case []any:
		return joined(v)
	case []cmdlet.Object:
		return joined(v)
	}
	return fmt.Sprint(value)
}

func joined[T any](items []T) string {
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = textOf(item)
	}
	return strings.Join(parts, " ")
}
