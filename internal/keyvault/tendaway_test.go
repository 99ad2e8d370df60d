//go:build pkcs11

package keyvault_test

import (
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm/hsmtest"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// TestTendTokenAway: while the token is away its keys wait to be rotated, and what else is due
// happens; when it is back they are.
func TestTendTokenAway(t *testing.T) {
	c := hsmtest.Config(t)
	s := newStage(t, storetest.SQLite(t, store.VaultAreas()...))
	s.Equip(&c)
	s.MustPutVault(keyvault.VaultSpec{Name: "contoso-hsm", SKU: "premium", Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All)}})
	expires := s.Now().Add(40 * day)
	for _, name := range []string{"root1", "root2"} {
		if _, err := s.CreateKey(t.Context(), s.admin, "contoso-hsm", name, keyvault.NewKey{Type: "EC-HSM", Attributes: keyvault.Attributes{Expires: &expires}}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.SetRotationPolicy(t.Context(), s.admin, "contoso-hsm", name, rotateAfter("P28D")); err != nil {
			t.Fatal(err)
		}
	}
	s.Pass(day)
	s.mustCreate("root1")
	s.mustPolicy("root1", rotateAfter("P28D"))
	s.Pass(30 * day)
	back := hsmtest.Remove(t)
	s.Told()
	if n, err := s.Tend(t.Context()); n != 3 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%d done, %v", n, err)
	}
	if told := s.Told(); len(told) != 3 || told[2].Type != keyvault.KeyNewVersionCreated || told[2].Vault != "contoso-east" {
		t.Errorf("told %+v", told)
	}
	back()
	done := 0
	for until := time.Now().Add(5 * time.Minute); done < 2 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) { // a library is not set up anew all the time
		n, _ := s.Tend(t.Context())
		done += n
	}
	if done != 2 {
		t.Errorf("%d rotated when it was back", done)
	}
}
