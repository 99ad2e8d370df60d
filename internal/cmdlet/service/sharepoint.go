package service

import (
	"context"
	"net/url"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// What the rows of the SharePoint family do. Rights are checked and recorded by the packages
// policy and workload.

// rootKey returns the root key that a call gives for a side: "Primary", "Secondary" or "".
func rootKey(a cmdlet.Args, side string) policy.RootKey {
	return policy.RootKey{
		URI:   a.Text(side + "KeyVaultUri"),
		Vault: a.Text(side + "KeyVaultName"), Name: a.Text(side + "KeyName"), Version: a.Text(side + "KeyVersion"),
	}
}

func registerGeo(ctx context.Context, s Services, call *Call) error {
	geo, err := connected(ctx, s, call)
	if err != nil {
		return err
	}
	keys := [2]policy.RootKey{rootKey(call.Args, "Primary"), rootKey(call.Args, "Secondary")}
	var st policy.GeoStatus
	done, err := perform(ctx, s, call, "Put files under your own root keys, for good", "the geo "+geo, func(a policy.Acts) (err error) {
		st, err = a.Register(ctx, call.Caller, geo, keys)
		return err
	})
	if err != nil || !done {
		return err
	}
	call.changed(st.Status.Policy.ID, nil, policyProperties(st.Status.Policy))
	return emitGeo(ctx, s, call, st)
}

// checkUpdateGeo refuses the third key type: the availability key is for the service to roll
// (row CK-134).
func checkUpdateGeo(args cmdlet.Args) error {
	if args.Text("KeyType") == "Availability" {
		return cmdlet.BindError("the availability key cannot be changed: the service rolls it").WithHint("give -KeyType Primary or -KeyType Secondary")
	}
	return nil
}

func updateGeo(ctx context.Context, s Services, call *Call) error {
	var keys [2]*policy.RootKey
	what := "Roll the secondary root key of files"
	switch key := rootKey(call.Args, ""); {
	case call.Args.On("Replace"):
		first, second := rootKey(call.Args, "Primary"), rootKey(call.Args, "Secondary")
		keys, what = [2]*policy.RootKey{&first, &second}, "Replace both root keys of files"
	case call.Args.Text("KeyType") == "Primary":
		keys[0], what = &key, "Roll the primary root key of files"
	default:
		keys[1] = &key
	}
	return changeGeo(ctx, s, call, what, func(a policy.Acts, geo string) (policy.GeoStatus, error) {
		return a.ChangeRoots(ctx, call.Caller, geo, keys)
	})
}

func restoreGeo(ctx context.Context, s Services, call *Call) error {
	keys := [2]policy.RootKey{rootKey(call.Args, "Primary"), rootKey(call.Args, "Secondary")}
	return changeGeo(ctx, s, call, "Open files by the availability key and put them under new root keys", func(a policy.Acts, geo string) (policy.GeoStatus, error) {
		return a.RestoreGeo(ctx, call.Caller, geo, keys)
	})
}

// changeGeo changes the root keys of a geo that has some, and shows it afterwards.
func changeGeo(ctx context.Context, s Services, call *Call, what string, act func(a policy.Acts, geo string) (policy.GeoStatus, error)) error {
	geo, err := connected(ctx, s, call)
	if err != nil {
		return err
	}
	was, err := s.Policies.Geo(ctx, call.Caller, geo)
	if err != nil {
		return err
	}
	var st policy.GeoStatus
	done, err := perform(ctx, s, call, what, "the geo "+geo, func(a policy.Acts) (err error) {
		st, err = act(a, geo)
		return err
	})
	if err != nil || !done {
		return err
	}
	call.changed(st.Status.Policy.ID, policyProperties(was.Status.Policy), policyProperties(st.Status.Policy))
	return emitGeo(ctx, s, call, st)
}

func getGeoPolicy(ctx context.Context, s Services, call *Call) error {
	geo, err := connected(ctx, s, call)
	if err != nil {
		return err
	}
	st, err := s.Policies.Geo(ctx, call.Caller, geo)
	if err != nil {
		return err
	}
	return emitGeo(ctx, s, call, st)
}

// emitGeo shows how files of a geo are covered.
func emitGeo(ctx context.Context, s Services, call *Call, st policy.GeoStatus) error {
	var h health.Report
	if st.State != policy.Unregistered {
		var err error
		if h, err = healthOf(ctx, s, call, st.Status.Policy); err != nil {
			return err
		}
	}
	return call.Host.Object(geoPolicyObject(st, h))
}

// connected returns the geo that the call is about: the one it names, or that for new sites. An
// address of an admin site must be that geo's (row X-10).
func connected(ctx context.Context, s Services, call *Call) (string, error) {
	geos, err := s.Items.Geos(ctx, call.Caller.Tenant)
	if err != nil {
		return "", err
	}
	geo := strings.ToLower(call.Args.Text("Geo"))
	if geo == "" {
		geo = geos[0].Name
	}
	identity := call.Args.Text("Identity")
	if identity == "" {
		return geo, nil
	}
	_, domain, err := s.Tenant(ctx, call.Caller.Tenant)
	if err != nil {
		return "", err
	}
	prefix, _, _ := strings.Cut(domain, ".")
	if geo != geos[0].Name {
		prefix += geo
	}
	u, err := url.Parse(identity)
	if err == nil && u.Scheme == "https" && u.User == nil {
		if label, _, _ := strings.Cut(u.Hostname(), "."); strings.EqualFold(label, prefix+"-admin") {
			return geo, nil
		}
	}
	return "", fault.New(fault.Invalid, "%s is not the admin site of the geo %s of your organization", cmdlet.Quote(identity), geo).WithReason("X-10").
		WithHint("leave -Identity out: -Geo says which geo is meant; the address would begin with https://%s-admin", prefix)
}

func getSitePolicy(ctx context.Context, s Services, call *Call) error {
	site, err := s.Items.Site(ctx, call.Caller, siteName(call.Args.Text("Identity")))
	if err != nil {
		return err
	}
	st, err := s.Policies.Site(ctx, call.Caller, workload.KeyContainer(site))
	if err != nil {
		return err
	}
	return call.Host.Object(sitePolicyObject(site, st))
}

// siteName returns the name of a site from its address, or what is no address as it is.
func siteName(identity string) string {
	u, err := url.Parse(identity)
	if err != nil || u.Scheme != "https" {
		return identity
	}
	path := strings.Trim(u.Path, "/")
	return path[strings.LastIndex(path, "/")+1:]
}

func getGeos(ctx context.Context, s Services, call *Call) error {
	tenant, err := tenantOf(ctx, s, call)
	if err != nil {
		return err
	}
	geos, err := s.Items.ListGeos(ctx, call.Caller, tenant)
	if err != nil {
		return err
	}
	for _, g := range geos {
		if err := call.Host.Object(geoObject(g)); err != nil {
			return err
		}
	}
	return nil
}

// tenantOf returns the id of the organization that the call names, or the caller's own. Only an
// operator's word is looked up: nobody else learns which organizations there are.
func tenantOf(ctx context.Context, s Services, call *Call) (string, error) {
	name := call.Args.Text("Tenant")
	switch {
	case name == "":
		return call.Caller.Tenant, nil
	case !call.Caller.Has(directory.ServiceOperator):
		return name, nil
	}
	id, _, err := s.Tenant(ctx, name)
	return id, err
}

func addGeo(ctx context.Context, s Services, call *Call) error {
	tenant, err := tenantOf(ctx, s, call)
	if err != nil {
		return err
	}
	call.concerns(tenant)
	g := workload.Geo{Name: strings.ToLower(call.Args.Text("Geo")), Default: call.Args.On("Default")}
	_, done, err := change(call, "Add the geo "+g.Name, call.Args.Text("Tenant"),
		func() (none, error) { return none{}, s.Items.AddGeo(ctx, call.Caller, tenant, g) },
		func(none) (foresight, error) { return foreseeGeo(ctx, s, tenant, g) })
	if err != nil || !done {
		return err
	}
	return call.Host.Object(geoObject(g))
}

func newSite(ctx context.Context, s Services, call *Call) error {
	name := call.Args.Text("Name")
	site, done, err := change(call, "Make a site", name,
		func() (workload.Container, error) {
			return s.Items.AddSite(ctx, call.Caller, name, call.Args.Text("Geo"), call.Args.Text("Owner"))
		},
		func(site workload.Container) (foresight, error) { return foreseeSite(ctx, s, site) })
	if err != nil || !done {
		return err
	}
	call.about(site.ID)
	return call.Host.Object(siteObject(site))
}

func siteObject(site workload.Container) cmdlet.Object {
	return cmdlet.Object{Type: siteType, Fields: []cmdlet.Field{
		{Name: "Name", Value: site.Name}, {Name: "Geo", Value: site.Geo}, {Name: "Owner", Value: cmdlet.GUID(site.Owner)}, {Name: "Guid", Value: cmdlet.GUID(site.ID)}, {Name: "DateCreated", Value: site.Created},
	}}
}
