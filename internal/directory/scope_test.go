package directory_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// TestScopesAreText: what no text column takes is refused before it comes to one, whichever the
// database is.
func TestScopesAreText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, scope := range []string{apiAudience + "/\x00", apiAudience + "/\xff", "openid\x00 " + apiAudience + "/.default", apiAudience + "/a\x1b[2Jb"} {
		_, err := w.StartDevice(t.Context(), directory.Common, directory.CommandLineApp, scope, directory.Origin{})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", scope, err)
		}
	}
}
