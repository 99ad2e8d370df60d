package script

import (
	"strings"
	"testing"
)

// An error that ends only a part of a command is shown and counted, and the pipeline goes on;
// Stop ends it, SilentlyContinue shows nothing.
func TestSurvivedErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		kinds, shown int
		ends         bool
	}{
		"Get-CKRequest | % Kind; $?":                                                     {1, 1, false},
		"Get-CKRequest -ErrorAction SilentlyContinue | % Kind; $?":                       {1, 0, false},
		"Get-CKRequest -ErrorAction Stop | % Kind; $?":                                   {0, 1, true},
		"$ErrorActionPreference = 'Stop'; Get-CKRequest | % Kind; $?":                    {0, 1, true},
		"$ErrorActionPreference = 'SilentlyContinue'; Get-CKRequest | % { $_.Kind }; $?": {1, 0, false},
	} {
		got, err := newWorld(t, nil).do(t, text)
		if strings.Count(got, "purge\n") != want.kinds || strings.Count(got, "one cannot be read") != want.shown || strings.Contains(got, "False") == want.ends || err == nil {
			t.Errorf("%s: %v\n%s", text, err, got)
		}
	}
}
