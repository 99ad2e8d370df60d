package workload

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Geo is a place in which a tenant's sites are kept (CK-298). A policy for files covers one.
type Geo struct {
	Name    string // 2 to 16 letters and digits, lower case
	Default bool   // new sites are kept here unless another geo is named
}

// HomeGeo is the geo that every tenant has. Most have no other.
const HomeGeo = "default"

// maxGeos bounds the geos of a tenant.
const maxGeos = 100

const (
	listGeos action = "geo.list"
	addGeo   action = "geo.add"
)

// Geos returns the geos of a tenant, the default one first, then by name. It is for the wiring
// too, so there is no caller: which geos there are is no secret inside a tenant.
func (s *Service) Geos(ctx context.Context, tenant string) ([]Geo, error) {
	geos, err := s.store.Geos(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if len(geos) == 0 {
		return []Geo{{Name: HomeGeo, Default: true}}, nil
	}
	slices.SortStableFunc(geos, func(a, b Geo) int {
		if a.Default != b.Default {
			return map[bool]int{true: -1, false: 1}[a.Default]
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return geos, nil
}

// ListGeos is Geos for a caller: in its own tenant, or in any for an operator of the service.
func (s *Service) ListGeos(ctx context.Context, caller directory.Caller, tenant string) ([]Geo, error) {
	if caller.Tenant == "" || caller.Tenant != tenant && !caller.Has(directory.ServiceOperator) {
		return nil, s.refuseFor(ctx, caller, listGeos, Ref{Workload: "geos"}, "they are of another tenant", "leave the tenant out to see those of your own")
	}
	return s.Geos(ctx, tenant)
}

// AddGeo gives a tenant another geo, or makes one that it has the default for new sites. Only
// operators of the service do that, in any tenant. Sites stay where they are, and no geo is ever
// taken away: there may be content in it.
func (s *Service) AddGeo(ctx context.Context, caller directory.Caller, tenant string, g Geo) error {
	if !caller.Has(directory.ServiceOperator) {
		return s.refuseFor(ctx, caller, addGeo, Ref{Workload: "geos"}, "only operators of the service give a tenant geos", "ask the operator of the service")
	}
	g.Name = strings.ToLower(g.Name)
	if err := checkGeo(g.Name); err != nil {
		return err
	}
	geos, err := s.Geos(ctx, tenant)
	if err != nil {
		return err
	}
	has := slices.ContainsFunc(geos, func(one Geo) bool { return one.Name == g.Name })
	if len(geos) >= maxGeos && !has {
		return fault.New(fault.Conflict, "the tenant has %d geos, which is the most", maxGeos).WithHint("use one of them")
	}
	if has && !g.Default {
		return fault.New(fault.Conflict, "the tenant has the geo %s already", g.Name).WithHint("make it the one for new sites with -Default")
	}
	entry := audit.Entry{
		Tenant: tenant, Caller: caller, Action: string(addGeo), Object: g.Name, Decision: audit.Allow,
		Detail: map[string]string{"default": strconv.FormatBool(g.Default)},
	}
	if err := s.audit.Record(ctx, entry); err != nil {
		return err
	}
	if err := s.store.PutGeos(ctx, tenant, append(geos, g), s.now()); err != nil {
		entry.Decision = audit.Fail
		_ = s.audit.Record(ctx, entry) // a courtesy: nothing took effect
		return err
	}
	return nil
}

func checkGeo(name string) error {
	odd := func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') }
	if len(name) < 2 || len(name) > 16 || strings.ContainsFunc(name, odd) {
		return fault.New(fault.Invalid, "the name of a geo has 2 to 16 letters and digits").WithHint("name it like EUR or NAM")
	}
	return nil
}

// geoOfNew returns where a new container is kept unless somebody says otherwise.
func (s *Service) geoOfNew(ctx context.Context, c Container) (string, error) {
	w, err := Find(c.Workload)
	if err != nil || !w.Sites {
		return "", err
	}
	geos, err := s.Geos(ctx, c.Tenant)
	if err != nil {
		return "", err
	}
	return geos[0].Name, nil
}
