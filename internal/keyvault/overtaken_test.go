package keyvault_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// mustRemake deletes and purges contoso-east, and makes another vault of that name.
func (s *stage) mustRemake(grants ...rights.Grant) {
	s.t.Helper()
	s.mustDeleteVault("contoso-east")
	if err := s.purgeVault("contoso-east"); err != nil {
		s.t.Error(err)
	}
	s.Pass(1e9)
	s.MustVault("contoso-east", grants...)
}

// TestRotateOvertaken: a rotation follows the version that is the newest when it takes effect. It
// brings no key back that was purged meanwhile, and none of the rights that were taken from it.
func TestRotateOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		rotate := func() (keyvault.Key, error) { return s.RotateKey(t.Context(), s.admin, "contoso-east", "root1") }
		s.mustCreate("root1")
		s.Between(keyvault.RotateKey, func() { s.mustPurge("root1") })
		_, err := rotate()
		wantFault(t, err, fault.NotFound, keyvault.ReasonKeyNotFound)
		if left := s.contents(); len(left) != 0 {
			t.Errorf("a purged key is back: %v", left)
		}

		s.mustCreate("root1")
		s.Between(keyvault.RotateKey, func() {
			s.mustPurge("root1")
			s.mustCreateAs("root1", keyvault.NewKey{Type: "EC", Curve: "P-384"})
		})
		if k, err := rotate(); err != nil || k.Curve != "P-384" {
			t.Errorf("rotated to %s, %v", k.Curve, err)
		}

		s.Between(keyvault.RotateKey, func() {
			s.Pass(1e9)
			if _, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "root1", "", keyvault.KeyChange{Ops: []string{"verify"}}); err != nil {
				t.Error(err)
			}
		})
		if k, err := rotate(); err != nil || cmp.Diff([]string{"verify"}, k.Ops) != "" {
			t.Errorf("rotated to a key for %v, %v", k.Ops, err)
		}
		if n := len(s.allVersions("contoso-east", "root1")); n != 3 {
			t.Errorf("%d versions", n)
		}
	})
}

// TestOvertakenOften: changes that come between again and again keep nobody from his own. The key
// pair that a rotation has made serves its next attempt: making one can take seconds.
func TestOvertakenOften(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreateAs("root1", keyvault.NewKey{Type: "EC"})
		changes := 0
		var change func()
		change = func() {
			if changes++; changes < 10 {
				s.Between(keyvault.RotateKey, change)
			}
			s.Pass(1e9)
			if _, _, err := s.SetRotationPolicy(t.Context(), s.admin, "contoso-east", "root1", keyvault.RotationPolicy{Expiry: "P90D"}); err != nil {
				t.Error(err)
			}
		}
		s.Between(keyvault.RotateKey, change)
		s.Entries()
		k, err := s.RotateKey(t.Context(), s.admin, "contoso-east", "root1")
		if err != nil || changes != 10 || k.Expires.IsZero() {
			t.Errorf("after %d changes: expiry %s, %v", changes, k.Expires, err)
		}
		for _, e := range s.Entries() {
			if e.Action == string(keyvault.RotateKey) && !strings.HasSuffix(e.Object, k.Version) {
				t.Errorf("a pair was made for %s too", e.Object)
			}
		}
		digest := make([]byte, 32)
		signed, err := s.Sign(t.Context(), s.admin, "contoso-east", "root1", k.Version, "ES256", digest)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := protect.Verify(k.Public, "ES256", digest, signed.Value); !ok || err != nil {
			t.Errorf("the pair is not the one that was told: %v", err)
		}
	})
}

// TestPurgeOvertakenByRegistration: a subscription that is registered for mandatory retention while one of
// its vaults is about to be purged keeps that vault (KV-126).
func TestPurgeOvertakenByRegistration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.mustDeleteVault("contoso-east")
		s.Between(keyvault.PurgeVault, func() { s.SetProtected(true) })
		wantFault(t, s.purgeVault("contoso-east"), fault.Forbidden, keyvault.ReasonVaultPurge)
		if _, err := s.recoverVault("contoso-east"); err != nil {
			t.Errorf("the vault does not come back: %v", err)
		}
	})
}

// TestVaultMadeAnew: what was decided about a vault does not happen to another one that has got
// its name meanwhile.
func TestVaultMadeAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		all := keyvaulttest.Can(s.admin, rights.All, rights.Purge)
		s.mustCreate("root1")
		blob := s.mustBackup("root1")
		for action, do := range map[keyvault.Action]func() error{
			keyvault.CreateKey: func() error {
				_, err := s.CreateKey(t.Context(), s.admin, "contoso-east", "new", keyvault.NewKey{Type: "EC"})
				return err
			},
			keyvault.RestoreKey: func() error {
				s.mustPurge("root1")
				_, err := s.RestoreKey(t.Context(), s.admin, "contoso-east", blob)
				return err
			},
		} {
			s.Between(action, func() { s.mustRemake() })
			wantFault(t, do(), fault.NotFound, keyvault.ReasonVaultNotFound)
			s.MustVault("contoso-east", all)
			if left := s.contents(); len(left) != 0 {
				t.Errorf("%s: the new vault has %v", action, left)
			}
			s.mustCreate("root1")
		}

		friend := s.Person("friend@contoso.example")
		s.Between(keyvault.SetAccess, func() { s.mustRemake() })
		v, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", rights.AddAccess,
			[]rights.Grant{keyvaulttest.Can(friend, rights.Get)})
		if err != nil || len(v.Access) != 1 || v.Access[0].Object != friend.ID {
			t.Errorf("the new vault lets in %v, %v", v.Access, err)
		}
	})
}

