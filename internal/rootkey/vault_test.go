package rootkey_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A site is the built-in vault over TLS, an administrator of one vault in it, and the service.
type site struct {
	*keyvaulttest.World
	admin, service directory.Caller
	client         *rootkey.Client
}

func mustSite(t *testing.T, edit func(*rootkey.Config)) *site {
	t.Helper()
	w := keyvaulttest.New(t, storetest.SQLite(t, store.VaultAreas()...))
	s := &site{World: w, admin: w.Person("admin@contoso.example"), service: w.Person("the service")}
	s.service.Kind, s.service.App = directory.App, directory.MultiWorkloadApp
	w.MustVault("contoso-east",
		keyvaulttest.Can(s.admin, rights.All),
		keyvaulttest.Can(s.service, rights.Get, rights.WrapKey, rights.UnwrapKey))
	c := rootkey.Config{
		Suffixes: []string{"vault." + w.Domain()}, Transport: w.Client(), Now: w.Now, Timeout: 5 * time.Minute, AttemptTimeout: 5 * time.Minute, // a busy machine is no dead vault
		Credential: func(tenant, app string) azcore.TokenCredential {
			if tenant != w.Tenant || app != directory.MultiWorkloadApp {
				t.Errorf("a credential of %s for %s was asked for", app, tenant)
			}
			return w.Credential(s.service)
		},
	}
	if edit != nil {
		edit(&c)
	}
	client, err := rootkey.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.client = client
	return s
}

// mustRoll makes a version of the root key, the first one too.
func (s *site) mustRoll(t *testing.T, key keyvault.NewKey) {
	t.Helper()
	if key.Type == "" {
		key.Type = "RSA"
	}
	if _, err := s.CreateKey(t.Context(), s.admin, "contoso-east", "root1", key); err != nil {
		t.Fatal(err)
	}
}

func (s *site) mustUpdate(t *testing.T, change keyvault.KeyChange) {
	t.Helper()
	if _, err := s.UpdateKey(t.Context(), s.admin, "contoso-east", "root1", "", change); err != nil {
		t.Fatal(err)
	}
}

func (s *site) mustKey(t *testing.T) *rootkey.Key {
	t.Helper()
	key, err := s.client.Key(s.Tenant, directory.MultiWorkloadApp, s.VaultURL("contoso-east")+"/keys/root1/")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *site) mustWrap(t *testing.T, key envelope.Key) (kid string, wrapped []byte) {
	t.Helper()
	kid, wrapped, err := s.mustKey(t).Wrap(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return kid, wrapped
}

// Wrapping takes the newest version, unwrapping the one that wrapped.
// The service wraps and unwraps by the REST API of the vault (CK-354), a version of a key by its whole id (CK-23).
func TestWrapAndUnwrap(t *testing.T) {
	s := mustSite(t, nil)
	for _, bits := range []int{2048, 3072} {
		s.mustRoll(t, keyvault.NewKey{Bits: bits})
	}
	root, key := s.mustKey(t), envelope.NewKey()
	if want := s.VaultURL("contoso-east") + "/keys/root1"; root.URI() != want {
		t.Errorf("URI %s, want %s", root.URI(), want)
	}
	kid, wrapped := s.mustWrap(t, key)
	if len(wrapped) != 3072/8 || !strings.HasPrefix(kid, root.URI()+"/") {
		t.Errorf("%d bytes under %s", len(wrapped), kid)
	}
	s.mustRoll(t, keyvault.NewKey{})
	if newer, _ := s.mustWrap(t, key); newer == kid {
		t.Error("the newest version was not taken")
	}
	back, err := root.Unwrap(t.Context(), kid, wrapped)
	if err != nil || !back.Equal(key) {
		t.Errorf("unwrapping: %v", err)
	}
	wrapped[100] ^= 1
	if _, err := root.Unwrap(t.Context(), kid, wrapped); err == nil {
		t.Error("changed bytes unwrap")
	}
}

func TestInspect(t *testing.T) {
	s := mustSite(t, nil)
	expires := s.Now().Add(time.Hour)
	s.mustRoll(t, keyvault.NewKey{Bits: 3072, Attributes: keyvault.Attributes{Expires: &expires}})
	f, err := s.mustKey(t).Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != "RSA" || f.Bits != 3072 || !f.Enabled || !f.Expires.Equal(expires) || !f.NotBefore.IsZero() ||
		!slices.Contains(f.Ops, "unwrapKey") || !strings.HasPrefix(f.RecoveryLevel, "Recoverable") || !strings.Contains(f.KeyID, "/keys/root1/") {
		t.Errorf("%+v", f)
	}
	s.mustRoll(t, keyvault.NewKey{Type: "EC"})
	if f, err := s.mustKey(t).Inspect(t.Context()); err != nil || f.Type != "EC" || f.Bits != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, _, err := s.mustKey(t).Wrap(t.Context(), envelope.NewKey()); !fault.Is(err, fault.Denied) {
		t.Errorf("wrapping with an elliptic curve: %v", err)
	}
}

// What an owner may do to take a key back, and to give it back.
func TestTakenBack(t *testing.T) {
	no, yes := false, true
	var past, future time.Time
	access := func(how rights.AccessChange, permissions ...rights.Permission) func(*testing.T, *site) {
		return func(t *testing.T, s *site) {
			grants := []rights.Grant{keyvaulttest.Can(s.service, permissions...)}
			if _, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", how, grants); err != nil {
				t.Fatal(err)
			}
		}
	}
	update := func(change keyvault.KeyChange) func(*testing.T, *site) {
		return func(t *testing.T, s *site) { s.mustUpdate(t, change) }
	}
	service := []rights.Permission{rights.Get, rights.WrapKey, rights.UnwrapKey}
	for _, tt := range []struct {
		name       string
		take, give func(*testing.T, *site)
		reason     string
	}{
		{"disabled", update(keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &no}}), update(keyvault.KeyChange{Attributes: keyvault.Attributes{Enabled: &yes}}), "KeyDisabled"},
		{"all permissions", access(rights.RemoveAccess, service...), access(rights.AddAccess, service...), "AccessDenied"},
		{"one permission", access(rights.RemoveAccess, rights.UnwrapKey), access(rights.AddAccess, rights.UnwrapKey), "AccessDenied"},
		{"operations", update(keyvault.KeyChange{Ops: []string{"sign"}}), update(keyvault.KeyChange{Ops: []string{"unwrapKey"}}), "KeyOperationForbidden"},
		{"expired", update(keyvault.KeyChange{Attributes: keyvault.Attributes{Expires: &past}}), update(keyvault.KeyChange{Attributes: keyvault.Attributes{Expires: &future}}), "KeyExpired"},
		{"deleted", func(t *testing.T, s *site) {
			if _, err := s.DeleteKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, s *site) {
			if _, err := s.RecoverKey(t.Context(), s.admin, "contoso-east", "root1"); err != nil {
				t.Fatal(err)
			}
		}, "KeyNotFound"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustSite(t, nil)
			past, future = s.Now().Add(-time.Hour), s.Now().Add(time.Hour)
			s.mustRoll(t, keyvault.NewKey{})
			key := envelope.NewKey()
			kid, wrapped := s.mustWrap(t, key)
			tt.take(t, s)
			_, err := s.mustKey(t).Unwrap(t.Context(), kid, wrapped)
			if e := fault.As(err); e.Code != fault.Denied || e.Reason != tt.reason {
				t.Errorf("taken back: %v (%s), want %s", err, e.Reason, tt.reason)
			}
			tt.give(t, s)
			if back, err := s.mustKey(t).Unwrap(t.Context(), kid, wrapped); err != nil || !back.Equal(key) {
				t.Errorf("given back: %v", err)
			}
		})
	}
}

