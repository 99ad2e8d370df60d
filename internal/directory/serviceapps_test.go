package directory_test

import (
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// CK-156, CK-221, KV-139: each tenant has a principal of each of the service's own apps, also one that was
// made when there were fewer.
func TestEnsureServiceApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := directory.Tenant{ID: "7c9e6679-7425-40de-944b-e07fc1f90ae7", Name: "Old", Domain: "old.example", Created: w.now}
	if err := w.store.AddTenant(t.Context(), old, nil); err != nil {
		t.Fatal(err)
	}
	stranger := directory.Caller{Tenant: old.ID, ID: "x", Kind: directory.User, Roles: []directory.Role{directory.GlobalAdministrator}}
	if err := w.EnsureServiceApps(t.Context(), stranger, old.ID); !fault.Is(err, fault.Forbidden) {
		t.Errorf("by an administrator: %v", err)
	}
	system := directory.SystemCaller("", "set-up", "1")
	var first directory.ServicePrincipal
	for range 2 {
		if err := w.EnsureServiceApps(t.Context(), system, old.ID); err != nil {
			t.Fatal(err)
		}
		for _, app := range []string{directory.OnboardingApp, directory.ExchangeApp, directory.SharePointApp, directory.MultiWorkloadApp} {
			p, err := w.ServicePrincipal(t.Context(), old.ID, app)
			if err != nil || p.AppID != app || p.DisplayName == "" {
				t.Errorf("%s: %+v, %v", app, p, err)
			}
			if app == directory.OnboardingApp && first.ID == "" {
				first = p
			} else if app == directory.OnboardingApp && p.ID != first.ID {
				t.Error("it was made twice")
			}
		}
	}
}
