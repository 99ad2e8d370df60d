package script

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet/rows"
)

// No command of ours is refused for being PowerShell's, by its name or an alias.
func TestElsewhereIsNotHere(t *testing.T) {
	t.Parallel()
	for _, c := range rows.Table() {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if hint, ok := elsewhere[strings.ToLower(name)]; ok {
				t.Errorf("%s is ours, and is refused: %s", name, hint)
			}
		}
	}
}
