package directory_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// CK-50: no token, however it is signed and whatever it claims, makes its bearer the service itself.
func TestNoTokenIsOfTheService(t *testing.T) {
	t.Parallel()
	m := newMint(t)
	v := m.verifier(m.keys)
	for _, idtyp := range []any{"system", "System", "SYSTEM", " system", "user ", "service", "", nil, "app,system"} {
		if c, err := v.Verify(t.Context(), m.token(map[string]any{"idtyp": idtyp})); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("idtyp %v: %+v, %v", idtyp, c, err)
		}
	}
	for _, claims := range []map[string]any{
		{"oid": "system"}, {"roles": []string{"system", "System"}, "idtyp": "user"}, {"kind": "system"}, {"Kind": "system"}, {"initiator": "system"},
		{"upn": "system"}, {"appid": "system", "idtyp": "app"}, {"scp": "system"}, {"name": "rewrap"}, {"preferred_username": "system"},
	} {
		if c, err := v.Verify(t.Context(), m.token(claims)); err == nil && c.Kind != directory.User && c.Kind != directory.App {
			t.Errorf("%v makes a caller of kind %q", claims, c.Kind)
		}
	}
}
