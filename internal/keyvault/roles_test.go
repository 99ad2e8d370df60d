package keyvault_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// useRoles makes "contoso-east" go by roles; admin may still do everything with its keys.
func (s *stage) useRoles() {
	s.t.Helper()
	s.setRBAC(true)
	s.mustAssign(s.admin, rights.VaultAdmin, s.east())
	s.Entries()
}

func (s *stage) setRBAC(on bool) {
	s.t.Helper()
	if v := s.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", RBAC: &on}); v.RBAC != on {
		s.t.Fatalf("RBAC is %t", v.RBAC)
	}
}

// east is the scope of the vault "contoso-east".
func (s *stage) east() rights.Scope {
	return rights.Scope{Subscription: s.Subscription.ID, Group: "keys", Vault: "contoso-east"}
}

func (s *stage) whole() rights.Scope { return rights.Scope{Subscription: s.Subscription.ID} }

func (s *stage) mustAssign(c directory.Caller, role string, at rights.Scope) rights.Assignment {
	s.t.Helper()
	return s.mustAssignTo(c.ID, role, at)
}

func (s *stage) mustAssignTo(principal, role string, at rights.Scope) rights.Assignment {
	s.t.Helper()
	a, created, err := s.AssignRole(s.t.Context(), s.Owner, rights.Assignment{ID: uuid.NewString(), Scope: at, Role: role, Principal: principal})
	if err != nil || !created {
		s.t.Fatalf("assigning %s: created %t, %v", role, created, err)
	}
	return a
}

func (s *stage) mustUnassign(a rights.Assignment) {
	s.t.Helper()
	if _, err := s.UnassignRole(s.t.Context(), s.Owner, a.Scope, a.ID); err != nil {
		s.t.Fatal(err)
	}
}

// overKeys is KV-106: what each role lets its holder do with keys, by the names of deeds.
var overKeys = map[string][]string{
	rights.VaultAdmin: {"all"}, rights.CryptoOfficer: {"all"},
	rights.CryptoUser: {
		"get", "list", "versions", "get deleted", "list deleted", "wrap", "unwrap", "encrypt", "decrypt", "update", "sign", "random",
	},
	rights.ServiceEncryption: {"get", "list", "versions", "get deleted", "list deleted", "wrap", "unwrap", "random"},
	rights.VaultReader:       {"get", "list", "versions", "get deleted", "list deleted", "get policy", "random"},
	rights.VaultContributor:  nil, rights.Owner: nil, rights.Contributor: nil, rights.Reader: nil,
	rights.RBACAdministrator: nil, rights.AccessAdmin: nil,
}

// roleDeeds are deeds and what roles tell apart beside.
func (s *stage) roleDeeds() []deed {
	ctx, vault := s.t.Context(), "contoso-east"
	return append([]deed{
		{name: "sign", do: func(c directory.Caller) error {
			_, err := s.Sign(ctx, c, vault, "root1", "", "PS256", make([]byte, 32))
			return err
		}},
		{name: "random", do: func(c directory.Caller) error { _, err := s.RandomBytes(ctx, c, vault, 8); return err }},
		{name: "get policy", do: func(c directory.Caller) error { _, _, err := s.RotationPolicy(ctx, c, vault, "spare"); return err }},
		{name: "set policy", do: func(c directory.Caller) error {
			_, _, err := s.SetRotationPolicy(ctx, c, vault, "spare", keyvault.RotationPolicy{Expiry: "P90D"})
			return err
		}},
		{name: "rotate", do: func(c directory.Caller) error { _, err := s.RotateKey(ctx, c, vault, "spare"); return err }},
	}, s.deeds()...)
}

// TestRolesOverKeys: every role against every method, refused by one text and recorded once.
func TestRolesOverKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.twoKeys()
		s.mustCreate("spare")
		s.useRoles()
		deeds := s.roleDeeds()
		for role, may := range overKeys {
			holder := s.Person("holder@contoso.example")
			a := s.mustAssign(holder, role, s.east())
			for _, d := range deeds {
				s.Entries()
				err := d.do(holder)
				want := slices.Contains(may, d.name) || slices.Contains(may, "all")
				if want && err != nil {
					t.Errorf("%s, %s: %v", role, d.name, err)
				}
				if !want {
					wantFault(t, err, fault.Forbidden, keyvault.ReasonRBAC)
				}
				e := s.Entries()
				if len(e) != 1 || (e[0].Decision == audit.Allow) != want || !strings.HasPrefix(e[0].Detail["permission"], "Microsoft.KeyVault/vaults/key") ||
					want && e[0].Detail["assignment"] != a.ID {
					t.Errorf("%s, %s: recorded %+v", role, d.name, e)
				}
			}
			s.restage()
		}
	})
}

