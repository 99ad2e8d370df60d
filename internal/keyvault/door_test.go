package keyvault_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// A deed is one method of the data plane, asked about the key "root1" (RSA, live) or "gone"
// (deleted).
type deed struct {
	name       string
	permission rights.Permission
	changes    bool
	do         func(c directory.Caller) error
}

// deeds is every method of the data plane.
func (s *stage) deeds() []deed {
	ctx, vault := s.t.Context(), "contoso-east"
	op := func(do func(c directory.Caller) (keyvault.Result, error)) func(directory.Caller) error {
		return func(c directory.Caller) error { _, err := do(c); return err }
	}
	wrapped, err := s.Wrap(ctx, s.admin, vault, "root1", "", "RSA-OAEP-256", []byte("key"))
	if err != nil {
		s.t.Fatal(err)
	}
	return []deed{
		{"get", "get", false, func(c directory.Caller) error { _, err := s.Key(ctx, c, vault, "root1", ""); return err }},
		{"list", "list", false, func(c directory.Caller) error { _, err := s.Keys(ctx, c, vault, "", 9); return err }},
		{"versions", "list", false, func(c directory.Caller) error { _, err := s.Versions(ctx, c, vault, "root1", 0, 9); return err }},
		{"get deleted", "get", false, func(c directory.Caller) error { _, err := s.DeletedKey(ctx, c, vault, "gone"); return err }},
		{"list deleted", "list", false, func(c directory.Caller) error { _, err := s.DeletedKeys(ctx, c, vault, "", 9); return err }},
		{"wrap", "wrapKey", false, op(func(c directory.Caller) (keyvault.Result, error) {
			return s.Wrap(ctx, c, vault, "root1", "", "RSA-OAEP-256", []byte("key"))
		})},
		{"unwrap", "unwrapKey", false, op(func(c directory.Caller) (keyvault.Result, error) {
			return s.Unwrap(ctx, c, vault, "root1", "", "RSA-OAEP-256", wrapped.Value)
		})},
		{"encrypt", "encrypt", false, op(func(c directory.Caller) (keyvault.Result, error) {
			return s.Encrypt(ctx, c, vault, "root1", "", "RSA-OAEP-256", []byte("key"))
		})},
		{"decrypt", "decrypt", false, op(func(c directory.Caller) (keyvault.Result, error) {
			return s.Decrypt(ctx, c, vault, "root1", "", "RSA-OAEP-256", wrapped.Value)
		})},
		{"create", "create", true, func(c directory.Caller) error {
			_, err := s.CreateKey(ctx, c, vault, "root2", keyvault.NewKey{Type: "EC"})
			return err
		}},
		{"update", "update", true, func(c directory.Caller) error {
			_, err := s.UpdateKey(ctx, c, vault, "root1", "", keyvault.KeyChange{Tags: map[string]string{"a": "b"}})
			return err
		}},
		{"recover", "recover", true, func(c directory.Caller) error { _, err := s.RecoverKey(ctx, c, vault, "gone"); return err }},
		{"delete", "delete", true, func(c directory.Caller) error { _, err := s.DeleteKey(ctx, c, vault, "gone"); return err }},
		{"delete again", "delete", true, func(c directory.Caller) error { _, err := s.DeleteKey(ctx, c, vault, "root1"); return err }},
		{"purge", "purge", true, func(c directory.Caller) error { return s.PurgeKey(ctx, c, vault, "gone") }},
	}
}

func (s *stage) twoKeys() {
	s.mustCreateAs("root1", keyvault.NewKey{Type: "RSA"})
	s.mustCreate("gone")
	s.mustDelete("gone")
}

// contents is everything that the vault's keys are, as the database has it.
func (s *stage) contents() []keyvault.Key {
	s.t.Helper()
	live, err := s.Keys(s.t.Context(), s.admin, "contoso-east", "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	gone, err := s.DeletedKeys(s.t.Context(), s.admin, "contoso-east", "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	all := append(live, gone...)
	for _, k := range live {
		versions, err := s.Versions(s.t.Context(), s.admin, "contoso-east", k.Name, 0, 100)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, versions...)
	}
	return all
}

// TestRecordFirst: where the log cannot be written nothing is told and nothing changes.
func TestRecordFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.twoKeys()
		before := s.contents()
		deeds, management := s.deeds(), s.roleManagement()
		s.Deafen(true)
		for _, d := range deeds {
			if err := d.do(s.admin); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s without a record: %v", d.name, err)
			}
			if err := d.do(s.Person("nobody@contoso.example")); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s refused without a record: %v", d.name, err)
			}
		}
		for name, do := range management {
			if err := do(s.Owner); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s without a record: %v", name, err)
			}
		}
		s.Deafen(false)
		if diff := cmp.Diff(before, s.contents()); diff != "" {
			t.Errorf("something changed: %s", diff)
		}
		if v, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east"); err != nil || v.Revision != 1 {
			t.Errorf("the vault changed: %+v, %v", v, err)
		}
	})
}

