package policy_test

import (
	"context"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

// pinned returns versions of root keys as they are given to Register.
func pinned(version int, uris [2]string) (keys [2]policy.RootKey) {
	for i, uri := range uris {
		keys[i].URI = kid(uri, version)
	}
	return keys
}

// files gives the tenant's administrator the role for files.
func (c *tenant) files() *tenant {
	c.admin.Roles = append(c.admin.Roles, directory.SharePointAdministrator)
	return c
}

func (c *tenant) mustRegister(geo string) policy.GeoStatus {
	c.t.Helper()
	st, err := c.files().service.Register(c.t.Context(), c.admin, geo, pinned(1, c.keys))
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

func (c *tenant) mustGeo(geo string) policy.GeoStatus {
	c.t.Helper()
	st, err := c.service.Geo(c.t.Context(), c.admin, geo)
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

func wantGeo(t *testing.T, what string, st policy.GeoStatus, state policy.GeoState, percent int) {
	t.Helper()
	if st.State != state || st.Percent != percent {
		t.Errorf("%s: %s, %d %%, want %s, %d %%", what, st.State, st.Percent, state, percent)
	}
}

func wantReason(t *testing.T, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if e := fault.As(err); err == nil || e.Code != code || e.Reason != reason || e.Hint == "" {
		t.Errorf("%s: error %v, reason %q, want %s %q with a hint", what, err, e.Reason, code, reason)
	}
}

// CK-142 to CK-144, CK-236, CK-237: registering a geo puts its sites under the policy, new ones at
// once, stored ones in the background, and tells how far it is. Another geo and the tenant's own
// policy are left alone (CK-297, CK-298).
func TestRegister(t *testing.T) {
	inWorld(t, func(c *policy.Config) { c.Batch = 1 }, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two", "three", "four", "eur:five")
		c.mustSeal("exchange", "alice")
		wantGeo(t, "CK-143 before", c.mustGeo(""), policy.Unregistered, 0)
		site := container(c.id, "sharepoint", "one")
		_, err := w.service.Site(t.Context(), c.admin, site)
		wantReason(t, "CK-138 a site where no policy is", err, fault.Conflict, policy.ReasonUnregistered)

		st := c.mustRegister("")
		wantGeo(t, "CK-143 after Register", st, policy.Registering, 0)
		p := st.Status.Policy
		if p.Roots[0].URI != kid(c.keys[0], 1) || p.Roots[1].URI != kid(c.keys[1], 1) || p.Roots[0].App != directory.SharePointApp {
			t.Errorf("X-33 the roots are %v", p.Roots)
		}
		if st.Bound != 4*time.Hour || st.Geo != "default" || st.Sites != 4 {
			t.Errorf("CK-72 the revocation is bound by %s, in geo %q with %d sites", st.Bound, st.Geo, st.Sites)
		}
		c.mustSeal("sharepoint", "new")
		wantGeo(t, "a new site is under it at once", c.mustGeo(""), policy.Registering, 20)
		if one, err := w.service.Site(t.Context(), c.admin, site); err != nil || one.State != policy.Registering {
			t.Errorf("CK-138 a site on its way: %v, %v", one.State, err)
		}
		w.work()
		wantGeo(t, "CK-143 at the end", c.mustGeo(""), policy.Registered, 100)
		one, err := w.service.Site(t.Context(), c.admin, site)
		if err != nil || one.State != policy.Registered || one.KeyIDs != [2]string{kid(c.keys[0], 1), kid(c.keys[1], 1)} {
			t.Errorf("CK-138 a site that has arrived: %+v, %v", one, err)
		}
		wantGeo(t, "CK-298 another geo", c.mustGeo("EUR"), policy.Unregistered, 0)
		c.wantWhere("exchange", c.serviceOwned(), 1)
		if err := c.reopen(); err != nil {
			t.Error(err)
		}
		g, err := w.rows.Generation(t.Context(), c.id, p.Generation)
		if err != nil || g.Unwrapping != hierarchy.Hedged {
			t.Errorf("CK-66 the rule of the generation: %q, %v", g.Unwrapping, err)
		}
	})
}

// serviceOwned returns the policy that covers what no policy of the tenant does.
func (c *tenant) serviceOwned() string {
	c.t.Helper()
	p, err := c.rows.PolicyNamed(c.t.Context(), c.id, policy.ServiceOwned, policy.FoldName("Service-managed keys"))
	if err != nil {
		c.t.Fatal(err)
	}
	return p.ID
}

// What is shown never goes back (CK-144): a request that was decided before Register may still
// put a new site under the former policy.
func TestProgressNeverGoesBack(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one", "two", "three")
		late := container(c.id, "sharepoint", "late")
		target, err := w.service.InForce(t.Context(), late)
		if err != nil {
			t.Fatal(err)
		}
		c.mustRegister("")
		w.work()
		wantGeo(t, "registered", c.mustGeo(""), policy.Registered, 100)
		o, err := w.keys.ForSealing(t.Context(), c.admin, late, target)
		if err != nil {
			t.Fatal(err)
		}
		o.Close()
		wantGeo(t, "with a late site", c.mustGeo(""), policy.Registered, 100)
	})
}

