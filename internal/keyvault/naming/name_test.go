package naming

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestNames: what is written out by hand takes what the expressions of section 2 take.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what string
		is   func(string) bool
		want *regexp.Regexp
	}{
		{"vault", IsVault, regexp.MustCompile(`^[A-Za-z]([-_]?[A-Za-z0-9])+$`)},
		{"key", IsKey, regexp.MustCompile(`^[0-9A-Za-z_-]{1,127}$`)},
		{"version", IsVersion, regexp.MustCompile(`^[0-9a-f]{32}$`)},
		{"group", IsGroup, regexp.MustCompile(`^[\pL\pN_().-]{0,89}[\pL\pN_()-]$`)},
	} {
		names := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9]([-_]?[A-Za-z0-9@\[{/:.]){0,130}`), rapid.StringMatching(`[-0-9A-Za-z_]{0,130}`),
			rapid.StringMatching(`[0-9a-g]{31,33}`), rapid.StringMatching(`[\pL\pN_().-]{0,92}`), rapid.String(),
		)
		rapid.Check(t, func(t *rapid.T) {
			name := names.Draw(t, "name")
			short := tt.what != "vault" || len(name) >= 3 && len(name) <= 63
			if got, want := tt.is(name), short && tt.want.MatchString(name); got != want {
				t.Errorf("%q as the name of a %s: %v, want %v", name, tt.what, got, want)
			}
		})
	}
}
