package keyvault_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// rules reads rules of a firewall.
func rules(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	var list []netip.Prefix
	for _, text := range texts {
		p, err := rights.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// TestNetwork: from where a vault can be reached, and by whom.
func TestNetwork(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		s.mustCreate("root1")
		person := s.admin
		service := directory.Caller{Tenant: s.Tenant, ID: s.admin.ID, Kind: directory.App, App: directory.MultiWorkloadApp}
		pretender := person // signed in with a program that calls itself the service
		pretender.App = directory.MultiWorkloadApp
		open, closed := "", rights.ReasonFirewall
		ranges := rules(t, "192.0.2.0/24", "198.51.100.7", "2001:db8::/32")
		for _, tt := range []struct {
			name    string
			private bool
			rules   *rights.Firewall
			caller  directory.Caller
			address string
			want    string
		}{
			{"no rules", false, nil, person, "203.0.113.9", open},
			{"inside a range", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "192.0.2.255", open},
			{"outside", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "192.0.3.0", closed},
			{"version 6", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "2001:db8:1::1", open},
			{"service, trusted", false, &rights.Firewall{Deny: true, Trusted: true}, service, "", open},
			{"who calls himself the service", false, &rights.Firewall{Deny: true, Trusted: true}, pretender, "203.0.113.9", closed},
			{"private", true, nil, person, "192.0.2.1", rights.ReasonPrivate},
			{"private, service", true, nil, service, "", open},
		} {
			if tt.rules == nil {
				tt.rules = &rights.Firewall{Trusted: true} // no rules left, once there were any
			}
			s.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", Private: &tt.private, Firewall: keyvaulttest.Rules(tt.rules)})
			tt.caller.Address = tt.address
			s.Entries()
			_, err := s.Key(t.Context(), tt.caller, "contoso-east", "root1", "")
			got := ""
			if err != nil {
				got = fault.As(err).Reason
			}
			if e := s.Entries(); got != tt.want || len(e) != 1 || e[0].Detail["reason"] != tt.want {
				t.Errorf("%s: %q, want %q; recorded %+v", tt.name, got, tt.want, e)
			}
		}
		// Who is kept out learns nothing about keys, rights or parameters; management goes on.
		stranger := s.Person("nobody@contoso.example")
		_, err := s.Wrap(t.Context(), stranger, "contoso-east", "none", "", "none", nil)
		wantFault(t, err, fault.Forbidden, rights.ReasonPrivate)
		if _, err := s.Vault(t.Context(), s.Owner, s.Subscription.ID, "keys", "contoso-east"); err != nil {
			t.Error(err)
		}
	})
}

// TestNetworkRecord: the log tells the rules that are set, and who rests on the keys hears of it.
func TestNetworkRecord(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *stage) {
		private := true
		var many []string
		for i := range 20 {
			many = append(many, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String())
		}
		for want, spec := range map[string]keyvault.VaultSpec{
			"trusted 192.0.2.0/24 2001:db8::1/128 deny": {Firewall: keyvaulttest.Rules(&rights.Firewall{Deny: true, Trusted: true, Allowed: rules(t, "192.0.2.0/24", "2001:db8::1")})},
			"192.0.2.15/32 and 4 more deny":             {Firewall: keyvaulttest.Rules(&rights.Firewall{Deny: true, Allowed: rules(t, many...)})},
			"trusted open":                              {Firewall: keyvaulttest.Rules(&rights.Firewall{Trusted: true})},
		} {
			s.Entries()
			s.Told()
			spec.Name = "contoso-east"
			s.MustPutVault(spec)
			if e := s.Entries(); len(e) != 1 || !strings.HasSuffix(e[0].Detail["network"], want) {
				t.Errorf("recorded %+v, want %q", e, want)
			}
			if told := s.Told(); len(told) != 1 || told[0].Type != keyvault.VaultAccessPolicyChanged {
				t.Errorf("told %+v", told)
			}
		}
		v := s.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", Private: &private})
		if v.Network.Firewall == nil || !v.Network.Private {
			t.Errorf("what is not named stays: %+v", v.Network)
		}
		spec := keyvault.VaultSpec{Name: "contoso-east", Subscription: s.Subscription.ID, Group: "keys", Firewall: &rights.FirewallChange{Allowed: make([]netip.Prefix, 1001)}}
		_, _, err := s.PutVault(t.Context(), s.Owner, spec)
		wantFault(t, err, fault.Invalid, "")
	})
}
