package workload_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/workload"
	wt "github.com/customerkey/customerkey/internal/workload/workloadtest"
)

var (
	siteAdmin   = directory.Caller{Tenant: wt.Contoso, ID: "51000000-0000-4000-8000-000000000007", Kind: directory.User, Roles: []directory.Role{directory.SharePointAdministrator}}
	siteReader  = directory.Caller{Tenant: wt.Contoso, ID: "51000000-0000-4000-8000-000000000008", Kind: directory.User, Roles: []directory.Role{directory.GlobalReader}}
	geoOperator = directory.Caller{Tenant: "0e000000-0000-4000-8000-000000000009", ID: "0e000000-0000-4000-8000-00000000000a", Kind: directory.User, Roles: []directory.Role{directory.ServiceOperator}}
	planFile    = workload.Ref{Workload: "sharepoint", Container: "marketing", Item: "plan.docx"}
)

// CK-298: a tenant has one geo until an operator gives it others; none is taken away.
func TestGeos(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	mustGeos := func(want ...string) {
		t.Helper()
		geos, err := w.Items.ListGeos(t.Context(), siteReader, wt.Contoso)
		var names []string
		for i, g := range geos {
			if names = append(names, g.Name); g.Default != (i == 0) {
				t.Errorf("%s is the default: %t", g.Name, g.Default)
			}
		}
		if d := cmp.Diff(want, names); err != nil || d != "" {
			t.Errorf("geos (-want +got):\n%s, %v", d, err)
		}
	}
	mustGeos(workload.HomeGeo)
	for _, g := range []workload.Geo{{Name: "EUR"}, {Name: "apc"}} {
		if err := w.Items.AddGeo(t.Context(), geoOperator, wt.Contoso, g); err != nil {
			t.Fatal(err)
		}
	}
	mustGeos(workload.HomeGeo, "apc", "eur")
	if err := w.Items.AddGeo(t.Context(), geoOperator, wt.Contoso, workload.Geo{Name: "Eur", Default: true}); err != nil {
		t.Fatal(err)
	}
	mustGeos("eur", "apc", workload.HomeGeo)

	for name, tt := range map[string]struct {
		caller directory.Caller
		geo    string
		code   fault.Code
	}{
		"the tenant's own administrator": {siteAdmin, "nam", fault.Forbidden},
		"one that is there":              {geoOperator, "APC", fault.Conflict},
		"no name":                        {geoOperator, "", fault.Invalid},
		"a path":                         {geoOperator, "../eur", fault.Invalid},
		"a long name":                    {geoOperator, strings.Repeat("e", 17), fault.Invalid},
		"letters that look alike":        {geoOperator, "\u0435ur", fault.Invalid},
	} {
		if err := w.Items.AddGeo(t.Context(), tt.caller, wt.Contoso, workload.Geo{Name: tt.geo}); fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Items.ListGeos(t.Context(), wt.Mallory, wt.Contoso); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another tenant's geos: %v", err)
	}
}

// CK-10, CK-13, CK-294, CK-298: a site is kept in the geo in which it was made, the default one unless
// another is named. Who administers sites sees their names, which are not sealed, and no file.
func TestSites(t *testing.T) {
	t.Parallel()
	w := wt.New(t, nil)
	if _, err := w.Items.AddSite(t.Context(), siteAdmin, "sales", "eur", ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("CK-298 a geo that the tenant does not have: %v", err)
	}
	if err := w.Items.AddGeo(t.Context(), geoOperator, wt.Contoso, workload.Geo{Name: "EUR"}); err != nil {
		t.Fatal(err)
	}
	c, err := w.Items.AddSite(t.Context(), siteAdmin, "sales", "EUR", "alice@contoso.example")
	if err != nil || c.Geo != "eur" || c.Owner != wt.Alice.ID {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := w.Items.AddSite(t.Context(), siteAdmin, "sales", "", ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("a site twice: %v", err)
	}
	if _, _, err := w.Items.Put(t.Context(), wt.Bob, planFile, workload.PutOptions{}, strings.NewReader("plan")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		caller directory.Caller
		site   string
		geo    string
		code   fault.Code
	}{
		{siteReader, "sales", "eur", ""},
		{siteAdmin, "marketing", workload.HomeGeo, ""},
		{wt.Bob, "marketing", workload.HomeGeo, ""},
		{wt.Alice, "marketing", "", fault.Forbidden},
		{wt.Alice, "nowhere", "", fault.Forbidden}, // what is not there looks the same
		{siteReader, "nowhere", "", fault.NotFound},
		{wt.Mallory, "sales", "", fault.Forbidden},
		{siteReader, "a/b", "", fault.Invalid},
	} {
		if got, err := w.Items.Site(t.Context(), tt.caller, tt.site); fault.CodeOf(err) != tt.code || got.Geo != tt.geo {
			t.Errorf("%s asks for %s: geo %q, %v", tt.caller.Name, tt.site, got.Geo, err)
		}
	}
	if _, err := w.Items.AddSite(t.Context(), wt.Alice, "own", "", ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a site made by no administrator: %v", err)
	}
	if _, err := w.Items.AddSite(t.Context(), siteAdmin, "x/y", "", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("a path for a name: %v", err)
	}
	if _, err := w.Items.List(t.Context(), siteAdmin, "sharepoint", "marketing", "", 0); !fault.Is(err, fault.Forbidden) {
		t.Errorf("CK-280 an administrator of sites sees what is in them: %v", err)
	}
	if all := workload.Workloads(); !slices.ContainsFunc(all, func(w workload.Workload) bool { return w.Name == "sharepoint" && w.Sites && !w.NewDataOnly }) {
		t.Errorf("CK-294: %+v", all)
	}
}