// management is every method of the door of management.
func (s *stage) management() map[string]func(c directory.Caller) error {
	ctx, sub := s.t.Context(), s.Subscription.ID
	return map[string]func(c directory.Caller) error{
		"put subscription": func(directory.Caller) error {
			return s.PutSubscription(ctx, directory.SystemCaller(s.Tenant, "setup", ""), s.Subscription)
		},
		"subscription":  func(c directory.Caller) error { _, err := s.Service.Subscription(ctx, c, sub); return err },
		"subscriptions": func(c directory.Caller) error { _, err := s.Subscriptions(ctx, c); return err },
		"put group": func(c directory.Caller) error {
			_, _, err := s.PutGroup(ctx, c, keyvault.Group{Subscription: sub, Name: "more", Location: "westeurope"})
			return err
		},
		"group":  func(c directory.Caller) error { _, err := s.Group(ctx, c, sub, "keys"); return err },
		"groups": func(c directory.Caller) error { _, err := s.Groups(ctx, c, sub); return err },
		"put vault": func(c directory.Caller) error {
			_, _, err := s.PutVault(ctx, c, keyvault.VaultSpec{Subscription: sub, Group: "keys", Name: "contoso-east", PurgeProtection: true})
			return err
		},
		"new vault": func(c directory.Caller) error {
			_, _, err := s.PutVault(ctx, c, keyvault.VaultSpec{Subscription: sub, Group: "keys", Name: "contoso-new", Location: "westeurope", SKU: "premium"})
			return err
		},
		"vault":      func(c directory.Caller) error { _, err := s.Vault(ctx, c, sub, "keys", "contoso-east"); return err },
		"find vault": func(c directory.Caller) error { _, err := s.FindVault(ctx, c, sub, "contoso-east"); return err },
		"cancel":     func(c directory.Caller) error { _, err := s.CancelSubscription(ctx, c, sub); return err },
		"enable":     func(c directory.Caller) error { _, err := s.EnableSubscription(ctx, c, sub); return err },
		"rename":     func(c directory.Caller) error { _, err := s.RenameSubscription(ctx, c, sub, "Other"); return err },
		"decide": func(directory.Caller) error {
			_, err := s.DecideRetention(ctx, s.Operator("operator"), s.Tenant, sub, true)
			return err
		},
		"state": func(directory.Caller) error {
			_, err := s.SetSubscriptionState(ctx, s.Operator("operator"), s.Tenant, sub, keyvault.Stopped)
			return err
		},
		"tag group":    func(c directory.Caller) error { _, err := s.TagGroup(ctx, c, sub, "keys", nil); return err },
		"delete group": func(c directory.Caller) error { return s.DeleteGroup(ctx, c, sub, "keys") },
		"delete vault": func(c directory.Caller) error {
			_, err := s.DeleteVault(ctx, c, sub, "keys", "contoso-east")
			return err
		},
		"recover vault": func(c directory.Caller) error {
			_, err := s.RecoverVault(ctx, c, sub, "keys", "contoso-gone", "")
			return err
		},
		"purge vault":    func(c directory.Caller) error { return s.PurgeVault(ctx, c, sub, "", "contoso-gone") },
		"deleted vault":  func(c directory.Caller) error { _, err := s.DeletedVault(ctx, c, sub, "", "contoso-gone"); return err },
		"deleted vaults": func(c directory.Caller) error { _, err := s.DeletedVaults(ctx, c, sub, "", 9); return err },
		"feature":        func(c directory.Caller) error { _, err := s.RegisterRetention(ctx, c, sub); return err },
		"no feature":     func(c directory.Caller) error { _, err := s.UnregisterRetention(ctx, c, sub); return err },
		"provider":       func(c directory.Caller) error { _, err := s.RegisterProvider(ctx, c, sub); return err },
		"no provider":    func(c directory.Caller) error { _, err := s.UnregisterProvider(ctx, c, sub); return err },
		"requests": func(directory.Caller) error {
			_, err := s.RetentionRequests(ctx, s.Operator("operator"), keyvault.Subscription{}, 9)
			return err
		},
		"vaults": func(c directory.Caller) error { _, err := s.Vaults(ctx, c, sub, "", 9); return err },
		"name":   func(c directory.Caller) error { return s.NameAvailable(ctx, c, sub, "contoso-other") },
		"access": func(c directory.Caller) error {
			_, err := s.SetAccess(ctx, c, sub, "keys", "contoso-east", rights.AddAccess, []rights.Grant{{Object: s.Owner.ID, Keys: []rights.Permission{"all"}}})
			return err
		},
	}
}