// CK-2, CK-176, CK-178, CK-301, CK-315, CK-280, X-16: a family of its own; one policy for a geo and
// for all its sites; administrators of files; no way back.
func TestRegisterIsRefused(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant()
		_, err := w.service.Register(t.Context(), c.admin, "", pinned(1, c.keys))
		wantReason(t, "CK-280 a compliance administrator", err, fault.Forbidden, "")
		c.files()
		_, err = w.service.Register(t.Context(), c.admin, "apc", pinned(1, c.keys))
		wantReason(t, "CK-298 a geo that there is not", err, fault.NotFound, "NoGeo")
		_, err = w.service.Create(t.Context(), c.admin, policy.Draft{Family: policy.SharePoint, Name: "x", KeyURIs: c.keys[:], Enabled: true})
		wantReason(t, "a policy without a geo", err, fault.Invalid, "")
		_, err = w.service.ChangeRoots(t.Context(), c.admin, "", [2]*policy.RootKey{{URI: c.spare[0]}, nil})
		wantReason(t, "CK-178 Update when not registered", err, fault.Conflict, policy.ReasonUnregistered)
		_, err = w.service.RestoreGeo(t.Context(), c.admin, "", pinned(1, c.spare))
		wantReason(t, "CK-178 Restore when not in recovery", err, fault.Conflict, policy.ReasonNoRecovery)

		st := c.mustRegister("")
		_, err = w.service.Register(t.Context(), c.admin, "", pinned(1, c.spare))
		wantReason(t, "CK-176 a second policy for the geo", err, fault.Conflict, policy.ReasonRegistered)
		if eur := c.mustRegister("eur"); eur.Status.Policy.ID == st.Status.Policy.ID {
			t.Error("CK-298 two geos share a policy")
		}
		name := st.Status.Policy.Name
		for what, do := range map[string]func() error{
			"Refresh": func() error { _, err := w.service.Refresh(t.Context(), c.admin, policy.SharePoint, name); return err },
			"Update": func() error {
				off := false
				_, err := w.service.Update(t.Context(), c.admin, policy.SharePoint, name, policy.Change{Enabled: &off})
				return err
			},
			"Replace": func() error {
				_, err := w.service.Replace(t.Context(), c.admin, policy.SharePoint, name, c.spare[:])
				return err
			},
		} {
			wantReason(t, "CK-251 "+what, do(), fault.Invalid, "")
		}
	})
}

// CK-7, CK-9, CK-27, CK-29, CK-31: root keys and availability key wrap the policy key of a geo, each
// policy its own; that wraps the keys of sites, each its own.
func TestPolicyKeysOfGeos(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		nam, eur := c.mustRegister("nam").Status.Policy, c.mustRegister("eur").Status.Policy
		a, err := w.rows.Generation(t.Context(), c.id, nam.Generation)
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.rows.Generation(t.Context(), c.id, eur.Generation)
		if err != nil || string(a.Commitment) == string(b.Commitment) {
			t.Errorf("CK-27, CK-31 two policies share a policy key: %v", err)
		}
		if len(a.AvailabilityWrapped) == 0 || len(a.Roots[0].Wrapped) == 0 || len(a.Roots[1].Wrapped) == 0 {
			t.Error("CK-9 a copy of the policy key is missing")
		}
		c.mustSeal("sharepoint", "nam:one", "nam:two")
		keys, err := w.rows.ContainerKeys(t.Context(), c.id, policy.Place{}, 10)
		if err != nil || len(keys) != 2 || string(keys[0].Wrapped) == string(keys[1].Wrapped) {
			t.Fatalf("CK-29 keys of two sites: %d, %v", len(keys), err)
		}
		for _, k := range keys {
			if k.Generation != nam.Generation || k.Geo != "nam" {
				t.Errorf("CK-7 the key of %s is under %s, geo %q", k.Container, k.Generation, k.Geo)
			}
		}
	})
}

// What Register stores is stored together: policy, generation, assignment and the work to come.
func TestRegisterIsOneTransaction(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		c := w.tenant().files()
		c.mustSeal("sharepoint", "one")
		var rows *failing
		config := w.config
		rows = &failing{Store: w.rows}
		config.Store = rows
		service := must(policy.New(config))
		rows.fails = true
		if _, err := service.Register(t.Context(), c.admin, "", pinned(1, c.keys)); err == nil {
			t.Fatal("registered without storing it")
		}
		wantGeo(t, "after the failure", c.mustGeo(""), policy.Unregistered, 0)
		rows.fails = false
		if _, err := service.Register(t.Context(), c.admin, "", pinned(1, c.keys)); err != nil {
			t.Fatal(err)
		}
		if st := c.mustGeo(""); st.Status.Operation == nil || st.Status.Operation.State != operation.Waiting {
			t.Errorf("the work to come: %+v", st.Status.Operation)
		}
	})
}

// failing is a store that cannot write.
type failing struct {
	policy.Store
	fails bool
}

func (f *failing) Apply(ctx context.Context, e policy.Edit) error {
	if f.fails {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	return f.Store.Apply(ctx, e)
}