// TestPurgeOvertaken: purge protection that is on keeps a key from a purge that was decided before,
// as does the deletion of its vault.
func TestPurgeOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.mustDelete("root1")
		purge := func() error { return s.PurgeKey(t.Context(), s.admin, "contoso-east", "root1") }
		s.Between(keyvault.PurgeKey, func() { s.mustDeleteVault("contoso-east") })
		wantFault(t, purge(), fault.NotFound, keyvault.ReasonVaultNotFound)
		if _, err := s.recoverVault("contoso-east"); err != nil {
			t.Fatal(err)
		}
		s.Between(keyvault.PurgeKey, func() { s.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", PurgeProtection: true}) })
		wantFault(t, purge(), fault.Forbidden, keyvault.ReasonForbidden)
		if _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
			t.Errorf("it cannot be recovered: %v", err)
		}
	})
}

// TestAssignOvertaken: a role is given over the vault or group that was meant, and by whom may
// give it there, not over another of the same name.
func TestAssignOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		keeper, friend := s.Person("keeper@contoso.example"), s.Person("friend@contoso.example")
		for _, at := range []rights.Scope{
			{Subscription: s.Subscription.ID, Group: "keys", Vault: "contoso-east"},
			{Subscription: s.Subscription.ID, Group: "keys"},
		} {
			s.mustAssign(keeper, rights.AccessAdmin, at)
			s.Between(keyvault.AssignRole, func() {
				if at.Vault != "" {
					s.mustRemake()
					return
				}
				s.mustDeleteVault("contoso-east")
				if err := s.purgeVault("contoso-east"); err != nil {
					t.Error(err)
				}
				if err := s.DeleteGroup(t.Context(), s.Owner, at.Subscription, "keys"); err != nil {
					t.Error(err)
				}
				s.Pass(1e9)
				if _, _, err := s.PutGroup(t.Context(), s.Owner, keyvault.Group{Subscription: at.Subscription, Name: "keys", Location: keyvaulttest.Location}); err != nil {
					t.Error(err)
				}
			})
			_, _, err := s.AssignRole(t.Context(), keeper, rights.Assignment{
				ID: uuid.NewString(), Scope: at, Role: rights.VaultAdmin, Principal: friend.ID,
			})
			wantFault(t, err, fault.Forbidden, keyvault.ReasonNotOwner)
			if left, err := s.Assignments(t.Context(), s.Owner, at, rights.AssignmentFilter{Principal: friend.ID}); err != nil || len(left) != 0 {
				t.Errorf("%s: %v, %v", at, left, err)
			}
		}
	})
}

// TestUnassignOvertaken: of two who take an assignment away one has it, and the other is told that
// it is gone, which is what he wants.
func TestUnassignOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		at := rights.Scope{Subscription: s.Subscription.ID, Group: "keys", Vault: "contoso-east"}
		a, _, err := s.AssignRole(t.Context(), s.Owner, rights.Assignment{
			ID: uuid.NewString(), Scope: at, Role: rights.VaultAdmin, Principal: s.Person("friend@contoso.example").ID,
		})
		if err != nil {
			t.Fatal(err)
		}
		unassign := func() error { _, err := s.UnassignRole(t.Context(), s.Owner, at, a.ID); return err }
		s.Between(keyvault.UnassignRole, func() {
			if err := unassign(); err != nil {
				t.Error(err)
			}
		})
		wantFault(t, unassign(), fault.NotFound, keyvault.ReasonNoAssignment)
	})
}

// TestTagOvertaken: tags bring no group back that was removed meanwhile.
func TestTagOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		sub := s.Subscription.ID
		remove := func() {
			if err := s.DeleteGroup(t.Context(), s.Owner, sub, "spare"); err != nil {
				t.Error(err)
			}
		}
		put := func() {
			if _, _, err := s.PutGroup(t.Context(), s.Owner, keyvault.Group{Subscription: sub, Name: "spare", Location: keyvaulttest.Location}); err != nil {
				t.Error(err)
			}
		}
		for _, between := range []func(){remove, func() { remove(); s.Pass(1e9); put() }} {
			put()
			s.Between(keyvault.PutGroup, between)
			_, err := s.TagGroup(t.Context(), s.Owner, sub, "spare", map[string]string{"a": "b"})
			wantFault(t, err, fault.NotFound, keyvault.ReasonNoGroup)
		}
		if g, err := s.Group(t.Context(), s.Owner, sub, "spare"); err != nil || len(g.Tags) != 0 {
			t.Errorf("another group of that name has tags %v, %v", g.Tags, err)
		}
		remove()
		put()
		s.Between(keyvault.PutGroup, remove)
		_, err := s.TagGroup(t.Context(), s.Owner, sub, "spare", nil)
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoGroup)
		_, err = s.Group(t.Context(), s.Owner, sub, "spare")
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoGroup)
	})
}

// TestRegisterOvertaken: two ask at once where nobody has to wait, and both have it.
func TestRegisterOvertaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.Rule(true)
		s.Open(s.db)
		register := func() (keyvault.Subscription, error) {
			return s.RegisterRetention(t.Context(), s.Owner, s.Subscription.ID)
		}
		s.Between(keyvault.ApproveRequest, func() {
			if _, err := register(); err != nil {
				t.Error(err)
			}
		})
		if sub, err := register(); err != nil || sub.Retention.State != keyvault.Registered {
			t.Errorf("%s, %v", sub.Retention.State, err)
		}
	})
}
