package rows

import (
	"os"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// The guide is true: every command in it is one, with parameters that it has (CK-307, CK-309), and
// it says where the subscriptions belong (CK-322) and what is to be backed up (CK-224 to CK-226: CK-225).
func TestGuideToOnboarding(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/onboarding.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, line := range strings.Split(strings.ReplaceAll(string(text), "\\\n", " "), "\n") {
		command, ok := strings.CutPrefix(line, "    ck ")
		if !ok {
			continue
		}
		found++
		command, _, _ = strings.Cut(command, "#")
		words := strings.Fields(command)
		row, err := cmdlet.Find(Table(), words[0])
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if _, err := cmdlet.Bind(row, words[1:]); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if found < 12 {
		t.Errorf("the guide has only %d commands", found)
	}
	for _, word := range []string{"landing zone", "Back the keys up", "offline"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("the guide does not say anything about %q", word)
		}
	}
}
