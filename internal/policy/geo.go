package policy

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A GeoState says how files of a geo are covered. The numbers are those of row CK-142.
type GeoState int

const (
	Unregistered GeoState = iota // no policy: the keys of the service
	Registering                  // a policy for the first time, and sites on their way under it
	Registered                   // all sites are under the policy
	Rolling                      // a root was changed, and sites are on their way under the new keys
	Recovering                   // both roots are lost: new ones may be put in their place
)

// String returns the state as it is printed (CK-143).
func (g GeoState) String() string {
	names := [...]string{"Unregistered", "Registering", "Registered", "Rolling", "Recovering"}
	if g < 0 || int(g) >= len(names) {
		return "Unknown"
	}
	return names[g]
}

// A GeoStatus is how files of a geo are covered (CK-144).
type GeoStatus struct {
	Geo     string
	State   GeoState
	Percent int   // of the sites, how many are under the newest keys; for one change it never goes back
	Sites   int64 // that have keys

	Recovery time.Time     // until when RestoreGeo may be used; zero if it may not
	Bound    time.Duration // the longest that taking both roots back can go unnoticed (CK-72)
	Status   Status        // of the policy; zero while there is none
}

// defaultGeo is the only geo where the wiring names none.
const defaultGeo = "default"

// geo returns the canonical name of a tenant's geo, that of the default one for "". It is
// fault.NotFound for one that the tenant does not have.
func (s *Service) geo(ctx context.Context, tenant, name string) (string, error) {
	geos := []string{defaultGeo}
	if s.c.Geos != nil {
		var err error
		if geos, err = s.c.Geos(ctx, tenant); err != nil {
			return "", err
		}
	}
	name = strings.ToLower(name)
	switch {
	case name == "" && len(geos) > 0:
		return geos[0], nil
	case slices.Contains(geos, name):
		return name, nil
	}
	return "", fault.New(fault.NotFound, "the organization has no geo %q", clip(name)).WithReason("NoGeo").
		WithHint("it has %s", strings.Join(geos, ", "))
}

// Geo tells how files of a geo of the caller's tenant are covered, of the default one for "".
func (s *Service) Geo(ctx context.Context, caller directory.Caller, geo string) (GeoStatus, error) {
	if err := s.authorize(ctx, caller, SharePoint, Read, clip(geo), nil); err != nil {
		return GeoStatus{}, err
	}
	geo, err := s.geo(ctx, caller.Tenant, geo)
	if err != nil {
		return GeoStatus{}, err
	}
	st, err := s.geoStatus(ctx, caller.Tenant, geo)
	if err != nil || st.State == Unregistered {
		return st, err
	}
	st.Status.Availability, err = s.availabilityKey(ctx, caller, st.Status.Policy)
	return st, err
}

// geoStatus looks at the policy in force in a geo.
func (s *Service) geoStatus(ctx context.Context, tenant, geo string) (GeoStatus, error) {
	st := GeoStatus{Geo: geo, Bound: s.c.Keys.Life(hierarchy.Hedged)}
	standing, err := s.c.Store.InForce(ctx, tenant)
	if err != nil {
		return st, err
	}
	at := inForce(standing, SharePoint, geo)
	if at.Policy == "" {
		return st, nil
	}
	picture, err := s.c.Store.Picture(ctx, tenant, at.Policy, converge)
	if err != nil {
		return st, err
	}
	st.Status = s.summary(picture)
	s.health(&st.Status)
	if st.Percent, st.Sites, err = s.progress(ctx, picture, geo); err != nil {
		return st, err
	}
	p := picture.Policy
	left, err := s.recovery(ctx, p)
	if err != nil {
		return st, err
	}
	if left > 0 {
		st.Recovery = s.now().Add(left)
	}
	switch {
	case !st.Recovery.IsZero():
		st.State = Recovering
	case st.Percent == 100:
		st.State = Registered
	case p.Number == 1:
		st.State = Registering
	default:
		st.State = Rolling
	}
	return st, nil
}

// progress returns how many percent of a geo's sites are under the policy's newest generation,
// never less than was shown of that generation before, and how many sites there are.
func (s *Service) progress(ctx context.Context, p Picture, geo string) (percent int, sites int64, err error) {
	var settled int64
	for _, u := range p.Usage {
		if s.c.Rule(u.Workload).Family != SharePoint || u.Geo != geo {
			continue
		}
		if sites += u.Keys; u.Generation == p.Policy.Generation {
			settled += u.Keys
		}
	}
	percent = 100
	if sites > 0 {
		percent = int(100 * settled / sites)
	}
	shown, err := s.c.Store.Progress(ctx, p.Policy.Tenant, p.Policy.Generation)
	if err != nil {
		return 0, 0, err
	}
	if percent > shown {
		_ = s.c.Store.RaiseProgress(ctx, p.Policy.Tenant, p.Policy.Generation, percent) // a full disk hides nothing
	}
	return max(percent, shown), sites, nil
}

// A SiteStatus is how one site stands (CK-138).
type SiteStatus struct {
	State  GeoState  // of the site: Registered once its key is under the newest keys of its geo
	KeyIDs [2]string // versions of the roots that its key depends on
	Geo    GeoStatus // of the geo that it is in
}

// Site tells how a site of the caller's tenant stands. It is fault.Conflict with reason
// "Unregistered" if the geo of the site has no policy.
func (s *Service) Site(ctx context.Context, caller directory.Caller, of hierarchy.Container) (SiteStatus, error) {
	if err := s.authorize(ctx, caller, SharePoint, Read, clip(of.ID), nil); err != nil {
		return SiteStatus{}, err
	}
	of.Tenant = caller.Tenant
	geo, err := s.geoStatus(ctx, of.Tenant, of.Geo)
	if err != nil {
		return SiteStatus{}, err
	}
	if geo.State == Unregistered {
		return SiteStatus{}, errUnregistered(geo)
	}
	p := geo.Status.Policy
	c := Coverage{Policy: p, Generation: p.Generation}
	if err := s.coverKeys(ctx, of, &c); err != nil {
		return SiteStatus{}, err
	}
	g, err := s.c.Store.Generation(ctx, of.Tenant, c.Generation)
	if err != nil {
		return SiteStatus{}, err
	}
	st := SiteStatus{State: Registered, Geo: geo, KeyIDs: [2]string{g.Roots[0].KeyID, g.Roots[1].KeyID}}
	switch {
	case c.Settled == c.Keys:
	case p.Number == 1:
		st.State = Registering
	default:
		st.State = Rolling
	}
	return st, nil
}

func errUnregistered(geo GeoStatus) error {
	return fault.New(fault.Conflict, "files of the geo %s are under the keys of the service", geo.Geo).WithReason(ReasonUnregistered).
		WithHint("put them under your own first: Register-%s", SharePoint.Noun())
}