// Row X-3: the vault lets a key unwrap outside its time, the service does not, unless set so.
func TestOutsideItsTime(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		s := mustSite(t, func(c *rootkey.Config) { c.AllowExpired = allowed })
		soon, late := s.Now().Add(time.Minute), s.Now().Add(24*365*time.Hour)
		s.mustRoll(t, keyvault.NewKey{Attributes: keyvault.Attributes{Expires: &soon}})
		kid, wrapped := s.mustWrap(t, envelope.NewKey())
		check := func(reason string) {
			t.Helper()
			_, err := s.mustKey(t).Unwrap(t.Context(), kid, wrapped)
			if allowed || reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !fault.Is(err, fault.Denied) || fault.As(err).Reason != reason {
				t.Errorf("%v, want %s", err, reason)
			}
		}
		check("")
		s.Pass(time.Minute)
		check("KeyExpired")
		s.mustUpdate(t, keyvault.KeyChange{Attributes: keyvault.Attributes{Expires: &late}})
		check("")
		tomorrow := s.Now().Add(24 * time.Hour)
		s.mustUpdate(t, keyvault.KeyChange{Attributes: keyvault.Attributes{NotBefore: &tomorrow}})
		check("KeyNotYetValid")
	}
}

// A vault that is not there is told apart from one that cannot be reached (CK-64).
func TestNoSuchVault(t *testing.T) {
	s := mustSite(t, nil)
	key, err := s.client.Key(s.Tenant, directory.MultiWorkloadApp, s.VaultURL("contoso-gone")+"/keys/root1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Inspect(t.Context()); !fault.Is(err, fault.Denied) || fault.As(err).Reason != "VaultNotFound" {
		t.Errorf("%v (%s)", err, fault.As(err).Reason)
	}
}

// Without get, a key still unwraps: when it expires is unknown then.
func TestUnwrapWithoutGet(t *testing.T) {
	s := mustSite(t, nil)
	s.mustRoll(t, keyvault.NewKey{})
	kid, wrapped := s.mustWrap(t, envelope.NewKey())
	grants := []rights.Grant{keyvaulttest.Can(s.service, rights.Get)}
	if _, err := s.SetAccess(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east", rights.RemoveAccess, grants); err != nil {
		t.Fatal(err)
	}
	if _, err := s.mustKey(t).Unwrap(t.Context(), kid, wrapped); err != nil {
		t.Error(err)
	}
}
