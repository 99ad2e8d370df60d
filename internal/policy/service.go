package policy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/elapsed"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/rootcheck"
)

// Keys is the part of hierarchy.Keyring that policies need.
type Keys interface {
	NewGeneration(ctx context.Context, caller directory.Caller, tenant, policy string, number int, refs [2]hierarchy.RootRef, availabilityKey string) (hierarchy.Generation, error)
	NewHedged(ctx context.Context, caller directory.Caller, tenant, policy string, number int, refs [2]hierarchy.RootRef, availabilityKey string) (hierarchy.Generation, error)
	Restore(ctx context.Context, caller directory.Caller, g hierarchy.Generation, refs [2]hierarchy.RootRef) (hierarchy.Generation, error)
	Life(u hierarchy.Unwrapping) time.Duration
	Opens(ctx context.Context, g hierarchy.Generation, p hierarchy.Play) (users, service bool, err error)
	Rewrap(ctx context.Context, caller directory.Caller, key hierarchy.ContainerKey, to hierarchy.Generation) (hierarchy.ContainerKey, error)
	Drop(tenant, generation string)
	Probe(ctx context.Context, caller directory.Caller, g hierarchy.Generation) ([2]hierarchy.Probe, error)
	Health(tenant, uri string) (hierarchy.Health, bool)
}

// Config is what a Service needs.
type Config struct {
	Store        Store                      // required
	Keys         Keys                       // required: the hierarchy.Keyring
	Roots        Roots                      // required: parses key URIs and looks at keys
	Availability *availability.Service      // required
	Audit        audit.Recorder             // required: decisions are written here before they take effect
	Rule         func(workload string) Rule // required: the table of workloads
	Operations   Operations                 // required: long work

	// Roles says who may do what: the map of the requirements if zero.
	Roles Roles
	// Safe names the kinds of operations, beside the one that moves container keys, that
	// administrators may hold, slow down and stop.
	Safe []string

	// Vault returns what is known of a tenant's vault beside its keys, by the vault's name in
	// lower case; zero where nothing is. May be nil: then the same subscription twice is not
	// noticed (CK-165).
	Vault func(ctx context.Context, tenant, vault string) (VaultFacts, error)
	// Enabled reports whether a tenant may use a family; a family that it has a policy of is in
	// use already. All families if nil (row CK-157).
	Enabled func(ctx context.Context, tenant string, f Family) (bool, error)

	Requests   Requests   // what nobody decides alone; none of it can be asked for if nil
	Purging    *Purging   // what a purge needs; nothing can be purged if nil
	Recoveries Recoveries // the Keyring's; nothing can be recovered if nil

	RecoverySpan       time.Duration // how long a recovery lasts; 24 h if 0
	OffboardSharePoint bool          // SharePoint may go back to the service's keys

	// Wake is called after an operation was stored: operation.Runner.Wake. May be nil.
	Wake func()
	// SharePointAvailability is whom the availability key of SharePoint policies serves: all tenants
	// (availability.PerForest) if empty, or one (availability.PerTenant), which alone lets it be
	// destroyed for that tenant (CK-36). What was made under the other setting stays until a roll.
	SharePointAvailability availability.Kind
	// AvailabilityRoll is how old availability keys may get before they are rolled; 0: as old as they
	// like, until an operator asks (CK-33).
	AvailabilityRoll time.Duration
	// AvailabilityKeep is how long an availability key is kept after the last generation under it was
	// destroyed: as long as backups are, for in one of these it may be needed. 30 days if 0; at least
	// an hour, which is longer than a new policy takes from choosing its key to being stored.
	AvailabilityKeep time.Duration
	// Geos returns the names of a tenant's geos, that for new sites first, in lower case. May be
	// nil: then each tenant has one, "default".
	Geos func(ctx context.Context, tenant string) ([]string, error)
	// RecoveryLevel is the least that root keys must have: "Recoverable+ProtectedSubscription"
	// if empty, or "Recoverable" (CK-168, X-12).
	RecoveryLevel string
	// Settle is how long the work after an assignment waits before it looks a last time for
	// keys that a slow request, decided before the switch, has put under the former policy:
	// longer than any request takes from asking what is in force to using it. 2 s if 0.
	Settle time.Duration
	// Batch is how many container keys are moved in one transaction; 500 if 0.
	Batch int
	Now   func() time.Time // time.Now if nil
}

// A Service is the policies of all tenants. It is safe for concurrent use.
type Service struct {
	c    Config
	view bool // nothing that is done here stays: see WhatIf

	watch *elapsed.Watch // over recoveries that go on, by request
	lost  *lookAgain     // for availability keys that are not there
}

// maxPolicies bounds the policies of one family in a tenant: none can be removed (CK-127),
// and their list is held in memory.
const maxPolicies = 1000

// New returns a Service ready for use. It opens nothing and starts no goroutine.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Keys == nil || c.Roots == nil || c.Availability == nil || c.Audit == nil || c.Rule == nil || c.Operations == nil {
		return nil, errors.New("policy: Store, Keys, Roots, Availability, Audit, Rule and Operations are required")
	}
	if c.RecoveryLevel == "" {
		c.RecoveryLevel = rootcheck.Levels[len(rootcheck.Levels)-1]
	}
	if !slices.Contains(rootcheck.Levels, c.RecoveryLevel) {
		return nil, errors.New("policy: RecoveryLevel must be one of Recoverable, Recoverable+ProtectedSubscription")
	}
	if c.SharePointAvailability == "" {
		c.SharePointAvailability = availability.PerForest
	}
	if !c.SharePointAvailability.Valid() || !c.SharePointAvailability.Shared() {
		return nil, errors.New("policy: SharePointAvailability must be one of forest, tenant")
	}
	if c.Settle < 0 || c.Batch < 0 || c.AvailabilityRoll < 0 || c.RecoverySpan < 0 {
		return nil, errors.New("policy: Settle, Batch, AvailabilityRoll and RecoverySpan must not be negative")
	}
	if p := c.Purging; p != nil && (p.Store == nil || p.Ledger == nil || p.Shredder == nil || p.Request == nil || p.Head == nil) {
		return nil, errors.New("policy: all of Purging but Families is required")
	}
	if c.AvailabilityKeep == 0 {
		c.AvailabilityKeep = 30 * 24 * time.Hour
	}
	if c.AvailabilityKeep < time.Hour {
		return nil, errors.New("policy: AvailabilityKeep must be at least an hour")
	}
	if c.Settle == 0 {
		c.Settle = 2 * time.Second
	}
	if c.Batch == 0 {
		c.Batch = 500
	}
	if c.Wake == nil {
		c.Wake = func() {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c: c, watch: elapsed.New(nil), lost: new(lookAgain)}, nil
}

// now returns the time as the store keeps it.
func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }
