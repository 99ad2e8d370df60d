package keyvault_test

import (
	"crypto/ecdsa"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestRotate holds KV-78: the same kind of key, another one, and the old version as it was.
func TestRotate(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		no, start, soon := false, s.Now(), s.Now().Add(time.Hour)
		old := s.mustCreateAs("Root1", keyvault.NewKey{
			Type: "EC", Curve: "P-384", Ops: []string{"sign"}, Tags: map[string]string{"for": "mail"},
			Attributes: keyvault.Attributes{Enabled: &no, NotBefore: &start, Expires: &soon},
		})
		s.Pass(time.Minute)
		k, err := s.RotateKey(t.Context(), s.admin, "contoso-east", "root1")
		if err != nil {
			t.Fatal(err)
		}
		if k.Version == old.Version || k.Type != protect.EC || k.Curve != "P-384" || cmp.Diff(k.Ops, old.Ops)+cmp.Diff(k.Tags, old.Tags) != "" {
			t.Errorf("rotated to %+v", k)
		}
		if !k.Enabled || !k.NotBefore.IsZero() || !k.Expires.IsZero() || !k.Created.Equal(s.Now()) || k.Name != "Root1" {
			t.Errorf("rotated to %+v", k)
		}
		if old.Public.(*ecdsa.PublicKey).Equal(k.Public) {
			t.Error("the new version has the old key pair")
		}
		if got := s.mustKey("root1", ""); got.Version != k.Version {
			t.Errorf("newest is %s", got.Version)
		}
		if got := s.mustKey("root1", old.Version); got.Enabled || !got.Expires.Equal(soon) {
			t.Errorf("old version is %+v", got)
		}
		_, err = s.RotateKey(t.Context(), s.admin, "contoso-east", "none")
		wantFault(t, err, fault.NotFound, keyvault.ReasonKeyNotFound)
		s.mustDelete("root1")
		_, err = s.RotateKey(t.Context(), s.admin, "contoso-east", "root1")
		wantFault(t, err, fault.NotFound, keyvault.ReasonKeyNotFound)
	})
}

// TestRotationPolicy holds KV-79 and KV-80.
func TestRotationPolicy(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		get := func() keyvault.RotationPolicy {
			t.Helper()
			_, p, err := s.RotationPolicy(t.Context(), s.admin, "contoso-east", "ROOT1")
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		byDefault := keyvault.RotationPolicy{Actions: []keyvault.LifetimeAction{{Type: "Notify", BeforeExpiry: "P30D"}}}
		if diff := cmp.Diff(byDefault, get()); diff != "" {
			t.Errorf("KV-80: %s", diff)
		}
		want := keyvault.RotationPolicy{Expiry: "P1Y6M", Created: s.Now().Add(time.Minute), Actions: []keyvault.LifetimeAction{
			{Type: "Rotate", AfterCreate: "P90D"}, {Type: "Notify", BeforeExpiry: "P2W"},
		}}
		for range 2 { // the second time the creation stays
			s.Pass(time.Minute)
			want.Updated = s.Now()
			_, got, err := s.SetRotationPolicy(t.Context(), s.admin, "contoso-east", "root1", keyvault.RotationPolicy{Expiry: want.Expiry, Actions: want.Actions})
			if err != nil || cmp.Diff(want, got)+cmp.Diff(want, get()) != "" {
				t.Errorf("%v %s %s", err, cmp.Diff(want, got), cmp.Diff(want, get()))
			}
		}
		k, err := s.RotateKey(t.Context(), s.admin, "contoso-east", "root1")
		if wantExp := s.Now().AddDate(1, 6, 0); err != nil || !k.Expires.Equal(wantExp) {
			t.Errorf("KV-79: expires %s, want %s: %v", k.Expires, wantExp, err)
		}
		if k := s.mustCreate("root1"); !k.Expires.IsZero() {
			t.Errorf("KV-79: a version that create made expires at %s", k.Expires)
		}

		action := func(a ...keyvault.LifetimeAction) keyvault.RotationPolicy { return keyvault.RotationPolicy{Actions: a} }
		rotate := keyvault.LifetimeAction{Type: "Rotate", AfterCreate: "P7D"}
		for what, bad := range map[string]keyvault.RotationPolicy{
			"too soon": {Expiry: "P27D"}, "nothing": {Expiry: "P"}, "zero": {Expiry: "P0D"}, "words": {Expiry: "two years"}, "hours": {Expiry: "PT700H"},
			"a day and hours": {Expiry: "P90DT1H"}, "fraction": {Expiry: "P1.5Y"}, "minus": {Expiry: "-P90D"}, "too long": {Expiry: "P100Y"}, "order": {Expiry: "P90D1Y"},
			"two of one type": action(rotate, rotate), "unknown type": action(keyvault.LifetimeAction{Type: "Delete", AfterCreate: "P7D"}),
			"no trigger": action(keyvault.LifetimeAction{Type: "Notify"}), "both triggers": action(keyvault.LifetimeAction{Type: "Notify", AfterCreate: "P7D", BeforeExpiry: "P7D"}),
			"early": action(keyvault.LifetimeAction{Type: "Rotate", AfterCreate: "P6D"}), "late": action(keyvault.LifetimeAction{Type: "Rotate", BeforeExpiry: "P6D"}),
		} {
			if _, _, err := s.SetRotationPolicy(t.Context(), s.admin, "contoso-east", "root1", bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, least := range []string{"P28D", "P4W", "P1M"} {
			if _, _, err := s.SetRotationPolicy(t.Context(), s.admin, "contoso-east", "root1", keyvault.RotationPolicy{Expiry: least}); err != nil {
				t.Errorf("%s: %v", least, err)
			}
		}
		s.mustPurge("root1")
		s.mustCreate("root1")
		if diff := cmp.Diff(byDefault, get()); diff != "" {
			t.Errorf("a purged key's policy is still there: %s", diff)
		}
	})
}

// TestRotationPermissions holds KV-104: get and update do for reading and writing the policy.
func TestRotationPermissions(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		for _, tt := range []struct {
			permission  rights.Permission
			read, write bool
		}{
			{rights.Get, true, false}, {rights.GetRotationPolicy, true, false}, {rights.Update, false, true},
			{rights.SetRotationPolicy, false, true}, {rights.Rotate, false, false},
		} {
			c := s.Person("someone@contoso.example")
			s.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", Access: []rights.Grant{keyvaulttest.Can(s.admin, rights.All), keyvaulttest.Can(c, tt.permission)}})
			_, _, read := s.RotationPolicy(t.Context(), c, "contoso-east", "root1")
			_, _, write := s.SetRotationPolicy(t.Context(), c, "contoso-east", "root1", keyvault.RotationPolicy{Expiry: "P90D"})
			_, rotate := s.RotateKey(t.Context(), c, "contoso-east", "root1")
			for what, is := range map[string][2]bool{"read": {read == nil, tt.read}, "write": {write == nil, tt.write}, "rotate": {rotate == nil, tt.permission == rights.Rotate}} {
				if is[0] != is[1] {
					t.Errorf("%s with %s: %t", what, tt.permission, is[0])
				}
			}
		}
	})
}
