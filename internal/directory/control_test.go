package directory_test

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Whoever signs in, right or wrong, writes the name he gave into the tenant's log. What a
// terminal obeys must not get there.
func TestNamesWithControlsOfLatin1(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const clear = "\u009b2J" // CSI 2 J: clear the screen
	if _, err := w.CreateTenant(t.Context(), directory.SystemCaller("", "test", ""), "Evil"+clear, "evil.example"); !fault.Is(err, fault.Invalid) {
		t.Errorf("as the name of a tenant: %v", err)
	}
	if _, err := w.CreateTenant(t.Context(), directory.SystemCaller("", "test", ""), "Contoso", "contoso.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(t.Context(), "contoso.example", clear+"@contoso.example", "a wrong password", directory.Origin{}); !fault.Is(err, fault.Unauthenticated) {
		t.Fatalf("signing in: %v", err)
	}
	for _, e := range w.entries {
		if strings.ContainsRune(e.object+e.caller.Name, '\u009b') {
			t.Errorf("recorded: %q by %q", e.object, e.caller.Name)
		}
	}
}
