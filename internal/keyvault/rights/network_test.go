package rights_test

import (
	"net/netip"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// list reads rules of a firewall.
func list(t *testing.T, texts ...string) []netip.Prefix {
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

// TestKeepsOut: from where a vault can be reached, and by whom (KV-91, KV-122).
func TestKeepsOut(t *testing.T) {
	t.Parallel()
	person := directory.Caller{Kind: directory.User, ID: "a person"}
	service := directory.Caller{Kind: directory.App, App: directory.MultiWorkloadApp}
	pretender := person // signed in with a program that calls itself the service
	pretender.App = directory.MultiWorkloadApp
	other := service
	other.App = "another app"
	open, closed := "", rights.ReasonFirewall
	ranges := list(t, "192.0.2.0/24", "198.51.100.7", "2001:db8::/32")
	for _, tt := range []struct {
		name    string
		private bool
		rules   *rights.Firewall
		caller  directory.Caller
		address string
		want    string
	}{
		{"no rules", false, nil, person, "203.0.113.9", open},
		{"rules that deny nobody", false, &rights.Firewall{Allowed: ranges}, person, "203.0.113.9", open},
		{"inside a range", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "192.0.2.255", open},
		{"one address", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "198.51.100.7", open},
		{"beside it", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "198.51.100.8", closed},
		{"outside", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "192.0.3.0", closed},
		{"version 6", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "2001:db8:1::1", open},
		{"version 6 outside", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "2001:db9::1", closed},
		{"version 4 in 6", false, &rights.Firewall{Deny: true, Allowed: ranges}, person, "::ffff:192.0.2.1", open},
		{"with a zone", false, &rights.Firewall{Deny: true, Allowed: list(t, "fe80::1")}, person, "fe80::1%eth0", open},
		{"no address", false, &rights.Firewall{Deny: true, Allowed: list(t, "0.0.0.0/0", "::/0")}, person, "", closed},
		{"no such address", false, &rights.Firewall{Deny: true, Allowed: list(t, "0.0.0.0/0")}, person, "192.0.2.1, 198.51.100.7", closed},
		{"nobody", false, &rights.Firewall{Deny: true}, person, "127.0.0.1", closed},
		{"service, not trusted", false, &rights.Firewall{Deny: true}, service, "", closed},
		{"service, trusted", false, &rights.Firewall{Deny: true, Trusted: true}, service, "", open},
		{"who is not the service", false, &rights.Firewall{Deny: true, Trusted: true}, other, "", closed},
		{"who calls himself the service", false, &rights.Firewall{Deny: true, Trusted: true}, pretender, "203.0.113.9", closed},
		{"private", true, nil, person, "192.0.2.1", rights.ReasonPrivate},
		{"private in spite of rules", true, &rights.Firewall{Allowed: ranges}, person, "192.0.2.1", rights.ReasonPrivate},
		{"private, service", true, nil, service, "", open},
		{"private, service not trusted", true, &rights.Firewall{}, service, "", rights.ReasonPrivate},
	} {
		tt.caller.Address = tt.address
		if got := (rights.Network{Private: tt.private, Firewall: tt.rules}).KeepsOut(tt.caller); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzParseRule: what is read is a range that reads back as itself, and holds its first address.
func FuzzParseRule(f *testing.F) {
	for _, text := range []string{"192.0.2.1", "192.0.2.0/24", "10.0.0.1/8", "::ffff:192.0.2.1", "::ffff:192.0.2.0/120", "2001:db8::/32", "fe80::1%eth0", "0.0.0.0/0", "", "/", "1.2.3/8"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := rights.ParseRule(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := rights.ParseRule(p.String())
		if err != nil || again != p || p != p.Masked() || p.Addr().Is4In6() || !p.Contains(p.Addr()) {
			t.Errorf("%q is %s, which is %s, %v", text, p, again, err)
		}
	})
}
