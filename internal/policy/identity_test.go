package policy_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-81: a name or a GUID. CK-126: also the id of a generation, past or present.
func TestCK81_CK126_Identity(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		p := c.mustCreate("Contoso_Global")
		first := p.Generation
		p = c.mustRefresh(first) // S4 passes exactly such a value
		w.work()
		for _, identity := range []string{"Contoso_Global", "contoso_global", p.ID, strings.ToUpper(p.ID), "{" + p.ID + "}", first, p.Generation} {
			got, err := w.service.Get(t.Context(), c.admin, policy.MultiWorkload, identity)
			if err != nil || got.ID != p.ID {
				t.Errorf("%q: %v, %v", identity, got.ID, err)
			}
		}
		if _, err := w.service.Get(t.Context(), c.admin, policy.MultiWorkload, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("no identity: %v", err)
		}
	})
}

// unknown is not found, never all of them.
func TestX29_UnknownIdentity(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c, other := w.tenant(), w.tenant()
		unknown := func(who *tenant, identity, hint string) {
			t.Helper()
			_, err := w.service.Get(t.Context(), who.admin, policy.MultiWorkload, identity)
			if !fault.Is(err, fault.NotFound) || !strings.Contains(fault.As(err).Hint, hint) {
				t.Errorf("%q: %v, hint %q, want one with %q", identity, err, fault.As(err).Hint, hint)
			}
		}
		unknown(c, "anything", "policies yet: make one")
		if _, err := w.service.Create(t.Context(), c.admin, policy.Draft{Family: policy.MultiWorkload, Name: "Contoso_Global", Description: "Root key for all", KeyURIs: c.keys[:]}); err != nil {
			t.Fatal(err)
		}
		p := c.mustCreate("Fabrikam")
		unknown(c, "Contoso_Gobal", "Contoso_Global")
		unknown(c, "contoso", "Contoso_Global")
		unknown(c, "root key FOR all", `use its name`)
		unknown(c, strings.Repeat("x", 100_000), "lists them")
		unknown(c, uuid.NewString(), "lists them")
		for _, identity := range []string{"Contoso_Global", "Fabrikan", p.ID, p.Generation} { // another tenant learns nothing
			unknown(other, identity, "policies yet: make one")
		}
	})
}

// CK-128: the policy that the service owns does not exist for tenants, whatever they name.
func TestCK128_ServiceOwnedPolicyIsInvisible(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		target, err := w.service.InForce(t.Context(), hierarchy.Container{Tenant: c.id, Workload: "exchange"})
		if err != nil {
			t.Fatal(err)
		}
		for _, identity := range []string{target.Policy, target.Generation, "Service-managed keys"} {
			name := "mine"
			for what, err := range map[string]error{
				"get":     second(w.service.Get(t.Context(), c.admin, policy.MultiWorkload, identity)),
				"status":  second(w.service.Status(t.Context(), c.admin, policy.MultiWorkload, identity)),
				"update":  second(w.service.Update(t.Context(), c.admin, policy.MultiWorkload, identity, policy.Change{Name: &name})),
				"refresh": second(w.service.Refresh(t.Context(), c.admin, policy.MultiWorkload, identity)),
				"assign":  w.service.Assign(t.Context(), c.admin, identity),
			} {
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("%s %q: %v, want not found", what, identity, err)
				}
			}
		}
		if all, err := w.service.List(t.Context(), c.admin, policy.MultiWorkload); err != nil || len(all) != 0 {
			t.Errorf("listed: %v, %v", all, err)
		}
		if a, err := w.service.Assignment(t.Context(), c.admin); err != nil || a != nil {
			t.Errorf("assignment: %v, %v", a, err)
		}
	})
}
