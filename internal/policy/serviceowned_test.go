package policy_test

import (
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-14: default encryption is a policy that the service owns, one per tenant, whoever makes
// it first.
func TestCK14_EnsureServicePolicy(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		const tenant = "7a3f0f0e-6a1c-4c5e-9a40-0c3de1c1f2aa"
		refs := [2]hierarchy.RootRef{
			{Tenant: "provider", App: directory.MultiWorkloadApp, URI: w.vaults.key("one", "default")},
			{Tenant: "provider", App: directory.MultiWorkloadApp, URI: w.vaults.key("two", "default")},
		}
		if _, err := w.service.InForce(t.Context(), hierarchy.Container{Tenant: tenant, Workload: "exchange"}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("in force before it is there: %v", err)
		}
		for _, bad := range [][2]hierarchy.RootRef{{}, {refs[0], refs[0]}} {
			if _, err := w.service.EnsureServicePolicy(t.Context(), tenant, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("with roots %v: %v", bad, err)
			}
		}
		var all sync.WaitGroup
		made := make([]policy.Policy, 8)
		for i := range made {
			all.Go(func() {
				var err error
				if made[i], err = w.service.EnsureServicePolicy(t.Context(), tenant, refs); err != nil {
					t.Errorf("at the same time: %v", err)
				}
			})
		}
		all.Wait()
		again, err := w.service.EnsureServicePolicy(t.Context(), tenant, [2]hierarchy.RootRef{})
		if err != nil || again.Family != policy.ServiceOwned || again.State != policy.Active || again.Roots != refs {
			t.Errorf("again: %+v, %v", again, err)
		}
		for _, p := range made {
			if p != again {
				t.Errorf("two policies: %+v and %+v", p, again)
			}
		}
		target, err := w.service.InForce(t.Context(), hierarchy.Container{Tenant: tenant, Workload: "teams"})
		if want := (hierarchy.Target{Policy: again.ID, Generation: again.Generation, NewDataOnly: true}); err != nil || target != want {
			t.Errorf("in force %+v, want %+v, %v", target, want, err)
		}
	})
}

func TestNewChecksItsConfig(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		for what, change := range map[string]func(c *policy.Config){
			"no store": func(c *policy.Config) { c.Store = nil }, "no keys": func(c *policy.Config) { c.Keys = nil },
			"no roots": func(c *policy.Config) { c.Roots = nil }, "no availability": func(c *policy.Config) { c.Availability = nil },
			"no audit": func(c *policy.Config) { c.Audit = nil }, "no rule": func(c *policy.Config) { c.Rule = nil },
			"a level below": func(c *policy.Config) { c.RecoveryLevel = "Purgeable" }, "a negative batch": func(c *policy.Config) { c.Batch = -1 },
		} {
			c := w.config
			change(&c)
			if _, err := policy.New(c); err == nil {
				t.Errorf("%s: no error", what)
			}
		}
	})
}
