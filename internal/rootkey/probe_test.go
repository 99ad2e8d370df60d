package rootkey_test

import (
	"context"
	"testing"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// permit gives the service exactly these permissions in the vault.
func (s *site) permit(t *testing.T, permissions ...rights.Permission) {
	t.Helper()
	grants := []rights.Grant{keyvaulttest.Can(s.service, rights.Get, rights.WrapKey, rights.UnwrapKey, rights.List)}
	if _, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", rights.RemoveAccess, grants); err != nil {
		t.Fatal(err)
	}
	if len(permissions) == 0 {
		return
	}
	grants[0] = keyvaulttest.Can(s.service, permissions...)
	if _, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", rights.AddAccess, grants); err != nil {
		t.Fatal(err)
	}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.As(err).Reason
}

// Try says of one version whether it unwraps, by whatever permissions there are (CK-57, CK-59,
// CK-60, CK-169).
func TestTry(t *testing.T) {
	s := mustSite(t, nil)
	s.mustRoll(t, keyvault.NewKey{})
	old, _ := s.mustWrap(t, envelope.NewKey())
	s.mustRoll(t, keyvault.NewKey{Bits: 3072})
	newest, _ := s.mustWrap(t, envelope.NewKey())
	want := func(what, kid, reason string) {
		t.Helper()
		if err := s.mustKey(t).Try(t.Context(), kid); reasonOf(err) != reason {
			t.Errorf("%s: %v, want %q", what, err, reason)
		}
	}
	all := []rights.Permission{rights.Get, rights.WrapKey, rights.UnwrapKey}
	want("the older version", old, "")
	want("the newest version", newest, "")
	s.permit(t, rights.WrapKey, rights.UnwrapKey)
	want("without get", old, "")
	s.permit(t, rights.UnwrapKey)
	want("unwrapKey alone", old, "")
	want("unwrapKey alone, 3072 bits", newest, "")
	s.permit(t, rights.Get, rights.WrapKey)
	want("without unwrapKey", old, "AccessDenied")
	s.permit(t, rights.WrapKey)
	want("with wrapKey alone", old, "AccessDenied")
	s.permit(t)
	want("without any permission", old, "AccessDenied")
	s.permit(t, all...)
	off := false
	s.mustUpdate(t, keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &off}})
	want("a version that was disabled", newest, "KeyDisabled")
	want("the one before it", old, "")
	s.permit(t, rights.UnwrapKey)
	want("a version that was disabled, unwrapKey alone", newest, "KeyDisabled")
	s.permit(t, all...)
	if err := s.mustKey(t).Try(t.Context(), s.VaultURL("contoso-east")+"/keys/another/0123"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a version of another key: %v", err)
	}
	if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
		t.Fatal(err)
	}
	want("a deleted key", old, "KeyNotFound")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.mustKey(t).Try(ctx, old); err != context.Canceled {
		t.Errorf("cancelled by the caller: %v", err)
	}
}

// KV-70, KV-104, CK-208: what else is seen of a key, as far as the vault lets the service.
func TestVersionsAndRotation(t *testing.T) {
	s := mustSite(t, nil)
	for range 3 {
		s.mustRoll(t, keyvault.NewKey{})
	}
	if _, err := s.mustKey(t).Versions(t.Context(), 10); reasonOf(err) != "AccessDenied" {
		t.Errorf("counting versions without list: %v", err)
	}
	s.permit(t, rights.Get, rights.WrapKey, rights.UnwrapKey, rights.List)
	for most, want := range map[int]int{10: 3, 2: 2} {
		if n, err := s.mustKey(t).Versions(t.Context(), most); err != nil || n != want {
			t.Errorf("%d versions, %v, want %d of at most %d", n, err, want, most)
		}
	}
	if life, err := s.mustKey(t).Rotation(t.Context()); err != nil || life != "" {
		t.Errorf("without a rotation policy: %q, %v", life, err)
	}
	_, _, err := s.SetRotationPolicy(t.Context(), s.admin, "contoso-east", "root1", keyvault.RotationPolicy{Expiry: "P90D"})
	if err != nil {
		t.Fatal(err)
	}
	if life, err := s.mustKey(t).Rotation(t.Context()); err != nil || life != "P90D" {
		t.Errorf("with a rotation policy: %q, %v", life, err)
	}
}