// restage puts "root1" and "gone" back as twoKeys left them.
func (s *stage) restage() {
	s.t.Helper()
	ctx := s.t.Context()
	if _, err := s.DeletedKey(ctx, s.admin, "contoso-east", "root1"); err == nil {
		if _, err := s.RecoverKey(ctx, s.admin, "contoso-east", "root1"); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := s.DeletedKey(ctx, s.admin, "contoso-east", "gone"); err != nil {
		s.mustCreate("gone")
		s.mustDelete("gone")
	}
}

// TestEveryMethodByRoles: who holds no role, a role elsewhere, or an access policy that does not
// count, is refused by every method; and so is who comes from elsewhere.
func TestEveryMethodByRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.twoKeys()
		s.mustCreate("spare")
		named, elsewhere := s.Person("named@contoso.example"), s.Person("elsewhere@contoso.example")
		west := s.MustVault("contoso-west")
		s.MustVault("contoso-east", keyvaulttest.Can(s.admin, "all", "purge"), keyvaulttest.Can(named, "all", "purge"))
		s.useRoles()
		s.mustAssign(elsewhere, rights.VaultAdmin, rights.Scope{Subscription: west.Subscription, Group: west.Group, Vault: west.Name})
		for _, d := range s.roleDeeds() {
			s.Entries()
			for _, c := range []directory.Caller{named, elsewhere, s.Person("nobody"), s.Owner, directory.SystemCaller(s.Tenant, "rewrap", "")} {
				wantFault(t, d.do(c), fault.Forbidden, keyvault.ReasonRBAC)
			}
			wantFault(t, d.do(s.Stranger("spy@fabrikam.example")), fault.Unauthenticated, directory.InvalidIssuer)
			wantFault(t, d.do(directory.Caller{}), fault.Unauthenticated, directory.InvalidIssuer)
			if e := s.Entries(); len(e) != 7 || slices.ContainsFunc(e, func(e audit.Entry) bool { return e.Decision != audit.Deny || e.Tenant != s.Tenant }) {
				t.Errorf("%s: recorded %v", d.name, said(e))
			}
		}
	})
}

// TestRoleScopes: a role holds at its scope and inside it, for its principal and the members of
// its group, from the next request on until it is taken away.
func TestRoleScopes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("Root1")
		s.mustCreate("other")
		s.useRoles()
		member := s.Person("member@contoso.example")
		member.Groups = []string{strings.ToUpper(s.Person("group").ID)}
		get := func(name string) error {
			_, err := s.Key(t.Context(), member, "contoso-east", name, "")
			return err
		}
		single := s.east()
		single.Key = "ROOT1"
		for name, tt := range map[string]struct {
			principal string
			at        rights.Scope
			other     bool // the other key, too
		}{
			"subscription": {member.ID, s.whole(), true},
			"group":        {member.ID, rights.Scope{Subscription: strings.ToUpper(s.Subscription.ID), Group: "KEYS"}, true},
			"vault":        {strings.ToUpper(member.ID), s.east(), true},
			"key":          {member.ID, single, false},
			"by group":     {member.Groups[0], s.east(), true},
		} {
			wantFault(t, get("root1"), fault.Forbidden, keyvault.ReasonRBAC)
			a := s.mustAssignTo(tt.principal, rights.CryptoUser, tt.at)
			if err := get("root1"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := get("other"); (err == nil) != tt.other {
				t.Errorf("%s: the other key: %v", name, err)
			}
			s.mustUnassign(a)
			wantFault(t, get("root1"), fault.Forbidden, keyvault.ReasonRBAC)
		}
		// A role over one key opens no list of keys.
		s.mustAssign(member, rights.CryptoOfficer, single)
		_, err := s.Keys(t.Context(), member, "contoso-east", "", 9)
		wantFault(t, err, fault.Forbidden, keyvault.ReasonRBAC)
		if _, err := s.Versions(t.Context(), member, "contoso-east", "root1", 0, 9); err != nil {
			t.Errorf("versions of the one key: %v", err)
		}
	})
}

// TestRefusalByRole: KV-91's text, line by line.
func TestRefusalByRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.useRoles()
		c := s.Person("nobody@contoso.example")
		_, err := s.Wrap(t.Context(), c, "Contoso-East", "Root1", "", "RSA-OAEP-256", []byte("key"))
		want := []string{
			"Caller is not authorized to perform action on resource.",
			"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
			"Caller: appid=" + c.App + ";oid=" + c.ID,
			"Action: 'Microsoft.KeyVault/vaults/keys/wrap/action'",
			"Resource: '/subscriptions/" + s.Subscription.ID + "/resourcegroups/keys/providers/microsoft.keyvault/vaults/contoso-east/keys/root1'",
			"Assignment: (not found)", "DenyAssignmentId: null", "DecisionReason: null",
			"Vault: contoso-east;location=" + keyvaulttest.Location,
		}
		if diff := cmp.Diff(want, strings.Split(fault.As(err).Message, "\r\n")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEitherOr: a vault goes by its access policy or by roles; changing over keeps both sets.
func TestEitherOr(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		byRole := s.Person("role@contoso.example")
		get := func(c directory.Caller) error {
			_, err := s.Key(t.Context(), c, "contoso-east", "root1", "")
			return err
		}
		s.mustAssign(byRole, rights.VaultReader, s.whole())
		for range 2 {
			wantFault(t, get(byRole), fault.Forbidden, keyvault.ReasonAccessDenied)
			if err := get(s.admin); err != nil {
				t.Errorf("by policy: %v", err)
			}
			s.setRBAC(true)
			wantFault(t, get(s.admin), fault.Forbidden, keyvault.ReasonRBAC)
			if err := get(byRole); err != nil {
				t.Errorf("by role: %v", err)
			}
			s.setRBAC(false)
		}
	})
}

