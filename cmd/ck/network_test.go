package main

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// TestServiceAndNetworkRules: the service asks the vaults of its own process from no address. No
// rule lets it in by one, and a vault that trusts it lets it in whatever the rules are.
func TestServiceAndNetworkRules(t *testing.T) {
	t.Parallel()
	d := newTwoTenants(t)
	n, o := d.node, d.contoso
	boss, err := n.directory.Person(t.Context(), o.id, "boss@contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	caller := directory.Caller{Tenant: o.id, ID: boss.ID, Kind: directory.User, Name: boss.UPN, Address: "198.51.100.1", Request: "test"}
	vaults, err := n.vaults.Vaults(t.Context(), caller, o.subscription, "", 1)
	if err != nil || len(vaults) != 1 {
		t.Fatalf("%d vaults, %v", len(vaults), err)
	}
	vault := vaults[0]
	key := map[string]string{"contoso-east": "root1", "contoso-west": "root2"}[vault.Name]
	client, err := azkeys.NewClient(n.url(vault.Name+".vault"), n.serviceCredential(o.id, directory.MultiWorkloadApp), &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: &local{domain: n.domain, handler: n.faces}, Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	everywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	yes, no := true, false
	for _, tt := range []struct {
		name    string
		private *bool
		rules   rights.Firewall
		refused string
	}{
		{"no rules", &no, rights.Firewall{}, ""},
		{"every address", &no, rights.Firewall{Deny: true, Allowed: everywhere}, "ForbiddenByFirewall"},
		{"trusted", &no, rights.Firewall{Deny: true, Trusted: true}, ""},
		{"private and trusted", &yes, rights.Firewall{Deny: true, Trusted: true}, ""},
		{"private", &yes, rights.Firewall{Deny: true, Allowed: everywhere}, "ForbiddenByConnection"},
	} {
		spec := keyvault.VaultSpec{Subscription: vault.Subscription, Group: vault.Group, Name: vault.Name, Private: tt.private, Firewall: keyvaulttest.Rules(&tt.rules)}
		if _, err := n.vaults.UpdateVault(t.Context(), caller, spec); err != nil {
			t.Fatal(err)
		}
		_, err := client.GetKey(t.Context(), key, "", nil)
		var e *azcore.ResponseError
		if (tt.refused == "") != (err == nil) || err != nil && (!errors.As(err, &e) || e.StatusCode != 403 || !strings.Contains(e.Error(), tt.refused)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.refused)
		}
	}
}
