package keyvault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
)

// TestEvents: each change of a vault tells what it changed, once, and keeps it with the change.
func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		ctx, vault := t.Context(), "contoso-east"
		update := func(change keyvault.KeyChange) func() error {
			return func() error { _, err := s.UpdateKey(ctx, s.admin, vault, "root1", "", change); return err }
		}
		no, later := false, s.Now().Add(time.Hour)
		var blob []byte
		for _, step := range []struct {
			what string
			do   func() error
			want string // types and objects, without what all have in common
		}{
			{"create", func() error { s.mustCreate("Root1"); return nil }, "KeyNewVersionCreated Root1"},
			{"rotate", func() error { _, err := s.RotateKey(ctx, s.admin, vault, "root1"); return err }, "KeyNewVersionCreated Root1"},
			{"read", func() error { s.mustKey("root1", ""); return nil }, ""},
			{"tags", update(keyvault.KeyChange{Tags: map[string]string{"a": "b"}}), ""},
			{"disable", update(keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &no}}), "KeyUpdated Root1"},
			{"disable again", update(keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &no}}), ""},
			{"operations", update(keyvault.KeyChange{Ops: []string{}}), "KeyUpdated Root1"},
			{"expiry", update(keyvault.KeyChange{Attributes: keyvault.Attributes{Expires: &later}}), "KeyUpdated Root1"},
			{"backup", func() (err error) { blob, err = s.BackupKey(ctx, s.admin, vault, "root1"); return err }, ""},
			{"delete", func() error { s.mustDelete("root1"); return nil }, "KeyDeleted Root1"},
			{"recover", func() error { _, err := s.RecoverKey(ctx, s.admin, vault, "root1"); return err }, "KeyRecovered Root1"},
			{"purge", func() error { s.mustPurge("root1"); return nil }, "KeyDeleted Root1, KeyPurged Root1"},
			{"restore", func() error { _, err := s.RestoreKey(ctx, s.admin, vault, blob); return err }, "KeyNewVersionCreated Root1"},
			{"grant", func() error {
				s.MustVault(vault, keyvaulttest.Can(s.admin, rights.All, rights.Purge, rights.List))
				return nil
			}, "VaultAccessPolicyChanged "},
			{"the same grant", func() error {
				s.MustVault(vault, keyvaulttest.Can(s.admin, rights.All, rights.Purge, rights.List))
				return nil
			}, ""},
			{"take away", func() error {
				_, err := s.SetAccess(ctx, s.Owner, s.Subscription.ID, "keys", vault, rights.RemoveAccess, []rights.Grant{keyvaulttest.Can(s.admin, rights.List)})
				return err
			}, "VaultAccessPolicyChanged "},
			{"stop the subscription", func() error {
				_, err := s.SetSubscriptionState(ctx, s.Operator("operator@service.example"), s.Tenant, s.Subscription.ID, keyvault.Stopped)
				return err
			}, "VaultAccessPolicyChanged "},
			{"let it go on", func() error {
				_, err := s.SetSubscriptionState(ctx, s.Operator("operator@service.example"), s.Tenant, s.Subscription.ID, keyvault.Warned)
				return err
			}, "VaultAccessPolicyChanged "},
			{"warn no more", func() error {
				_, err := s.SetSubscriptionState(ctx, s.Operator("operator@service.example"), s.Tenant, s.Subscription.ID, keyvault.Enabled)
				return err
			}, ""},
		} {
			before := lastEvent(t, s)
			s.Told()
			s.Pass(time.Second)
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			told, kept := s.Told(), eventsAfter(t, s, before)
			var got []string
			for _, e := range told {
				if e.Tenant != s.Tenant || e.Vault != vault || e.ID == "" || !e.Time.Equal(s.Now()) {
					t.Errorf("%s: %+v", step.what, e)
				}
				got = append(got, strings.TrimPrefix(string(e.Type), "Microsoft.KeyVault.")+" "+e.Name)
			}
			if list := strings.Join(got, ", "); list != step.want {
				t.Errorf("%s told %q, want %q", step.what, list, step.want)
			}
			if diff := cmp.Diff(told, kept, cmpopts.IgnoreFields(keyvault.Event{}, "Seq")); diff != "" {
				t.Errorf("%s: told and not kept, or otherwise: %s", step.what, diff)
			}
			if len(told) > 0 && told[0].Type == keyvault.KeyNewVersionCreated && told[0].Version != s.mustKey("root1", "").Version {
				t.Errorf("%s: told of version %s", step.what, told[0].Version)
			}
		}
	})
}

// TestNoEventWithoutChange: what is refused or could not be recorded tells nothing.
func TestNoEventWithoutChange(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		s.Told()
		before := lastEvent(t, s)
		nobody := s.Person("nobody@contoso.example")
		if _, err := s.DeleteKey(t.Context(), nobody, "contoso-east", "root1"); err == nil {
			t.Error("deleted by nobody")
		}
		s.Deafen(true)
		if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "root1"); err == nil {
			t.Error("deleted without a record")
		}
		s.Deafen(false)
		if told, kept := s.Told(), eventsAfter(t, s, before); len(told)+len(kept) > 0 {
			t.Errorf("told %v, kept %v", told, kept)
		}
	})
}

func lastEvent(t *testing.T, s *stage) int64 {
	t.Helper()
	all := eventsAfter(t, s, 0)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Seq
}

func eventsAfter(t *testing.T, s *stage, seq int64) []keyvault.Event {
	t.Helper()
	list, err := store.NewKeyVault(s.db).Events(t.Context(), s.Tenant, "contoso-east", seq, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Seq != seq+1 {
			t.Fatalf("event %d comes after %d", e.Seq, seq)
		}
		seq = e.Seq
	}
	return list
}
