package directory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

func TestAppSignsInWithItsSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	app, secret := w.mustApp(contoso, directory.ItemsReadWriteAll)

	tokens, err := w.ClientCredentials(t.Context(), "contoso.example", directory.Client{ID: app.AppID, Secret: secret}, apiAudience+"//.default", directory.Origin{Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	if tokens.Audience != apiAudience+"/" {
		t.Errorf("the audience is %q, want the final slash kept (KV-132)", tokens.Audience)
	}
	if tokens.Refresh != "" || tokens.ID != "" {
		t.Error("an app got a refresh or id token")
	}
	c, err := w.verifier(apiAudience).Verify(t.Context(), tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind != directory.App || c.ID != app.ID || c.Tenant != contoso.ID || c.App != app.AppID || c.Name != "importer" ||
		!slices.Equal(c.Roles, app.Roles) {
		t.Errorf("the caller is %+v", c)
	}
	if e := w.last(); e.tenant != contoso.ID || e.action != "signin.app" || e.decision != "allow" || e.caller.Address != "192.0.2.1" {
		t.Errorf("recorded %+v", e)
	}
}

func TestAppSignInIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso, fabrikam := w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	app, secret := w.mustApp(contoso)
	for _, tt := range []struct{ name, authority, client, secret, scope, reason string }{
		{"wrong secret", contoso.ID, app.AppID, secret + "x", apiAudience, directory.InvalidSecret},
		{"empty secret", contoso.ID, app.AppID, "", apiAudience, directory.InvalidSecret},
		{"other tenant", fabrikam.ID, app.AppID, secret, apiAudience, directory.UnknownClient},
		{"object id", contoso.ID, app.ID, secret, apiAudience, directory.UnknownClient},
		{"no such app", contoso.ID, contoso.ID, secret, apiAudience, directory.UnknownClient},
		{"no such tenant", app.AppID, app.AppID, secret, apiAudience, directory.TenantNotFound},
		{"common", "common", app.AppID, secret, apiAudience, directory.TenantNotFound},
		{"foreign audience", contoso.ID, app.AppID, secret, "https://evil.example/.default", directory.InvalidResource},
		{"two audiences", contoso.ID, app.AppID, secret, apiAudience + "/.default " + vaultAudience + "/.default", directory.InvalidScope},
		{"no audience", contoso.ID, app.AppID, secret, "openid offline_access", directory.InvalidScope},
		{"service's own app", contoso.ID, directory.ExchangeApp, "", apiAudience, directory.InvalidSecret},
	} {
		_, err := w.ClientCredentials(t.Context(), tt.authority, directory.Client{ID: tt.client, Secret: tt.secret}, tt.scope, directory.Origin{})
		if reason := fault.As(err).Reason; err == nil || reason != tt.reason {
			t.Errorf("%s: %v (%s), want %s", tt.name, err, reason, tt.reason)
		}
	}

	w.setDeaf(true)
	if _, err := w.ClientCredentials(t.Context(), contoso.ID, directory.Client{ID: app.AppID, Secret: secret}, apiAudience, directory.Origin{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a sign-in that cannot be recorded: %v, want %s", err, fault.Unavailable)
	}
	w.setDeaf(false)
	w.pass(3 * 365 * 24 * time.Hour)
	if _, err := w.ClientCredentials(t.Context(), contoso.ID, directory.Client{ID: app.AppID, Secret: secret}, apiAudience, directory.Origin{}); fault.As(err).Reason != directory.InvalidSecret {
		t.Errorf("an old secret: %v, want %s", err, directory.InvalidSecret)
	}
}

func TestServiceToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	token, expires, err := w.ServiceToken(t.Context(), contoso.ID, directory.MultiWorkloadApp, "https://vault.azure.net")
	if err != nil {
		t.Fatal(err)
	}
	if want := w.clock().Add(time.Hour); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	c, err := w.verifier("https://vault.azure.net").Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.ServicePrincipal(t.Context(), contoso.ID, directory.MultiWorkloadApp)
	if err != nil || c.ID != p.ID || c.Kind != directory.App {
		t.Errorf("the caller is %+v, the principal %+v, %v", c, p, err)
	}

	app, _ := w.mustApp(contoso)
	for _, tt := range []struct {
		name, tenant, app string
		code              fault.Code
	}{
		{"an app with a secret", contoso.ID, app.AppID, fault.Forbidden},
		{"an app that the tenant does not have", contoso.ID, directory.CommandLineApp, fault.Unauthenticated},
		{"another tenant", app.ID, directory.MultiWorkloadApp, fault.Unauthenticated},
	} {
		if _, _, err := w.ServiceToken(t.Context(), tt.tenant, tt.app, vaultAudience); !fault.Is(err, tt.code) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
	}
}
