package workload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// sites is the workload whose containers are sites.
const sites = "sharepoint"

const readSite action = "site.read"

// Site returns a site by its name, for those who may read policies for files, and for whoever may
// read it: where it is kept and which keys it has, not its content. The error is fault.NotFound if
// the tenant has no such site.
func (s *Service) Site(ctx context.Context, caller directory.Caller, name string) (Container, error) {
	ref := Ref{Workload: sites, Container: name}
	w, err := Find(sites)
	if err != nil {
		return Container{}, err
	}
	if err := checkContainerName(w, name); err != nil {
		return Container{}, err
	}
	c, err := s.store.Container(ctx, caller.Tenant, sites, name)
	if fault.Is(err, fault.NotFound) {
		c, err = Container{Tenant: caller.Tenant, Workload: sites, Name: name}, nil
	}
	if err != nil {
		return Container{}, err
	}
	if !s.roles.Allow(caller.Roles, policy.SharePoint, policy.Read) {
		if err := s.allow(ctx, caller, readSite, ref, c.Owner); err != nil {
			return Container{}, err
		}
	}
	if c.ID == "" {
		return Container{}, fault.New(fault.NotFound, "there is no site %s", name).WithReason("NoContainer").
			WithHint("a site is made by New-CKSite, or by the first file written to it")
	}
	return c, nil
}

// AddSite makes a site in one of the tenant's geos, the default one for "". It belongs to the
// person with that user principal name, or to the caller for "". It takes an administrator of
// policies for files: anybody else makes a site by writing to it. The error is fault.Conflict if there is one.
func (s *Service) AddSite(ctx context.Context, caller directory.Caller, name, geo, owner string) (Container, error) {
	c := Container{Tenant: caller.Tenant, Workload: sites, Name: name, Owner: caller.ID, Geo: strings.ToLower(geo)}
	if !s.roles.Allow(caller.Roles, policy.SharePoint, policy.Assign) || caller.Kind == directory.System {
		return c, s.refuseFor(ctx, caller, createContainer, c.ref(""), "it takes an administrator of sites",
			fmt.Sprintf("ask for the role %s, or write a file to the site: that makes it yours", directory.SharePointAdministrator))
	}
	w, err := Find(sites)
	if err != nil {
		return c, err
	}
	if err := checkContainerName(w, name); err != nil {
		return c, err
	}
	if err := s.hasGeo(ctx, &c); err != nil {
		return c, err
	}
	if owner != "" {
		if c.Owner, err = s.people(ctx, c.Tenant, owner); err != nil {
			return c, err
		}
	}
	if c.ID, err = newID(); err != nil {
		return c, err
	}
	c.Created = s.now()
	detail := map[string]string{"container": c.ID, "owner": c.Owner, "geo": c.Geo}
	if err := s.record(ctx, caller, createContainer, c.ref(""), audit.Allow, detail); err != nil {
		return c, err
	}
	if err := s.store.AddContainer(ctx, c); err != nil {
		_ = s.record(ctx, caller, createContainer, c.ref(""), audit.Fail, detail) // a courtesy: nothing took effect
		if fault.Is(err, fault.Conflict) {
			err = fault.Wrap(fault.Conflict, err, "there is a site %s already", name).WithReason(ReasonContainerTaken).
				WithHint("choose another name; a site stays in the geo in which it was made")
		}
		return c, err
	}
	return c, nil
}

// hasGeo checks the geo of a new site, or fills it in.
func (s *Service) hasGeo(ctx context.Context, c *Container) error {
	geos, err := s.Geos(ctx, c.Tenant)
	if err != nil {
		return err
	}
	if c.Geo == "" {
		c.Geo = geos[0].Name
	}
	names := make([]string, len(geos))
	for i, g := range geos {
		names[i] = g.Name
	}
	if !slices.Contains(names, c.Geo) {
		return fault.New(fault.NotFound, "the tenant has no geo %q", c.Geo).WithReason("NoGeo").
			WithHint("it has %s; operators of the service add others", strings.Join(names, ", "))
	}
	return nil
}
