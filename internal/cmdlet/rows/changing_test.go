package rows

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// CK-338: -WhatIf and -Confirm are taken by the commands that change something, and by no other:
// those that only look are told by their verbs.
func TestCK338_WhatIfIsForChanges(t *testing.T) {
	t.Parallel()
	for _, c := range Table() {
		if c.Side == cmdlet.Shell {
			continue
		}
		verb, _, _ := strings.Cut(c.Name, "-")
		only := verb == "Get" || verb == "Test" || c.Name == "Invoke-CKRehearsal"
		if c.Side == cmdlet.Shell {
			only = c.Name != "Out-File" && c.Name != "Export-Csv" // the others change at most what the script holds
		}
		for _, name := range []string{"WhatIf", "Confirm"} {
			_, err := cmdlet.Bind(&c, []string{"-" + name + ":$true"}) // what else is missing is told later
			if refused := err != nil && strings.Contains(err.Error(), " -"+name); refused != only {
				t.Errorf("%s -%s: %v", c.Name, name, err)
			}
		}
	}
}
