package workload

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
)

const (
	defaultMaxSize  = 8 << 30 // 8 GiB: a 5 GiB object passes with room to spare
	defaultPatience = time.Hour
	moveAttempts    = 4 // how often a generation may move under one write
)

// Policies says which generation of which policy new content belongs under.
type Policies interface {
	InForce(ctx context.Context, c hierarchy.Container) (hierarchy.Target, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store              // required
	Blobs    Blobs              // required
	Keys     *hierarchy.Keyring // required
	Policies Policies           // required
	Audit    audit.Recorder     // required: refusals, new containers and deletions are written here first

	// People returns the id that owns the mailbox of that name, the person's or the mailbox's
	// own; fault.NotFound if the tenant has none. Required: a mailbox is there before its content.
	People func(ctx context.Context, tenant, upn string) (oid string, err error)

	// Start stores an operation and lets it begin: operation.Runner.Start. Required for Reencrypt.
	Start func(ctx context.Context, op operation.Operation) (operation.Operation, error)
	// Rule says which policies cover a workload. Required for Reencrypt.
	Rule func(workload string) policy.Rule
	// Roles says who may have content encrypted anew; the default map if zero.
	Roles policy.Roles

	MaxSize  int64            // the longest content of one item in bytes; 8 GiB if 0
	Patience time.Duration    // how long a blob that stopped growing is left alone by Sweep; 1 h if 0
	Now      func() time.Time // time.Now if nil
}

// A Service keeps items. It is safe for concurrent use and starts no goroutine.
type Service struct {
	store    Store
	blobs    Blobs
	keys     *hierarchy.Keyring
	policies Policies
	audit    audit.Recorder
	people   func(ctx context.Context, tenant, upn string) (string, error)
	start    func(ctx context.Context, op operation.Operation) (operation.Operation, error)
	rule     func(workload string) policy.Rule
	roles    policy.Roles
	maxSize  int64
	patience time.Duration
	clock    func() time.Time
}

// New returns a Service ready for use. Run Sweep at the start and then from time to time.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Blobs == nil || c.Keys == nil || c.Policies == nil || c.Audit == nil || c.People == nil {
		return nil, errors.New("workload: Store, Blobs, Keys, Policies, Audit and People are required")
	}
	if c.MaxSize < 0 || c.Patience < 0 {
		return nil, errors.New("workload: MaxSize and Patience cannot be negative")
	}
	s := &Service{
		store: c.Store, blobs: c.Blobs, keys: c.Keys, policies: c.Policies, audit: c.Audit, people: c.People, start: c.Start, rule: c.Rule, roles: c.Roles,
		maxSize: c.MaxSize, patience: c.Patience, clock: c.Now,
	}
	if s.maxSize == 0 {
		s.maxSize = defaultMaxSize
	}
	if s.patience == 0 {
		s.patience = defaultPatience
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	return s, nil
}

// MaxSize returns the longest content of one item in bytes.
func (s *Service) MaxSize() int64 { return s.maxSize }

// now returns the time as it is stored: UTC, whole microseconds.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// newID returns a random GUID.
func newID() (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "internal error")
	}
	return id.String(), nil
}

// newContainerID returns a GUID that begins with the time: containers made one after the other
// lie one after the other in the database, and so do their keys, which are moved in that order.
func newContainerID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "internal error")
	}
	return id.String(), nil
}

// sealing returns the container's newest key, under the policy that is in force. A generation
// that stops being active between the two questions is asked for again.
func (s *Service) sealing(ctx context.Context, caller directory.Caller, c Container) (*hierarchy.Opened, error) {
	for attempt := 1; ; attempt++ {
		target, err := s.policies.InForce(ctx, KeyContainer(c))
		if err != nil {
			return nil, err
		}
		keys, err := s.keys.ForSealing(ctx, caller, KeyContainer(c), target)
		if err == nil {
			return keys, nil
		}
		f := fault.As(err)
		if f.Code != fault.Conflict || f.Reason != hierarchy.ReasonGenerationMoved || attempt == moveAttempts {
			return nil, err
		}
	}
}

// opening returns a version of the container's key that a row names. One that is missing is
// damage, not an answer to what the caller asked for.
func (s *Service) opening(ctx context.Context, caller directory.Caller, c Container, version int) (*hierarchy.Opened, error) {
	keys, err := s.keys.ForOpening(ctx, caller, KeyContainer(c), version)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Wrap(fault.Corrupt, err, "version %d of the key of container %s is missing", version, c.ref("")).
			WithReason(reasonMissingKey).
			WithHint("put back the rows of the container's keys from a backup of the database")
	}
	return keys, err
}

// reasonMissingKey is the reason of fault.Corrupt for a version of a container's key that is
// not there: lost, or destroyed since the row was read that names it.
const reasonMissingKey = "MissingKey"

func isMissingKey(err error) bool {
	return fault.Is(err, fault.Corrupt) && fault.As(err).Reason == reasonMissingKey
}

// isRetired reports whether something could not be written because the version of the
// container's key is on its way out.
func isRetired(err error) bool {
	return fault.Is(err, fault.Conflict) && fault.As(err).Reason == ReasonKeyRetired
}

// KeyContainer returns what the keys of a container are known by.
func KeyContainer(c Container) hierarchy.Container {
	return hierarchy.Container{Tenant: c.Tenant, ID: c.ID, Workload: c.Workload, Geo: c.Geo, Floor: c.Floor}
}
