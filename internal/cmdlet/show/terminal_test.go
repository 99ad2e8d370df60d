package show

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// A column that had nothing to show at first, not even a name, is narrow and not none: what comes
// later is cut, on any terminal.
func TestTableColumnOfNothing(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"", "\u200b", "\u0301"} {
		objects := make([]cmdlet.Object, sampleRows+2)
		for i := range objects {
			objects[i].Fields = []cmdlet.Field{{Name: "Name", Value: "x"}, {Name: label, Value: ""}}
		}
		objects[sampleRows].Fields[1].Value = "more than fits"
		objects[sampleRows+1].Fields[1].Value = int64(12)
		for width := range 12 {
			if text := printed(t, cmdlet.TableFormat, width, objects); !strings.Contains(text, "x") {
				t.Errorf("label %q, width %d: %q", label, width, text)
			}
		}
	}
}

// JSON is for programs, and people look at it too: nothing in it drives their terminal or turns the
// direction of what they read, and a program reads the text as it was.
func TestJSONIsSafeToLookAt(t *testing.T) {
	t.Parallel()
	const name = "a\x1b[31m\u009b2J\x7f\u202ebc\u2066\u061c é 鍵 🔑"
	text := printed(t, cmdlet.JSONFormat, 80, []cmdlet.Object{
		{Fields: []cmdlet.Field{{Name: name, Value: []string{name}}}},
		cmdlet.TextObject(name),
	})
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			t.Errorf("%U comes to the terminal in %q", r, text)
		}
	}
	var read []any
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	if one := read[0].(map[string]any)[name].([]any)[0]; one != name || read[1] != name {
		t.Errorf("read back as %q and %q", one, read[1])
	}
}