// TestEveryMethodIsRecordedOnce: allowed for whom holds the one permission, refused for who
// holds all others, and one entry for each.
func TestEveryMethodIsRecordedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.twoKeys()
		deeds := s.deeds()
		for _, d := range deeds {
			holder, other := s.Person("holder@contoso.example"), s.Person("other@contoso.example")
			var rest []rights.Permission
			for _, p := range rights.Permissions() {
				if p != d.permission && p != rights.All {
					rest = append(rest, p)
				}
			}
			s.MustVault("contoso-east", keyvaulttest.Can(s.admin, "all", "purge"), keyvaulttest.Can(holder, d.permission), keyvaulttest.Can(other, rest...))
			s.Entries()
			wantFault(t, d.do(other), fault.Forbidden, keyvault.ReasonForbidden)
			wantFault(t, d.do(s.Person("nobody")), fault.Forbidden, keyvault.ReasonAccessDenied)
			wantFault(t, d.do(s.Owner), fault.Forbidden, keyvault.ReasonAccessDenied)
			wantFault(t, d.do(s.Stranger("spy@fabrikam.example")), fault.Unauthenticated, directory.InvalidIssuer)
			wantFault(t, d.do(directory.SystemCaller(s.Tenant, "rewrap", "")), fault.Forbidden, keyvault.ReasonAccessDenied)
			wantFault(t, d.do(directory.Caller{}), fault.Unauthenticated, directory.InvalidIssuer)
			if err := d.do(holder); err != nil {
				t.Errorf("%s with its permission: %v", d.name, err)
			}
			var decisions []audit.Decision
			for _, e := range s.Entries() {
				decisions = append(decisions, e.Decision)
				if e.Tenant != s.Tenant {
					t.Errorf("%s: recorded for tenant %q", d.name, e.Tenant)
				}
			}
			want := []audit.Decision{"deny", "deny", "deny", "deny", "deny", "deny", "allow"}
			if diff := cmp.Diff(want, decisions); diff != "" {
				t.Errorf("%s: %s", d.name, diff)
			}
		}
	})
}

// TestStrangerStaysUnknown: the log of a vault's tenant does not tell who else there is.
func TestStrangerStaysUnknown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		stranger := s.Stranger("spy@fabrikam.example")
		_, err := s.Keys(t.Context(), stranger, "contoso-east", "", 9)
		wantFault(t, err, fault.Unauthenticated, directory.InvalidIssuer)
		wantFault(t, s.CheckTenant(t.Context(), stranger, "contoso-east"), fault.Unauthenticated, directory.InvalidIssuer)
		for _, e := range s.Entries() {
			want := directory.Caller{Kind: directory.User, Address: stranger.Address, Request: stranger.Request}
			if diff := cmp.Diff(want, e.Caller); diff != "" || e.Decision != audit.Deny {
				t.Errorf("%s: %s", e.Action, diff)
			}
		}
	})
}

// TestRecords: what the log says of a key's life.
func TestRecords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		k := s.mustCreateAs("Root1", keyvault.NewKey{Type: "RSA", Bits: 3072})
		no := false
		if _, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "root1", "", keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &no}}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Wrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", []byte("key"))
		wantFault(t, err, fault.Forbidden, keyvault.ReasonKeyDisabled)
		yes := true
		if _, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "root1", "", keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &yes}}); err != nil {
			t.Fatal(err)
		}
		_, err = s.Unwrap(t.Context(), s.admin, "contoso-east", "root1", "", "RSA-OAEP-256", make([]byte, 3072/8))
		wantFault(t, err, fault.Invalid, "")
		_, err = s.Key(t.Context(), s.admin, "contoso-east", "a/b", "")
		wantFault(t, err, fault.Invalid, "")
		s.mustDelete("root1")

		kid := "contoso-east/keys/Root1/" + k.Version
		entries := s.Entries()
		want := []string{
			"allow key.create " + kid, "allow key.update " + kid, "deny key.wrap contoso-east/keys/root1", "allow key.update " + kid,
			"allow key.unwrap " + kid, "fail key.unwrap " + kid, "deny key.get contoso-east/keys", "allow key.delete contoso-east/keys/root1",
		}
		if diff := cmp.Diff(want, said(entries)); diff != "" {
			t.Fatal(diff)
		}
		for i, detail := range []map[string]string{
			{"permission": "create", "type": "RSA", "size": "3072"}, {"permission": "update", "enabled": "false"},
			{"permission": "wrapKey", "reason": "KeyDisabled"}, {"permission": "update", "enabled": "true"},
			{"permission": "unwrapKey", "alg": "RSA-OAEP-256"}, {"permission": "unwrapKey", "alg": "RSA-OAEP-256", "reason": "invalid"},
			{"permission": "get", "reason": "invalid"}, {"permission": "delete", "purge_at": "2026-05-30T12:00:00Z"},
		} {
			if diff := cmp.Diff(detail, entries[i].Detail); diff != "" {
				t.Errorf("%s: %s", want[i], diff)
			}
		}
	})
}