// TestNewVaultsAndRoles: what a new vault goes by, and that a change keeps it (KV-125).
func TestNewVaultsAndRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		yes, no := true, false
		for name, tt := range map[string]struct {
			spec keyvault.VaultSpec
			want bool
		}{
			"contoso-a": {keyvault.VaultSpec{}, false}, "contoso-b": {keyvault.VaultSpec{RBACIfNew: true}, true},
			"contoso-c": {keyvault.VaultSpec{RBACIfNew: true, RBAC: &no}, false}, "contoso-d": {keyvault.VaultSpec{RBAC: &yes}, true},
		} {
			tt.spec.Name = name
			if v := s.MustPutVault(tt.spec); v.RBAC != tt.want {
				t.Errorf("%s: %t", name, v.RBAC)
			}
			if v := s.MustPutVault(keyvault.VaultSpec{Name: name, RBACIfNew: !tt.want}); v.RBAC != tt.want {
				t.Errorf("%s again: %t", name, v.RBAC)
			}
		}
	})
}

// TestRoleEvents: who rests on a vault's keys is told when roles over them change, and only then.
func TestRoleEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.MustVault("contoso-policy")
		on := true
		s.MustPutVault(keyvault.VaultSpec{Name: "contoso-west", RBAC: &on})
		s.useRoles()
		c := s.Person("user@contoso.example")
		single := s.east()
		single.Key = "root1"
		for _, tt := range []struct {
			role string
			at   rights.Scope
			want []string
		}{
			{rights.CryptoUser, s.whole(), []string{"contoso-east", "contoso-west"}},
			{rights.CryptoUser, s.east(), []string{"contoso-east"}},
			{rights.CryptoUser, single, []string{"contoso-east"}},
			{rights.Contributor, s.whole(), nil},
		} {
			s.Told()
			a := s.mustAssign(c, tt.role, tt.at)
			made := s.Told()
			s.mustUnassign(a)
			for _, told := range [][]keyvault.Event{made, s.Told()} {
				var vaults []string
				for _, e := range told {
					if e.Type != keyvault.VaultAccessPolicyChanged || e.Tenant != s.Tenant {
						t.Errorf("told %+v", e)
					}
					vaults = append(vaults, e.Vault)
				}
				if diff := cmp.Diff(tt.want, vaults); diff != "" {
					t.Errorf("%s at %s: %s", tt.role, tt.at, diff)
				}
			}
		}
	})
}

// TestRolesAndDeletedVaults: a vault that is recovered has the role assignments it had; one that
// is made anew after a purge has none of them.
func TestRolesAndDeletedVaults(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		ctx, sub := t.Context(), s.Subscription.ID
		s.useRoles()
		s.mustCreate("root1")
		remove := func() {
			t.Helper()
			if _, err := s.DeleteVault(ctx, s.Owner, sub, "keys", "contoso-east"); err != nil {
				t.Fatal(err)
			}
		}
		remove()
		_, _, err := s.AssignRole(ctx, s.Owner, rights.Assignment{ID: uuid.NewString(), Scope: s.east(), Role: rights.Reader, Principal: s.admin.ID})
		wantFault(t, err, fault.NotFound, keyvault.ReasonNoResource)
		if _, err := s.RecoverVault(ctx, s.Owner, sub, "keys", "contoso-east", ""); err != nil {
			t.Fatal(err)
		}
		s.mustKey("root1", "")
		remove()
		if err := s.PurgeVault(ctx, s.Owner, sub, "", "contoso-east"); err != nil {
			t.Fatal(err)
		}
		all, err := s.Assignments(ctx, s.Owner, s.whole(), rights.AssignmentFilter{})
		if err != nil || len(all) != 1 || all[0].Principal != s.Owner.ID {
			t.Errorf("what is left: %+v, %v", all, err)
		}
		s.setRBAC(true)
		_, err = s.Keys(ctx, s.admin, "contoso-east", "", 9)
		wantFault(t, err, fault.Forbidden, keyvault.ReasonRBAC)
	})
}
