package onboarding

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/resourcemanager"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// Store keeps reports, and which families are enabled. Errors are faults; every method is one
// transaction.
type Store interface {
	// Add stores a report, and forgets the oldest of a tenant beyond [MaxReports].
	Add(ctx context.Context, r Report) error
	// Report returns one of a tenant's; fault.NotFound.
	Report(ctx context.Context, tenant, id string) (Report, error)
	// Reports returns a tenant's, newest first.
	Reports(ctx context.Context, tenant string) ([]Report, error)
	// Enable enables a family; one that is enabled stays so.
	Enable(ctx context.Context, tenant string, f policy.Family, request string, at time.Time) error
	// Enabled reports whether a family is.
	Enabled(ctx context.Context, tenant string, f policy.Family) (bool, error)
}

// MaxReports is how many reports of a tenant are kept.
const MaxReports = 200

// Requests is the part of request.Service that onboarding needs.
type Requests interface {
	Ask(ctx context.Context, c directory.Caller, a request.Ask) (request.Request, error)
	Look(ctx context.Context, tenant, id string) (request.Request, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store                   // required
	Audit    audit.Recorder          // required: decisions are written here before they take effect
	Requests Requests                // required
	Places   *resourcemanager.Client // required: asks about subscriptions and vaults
	Roots    *rootkey.Client         // required: asks for keys
	Gate     Gate                    // required
	Roles    policy.Roles            // who may do what with policies; the default if zero

	// Tenant returns the id of the organization of that id or domain; fault.NotFound. Required.
	Tenant func(ctx context.Context, idOrDomain string) (string, error)
	// Used reports whether a vault, by its name, holds a root of a policy of the tenant. Required.
	Used func(ctx context.Context, tenant, host string) (bool, error)

	// Licensed reports whether anybody in the tenant has a licence that includes Customer Key. Nobody
	// needs one if nil.
	Licensed func(ctx context.Context, tenant string) (bool, error)

	RecoveryLevel string           // required: the least that keys must have (row CK-168)
	RefusedOffers []string         // beginnings of the offers that do not count as paid (rows CK-180, X-21); DefaultRefusedOffers if nil
	Timeout       time.Duration    // for all checks of one request; 1 minute if 0
	Now           func() time.Time // time.Now if nil
}

// A Service is the onboarding of all tenants. It is safe for concurrent use.
type Service struct{ c Config }

// New returns a Service ready for use. It opens nothing and starts no goroutine.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Audit == nil || c.Requests == nil || c.Places == nil || c.Roots == nil || c.Tenant == nil || c.Used == nil || c.RecoveryLevel == "" {
		return nil, errors.New("onboarding: Store, Audit, Requests, Places, Roots, Tenant, Used and RecoveryLevel are required")
	}
	if _, err := Rules(c.Gate); err != nil {
		return nil, err
	}
	if c.RefusedOffers == nil {
		c.RefusedOffers = DefaultRefusedOffers
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c: c}, nil
}

// Enabled reports whether a tenant may use a family of policies.
func (s *Service) Enabled(ctx context.Context, tenant string, f policy.Family) (bool, error) {
	if s.c.Gate == Open {
		return true, nil
	}
	return s.c.Store.Enabled(ctx, tenant, f)
}

// Grant enables a family without checks, in the name of the service itself: for what it sets up.
func (s *Service) Grant(ctx context.Context, c directory.Caller, f policy.Family) error {
	if c.Kind != directory.System || c.Tenant == "" {
		return fault.New(fault.Forbidden, "only the service itself enables a family without a request")
	}
	if err := s.record(ctx, c, "onboarding.grant", string(f), audit.Allow, nil); err != nil {
		return err
	}
	return s.c.Store.Enable(ctx, c.Tenant, f, "", s.now())
}

// now returns the time as the store keeps it.
func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) record(ctx context.Context, c directory.Caller, action, object string, d audit.Decision, detail map[string]string) error {
	err := s.c.Audit.Record(ctx, audit.Entry{Tenant: c.Tenant, Caller: c, Action: action, Object: object, Decision: d, Detail: detail})
	if err != nil && fault.CodeOf(err) == fault.Internal {
		return fault.Wrap(fault.Unavailable, err, "the decision cannot be recorded, so nothing was done").WithHint("try again")
	}
	return err
}
