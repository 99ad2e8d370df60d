package arm

import (
	"strings"
	"testing"
)

// FuzzFilter: what is read is written and read again as the same.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"", "resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'v'", "tagName eq 'a''b' and tagValue eq ''", "name eq 'a' and", "name  EQ  'a'  AND  location eq 'b'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := parseFilter(text)
		if err != nil {
			return
		}
		var parts []string
		for property, value := range read {
			parts = append(parts, property+" eq '"+strings.ReplaceAll(value, "'", "''")+"'")
		}
		again, err := parseFilter(strings.Join(parts, " and "))
		if err != nil || len(again) != len(read) {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
		for property, value := range read {
			if again[property] != value {
				t.Errorf("%s: %q became %q", property, value, again[property])
			}
		}
	})
}
