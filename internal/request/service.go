package request

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/elapsed"
)

// Config is what a Service needs.
type Config struct {
	Store    Store          // required
	Audit    audit.Recorder // required: decisions are written here before they take effect
	Kinds    map[Kind]Rule  // what can be asked for; the kind [OfficerKind] is always there
	Families []string       // for which officers can be named
	// Person returns id and name of somebody of a tenant; fault.NotFound. Required.
	Person func(ctx context.Context, tenant, idOrName string) (id, name string, err error)
	Wake   func()               // called after an operation was stored: operation.Runner.Wake. May be nil
	Log    *slog.Logger         // what an operator must hear of; slog.Default if nil
	Now    func() time.Time     // time.Now if nil
	Uptime func() time.Duration // see elapsed.New
}

// A Service is the requests and officers of all tenants. It is safe for concurrent use.
type Service struct {
	c      Config
	kinds  map[Kind]Rule
	askers []directory.Role // of any kind
	watch  *elapsed.Watch   // over waiting periods
}

// New returns a Service ready for use. It opens nothing and starts no goroutine.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Audit == nil || c.Person == nil {
		return nil, errors.New("request: Store, Audit and Person are required")
	}
	kinds := maps.Clone(c.Kinds)
	if kinds == nil {
		kinds = map[Kind]Rule{}
	}
	kinds[OfficerKind] = officerRule
	var askers []directory.Role
	for k, r := range kinds {
		if err := r.check(k); err != nil {
			return nil, err
		}
		askers = append(askers, r.Askers...)
	}
	if c.Wake == nil {
		c.Wake = func() {}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c: c, kinds: kinds, askers: askers, watch: elapsed.New(c.Uptime)}, nil
}

// now returns the time as the store keeps it.
func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }

// at returns the time for a change of r: never before a time that r has seen.
func (s *Service) at(r Request) time.Time { return later(s.now(), r.Updated) }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// personOf is the caller as a request names people.
func personOf(c directory.Caller) Person { return Person{Tenant: c.Tenant, ID: c.ID, Name: c.Name} }

// readers may see all requests and officers of their tenant.
var readers = []directory.Role{
	directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.ExchangeAdministrator, directory.SharePointAdministrator,
	directory.GlobalReader,
}

func (s *Service) isFamily(f string) bool { return slices.Contains(s.c.Families, f) }
