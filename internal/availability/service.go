package availability

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// forestLog is whose log tells of the forest's key where no tenant asked.
const forestLog = "forest"

// Config is what a Service needs.
type Config struct {
	Store Store            // required: a database of its own
	Seal  *seal.Seal       // required: the seal of that database
	Audit audit.Recorder   // required: the log in that database
	Now   func() time.Time // time.Now if nil
}

// A Service makes and uses availability keys. It is safe for concurrent use and starts no
// goroutine.
type Service struct{ c Config }

// New returns a Service ready for use.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Audit == nil || c.Seal == nil {
		return nil, errors.New("availability: Store, Audit and Seal are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c: c}, nil
}

// Create returns the id of the newest key of a scope, made if there is none (CK-230).
func (s *Service) Create(ctx context.Context, caller directory.Caller, of Scope) (id string, err error) {
	return s.Renew(ctx, caller, of, time.Time{})
}

// Renew returns the id of the newest key of a scope, made now unless it was made at since or
// later: asking again after a crash makes no second one. The key before it goes on unwrapping.
func (s *Service) Renew(ctx context.Context, caller directory.Caller, of Scope, since time.Time) (id string, err error) {
	if err := of.check(); err != nil {
		return "", err
	}
	if err := belongs(caller, of.Tenant); err != nil {
		return "", err
	}
	newest, err := s.c.Store.Newest(ctx, of)
	if err == nil && newest.Serves(since) {
		return newest.ID, nil
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	k := Key{Facts: Facts{ID: uuid.NewString(), Kind: of.Kind, Created: latest(s.now(), since)}}
	k.Tenant, k.Policy = of.Home()
	if err := s.record(ctx, caller, of.Tenant, k.Facts, "create", audit.Allow); err != nil {
		return "", err
	}
	defer s.c.Seal.Enter()()
	if k.Sealed, err = s.fresh(k.Facts); err != nil {
		return "", err
	}
	kept, err := s.c.Store.AddKey(ctx, k, since)
	return kept.ID, err
}

// Serves reports whether a key is what Renew asks for.
func (f Facts) Serves(since time.Time) bool {
	return f.Destroyed.IsZero() && !f.Created.Before(since.Truncate(time.Microsecond))
}

// latest keeps a clock that was set back from making a key that is too old as soon as it is made.
func latest(now, since time.Time) time.Time {
	if now.Before(since) {
		return since.UTC().Truncate(time.Microsecond)
	}
	return now
}

// Facts returns what may be told of a key of the tenant or of its forest; fault.NotFound.
func (s *Service) Facts(ctx context.Context, caller directory.Caller, tenant, id string) (Facts, error) {
	k, err := s.key(ctx, caller, tenant, id)
	return k.Facts, err
}

// Destroy overwrites an availability key for ever; its id and times stay. Destroying it
// again changes nothing. Only the customer may have it asked for (CK-35): that is checked above.
// The forest's key, tenant "", serves others too, so it is refused for any one tenant: fault.Conflict
// with ReasonShared.
func (s *Service) Destroy(ctx context.Context, caller directory.Caller, tenant, id string) error {
	k, err := s.key(ctx, caller, tenant, id)
	if err != nil {
		return err
	}
	if k.Tenant != tenant {
		return fault.New(fault.Conflict, "the availability key serves all tenants and is not destroyed for one").WithReason(ReasonShared).
			WithHint("it takes a service started with --sharepoint-availability tenant, and a roll of the key after that")
	}
	if err := s.record(ctx, caller, tenant, k.Facts, "destroy", audit.Allow); err != nil {
		return err
	}
	return s.c.Store.DestroyKey(ctx, tenant, id, s.now())
}

// key reads a key for a caller of the tenant.
func (s *Service) key(ctx context.Context, caller directory.Caller, tenant, id string) (Key, error) {
	if err := belongs(caller, tenant); err != nil {
		return Key{}, err
	}
	return s.c.Store.Key(ctx, tenant, id)
}

func (s *Service) record(ctx context.Context, caller directory.Caller, tenant string, f Facts, verb string, d audit.Decision) error {
	err := s.c.Audit.Record(ctx, audit.Entry{
		Tenant: cmp.Or(tenant, forestLog), Caller: caller, Action: "availabilitykey." + verb, Object: f.ID, Decision: d,
		Detail: map[string]string{"scope": string(f.Kind), "policy": f.Policy},
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the log of the availability keys cannot be written, so none was used").
			WithReason("NotRecorded").WithHint("check the availability database, then try again")
	}
	return nil
}

// now returns the time as the store keeps it.
func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }

// belongs keeps people and apps in their own tenant, whatever the layers above checked.
func belongs(caller directory.Caller, tenant string) error {
	if caller.Kind == directory.System || (caller.Tenant == tenant && tenant != "") {
		return nil
	}
	return fault.New(fault.NotFound, "there is no such availability key")
}