// TestRevocation: access taken away or given takes effect for the next request (KV-59).
func TestRevocation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		group := s.Person("group").ID
		member := s.Person("member@contoso.example")
		member.Groups = []string{group}
		get := func() error { _, err := s.Key(t.Context(), member, "contoso-east", "root1", ""); return err }
		set := func(how rights.AccessChange, g rights.Grant) {
			t.Helper()
			if _, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", how, []rights.Grant{g}); err != nil {
				t.Fatal(err)
			}
		}
		wantFault(t, get(), fault.Forbidden, keyvault.ReasonAccessDenied)
		set(rights.AddAccess, rights.Grant{Object: group, Keys: []rights.Permission{"Get"}})
		if err := get(); err != nil {
			t.Errorf("by group: %v", err)
		}
		set(rights.RemoveAccess, rights.Grant{Object: group, Keys: []rights.Permission{"GET"}})
		wantFault(t, get(), fault.Forbidden, keyvault.ReasonAccessDenied)
		set(rights.AddAccess, rights.Grant{Object: member.ID, Application: s.Person("app").ID, Keys: []rights.Permission{"all"}})
		wantFault(t, get(), fault.Forbidden, keyvault.ReasonAccessDenied) // by another app
		set(rights.AddAccess, rights.Grant{Object: member.ID, Application: member.App, Keys: []rights.Permission{"all"}})
		if err := get(); err != nil {
			t.Errorf("by the app named in the entry: %v", err)
		}
	})
}

// TestAccessTogether: entries added at once all hold.
func TestAccessTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		errs := make(chan error)
		for range 4 {
			c := s.Person("someone")
			go func() {
				_, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", rights.AddAccess, []rights.Grant{keyvaulttest.Can(c, "get")})
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		v, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east")
		if err != nil || len(v.Access) != 5 {
			t.Errorf("%d entries, %v", len(v.Access), err)
		}
	})
}

// TestAll: "all" is everything but purge (KV-104).
func TestAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		most := s.Person("most@contoso.example")
		s.MustVault("contoso-east", keyvaulttest.Can(most, "ALL"))
		if _, err := s.CreateKey(t.Context(), most, "contoso-east", "root1", keyvault.NewKey{Type: "EC"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DeleteKey(t.Context(), most, "contoso-east", "root1"); err != nil {
			t.Fatal(err)
		}
		wantFault(t, s.PurgeKey(t.Context(), most, "contoso-east", "root1"), fault.Forbidden, keyvault.ReasonForbidden)
	})
}

// TestTaken: what is taken from an entry is gone, however it was given (KV-119): "all" is no
// permission of its own that outlives those it stands for.
func TestTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		c := s.Person("service@contoso.example")
		rest := slices.DeleteFunc(rights.Permissions(), func(p rights.Permission) bool {
			return slices.Contains([]rights.Permission{"get", "wrapKey", "purge", "all"}, p)
		})
		for _, tt := range []struct{ has, gone, left []rights.Permission }{
			{[]rights.Permission{"all"}, []rights.Permission{"GET", "wrapKey"}, rest},
			{[]rights.Permission{"Purge", "All"}, []rights.Permission{"get", "wrapkey"}, append([]rights.Permission{"purge"}, rest...)},
			{[]rights.Permission{"all", "get"}, []rights.Permission{"get", "wrapKey"}, rest},
			{[]rights.Permission{"all", "purge"}, []rights.Permission{"purge"}, []rights.Permission{"all"}},
			{[]rights.Permission{"get", "Purge"}, []rights.Permission{"all"}, []rights.Permission{"Purge"}},
			{[]rights.Permission{"get", "list"}, []rights.Permission{"ALL"}, nil},
			{[]rights.Permission{"all"}, []rights.Permission{"all"}, nil},
		} {
			var v keyvault.Vault
			for _, change := range []struct {
				how  rights.AccessChange
				keys []rights.Permission
			}{{rights.ReplaceAccess, tt.has}, {rights.RemoveAccess, tt.gone}} {
				var err error
				if v, err = s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", change.how, []rights.Grant{keyvaulttest.Can(c, change.keys...)}); err != nil {
					t.Fatal(err)
				}
			}
			var left []rights.Permission
			for _, g := range v.Access {
				if g.Object == c.ID {
					left = g.Keys
				}
			}
			slices.Sort(left)
			slices.Sort(tt.left)
			if !slices.Equal(left, tt.left) {
				t.Errorf("%v without %v: %v, want %v", tt.has, tt.gone, left, tt.left)
			}
		}
	})
}
