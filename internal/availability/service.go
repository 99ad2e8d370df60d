package availability

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// A Key is a stored availability key. Sealed is the key under the seal of the database (155
// bytes; 138 where it names no sealing key), empty once it is destroyed.
type Key struct {
	Tenant, ID, Policy string // GUIDs
	Sealed             []byte
	Created, Destroyed time.Time // Destroyed is zero while the key lives
}

// Store keeps availability keys.
type Store interface {
	AddKey(ctx context.Context, k Key) error
	// Key returns a key, destroyed ones too; fault.NotFound if the tenant has none of that id.
	Key(ctx context.Context, tenant, id string) (Key, error)
	// DestroyKey empties Sealed and sets Destroyed, unless it is set already.
	DestroyKey(ctx context.Context, tenant, id string, at time.Time) error
}

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

// Create makes the availability key of a policy and returns its id.
func (s *Service) Create(ctx context.Context, caller directory.Caller, tenant, policy string) (id string, err error) {
	if err := belongs(caller, tenant); err != nil {
		return "", err
	}
	k := Key{Tenant: tenant, ID: uuid.NewString(), Policy: policy, Created: s.c.Now().UTC().Truncate(time.Microsecond)}
	if err := s.record(ctx, caller, k, "create", audit.Allow); err != nil {
		return "", err
	}
	clear := envelope.NewKey()
	defer clear.Destroy()
	defer s.c.Seal.Enter()()
	if k.Sealed, err = s.c.Seal.WrapKey(clear, binding(k)); err != nil {
		return "", err
	}
	return k.ID, s.c.Store.AddKey(ctx, k)
}

// Wrap wraps key under an availability key. The associated data says what the key is; the
// same is needed to unwrap it. The result is envelope.WrappedSize bytes.
func (s *Service) Wrap(ctx context.Context, caller directory.Caller, tenant, id string, key envelope.Key, aad []byte) (wrapped []byte, err error) {
	err = s.use(ctx, caller, tenant, id, "wrap", func(clear envelope.Key) error {
		wrapped, err = envelope.WrapKey(clear, key, wrapBinding(tenant, id, aad))
		return err
	})
	return wrapped, err
}

// Unwrap opens what Wrap made; fault.Corrupt if it was changed or belongs elsewhere. A key
// that was destroyed is fault.Conflict with Reason "KeyDestroyed".
func (s *Service) Unwrap(ctx context.Context, caller directory.Caller, tenant, id string, wrapped, aad []byte) (key envelope.Key, err error) {
	err = s.use(ctx, caller, tenant, id, "unwrap", func(clear envelope.Key) error {
		key, err = envelope.UnwrapKey(clear, wrapped, wrapBinding(tenant, id, aad))
		return err
	})
	return key, err
}

// Destroy overwrites an availability key for ever; its id and times stay. Destroying it
// again changes nothing. Only the customer may have it asked for (CK-35): that is checked above.
func (s *Service) Destroy(ctx context.Context, caller directory.Caller, tenant, id string) error {
	k, err := s.key(ctx, caller, tenant, id)
	if err != nil {
		return err
	}
	if err := s.record(ctx, caller, k, "destroy", audit.Allow); err != nil {
		return err
	}
	return s.c.Store.DestroyKey(ctx, tenant, id, s.c.Now())
}

// use runs fn with a clear availability key once the use is recorded.
func (s *Service) use(ctx context.Context, caller directory.Caller, tenant, id, verb string, fn func(clear envelope.Key) error) error {
	defer s.c.Seal.Enter()() // the key is read here and opened below
	k, err := s.key(ctx, caller, tenant, id)
	if err != nil {
		return err
	}
	if !k.Destroyed.IsZero() {
		if err := s.record(ctx, caller, k, verb, audit.Deny); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "the availability key was destroyed").WithReason("KeyDestroyed").
			WithHint("nothing brings it back: the policy depends on its two root keys alone")
	}
	if err := s.record(ctx, caller, k, verb, audit.Allow); err != nil {
		return err
	}
	clear, err := s.c.Seal.UnwrapKey(k.Sealed, binding(k))
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "the availability key does not open").
			WithHint("the seal or the row is not the one it was made with: put back the availability database and its seal from the same backup")
	}
	defer clear.Destroy()
	return fn(clear)
}

// key reads a key for a caller of the tenant.
func (s *Service) key(ctx context.Context, caller directory.Caller, tenant, id string) (Key, error) {
	if err := belongs(caller, tenant); err != nil {
		return Key{}, err
	}
	return s.c.Store.Key(ctx, tenant, id)
}

func (s *Service) record(ctx context.Context, caller directory.Caller, k Key, verb string, d audit.Decision) error {
	err := s.c.Audit.Record(ctx, audit.Entry{
		Tenant: k.Tenant, Caller: caller, Action: "availabilitykey." + verb, Object: k.ID, Decision: d,
		Detail: map[string]string{"policy": k.Policy},
	})
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the log of the availability keys cannot be written, so none was used").
			WithReason("NotRecorded").WithHint("check the availability database, then try again")
	}
	return nil
}

// belongs keeps people and apps in their own tenant, whatever the layers above checked.
func belongs(caller directory.Caller, tenant string) error {
	if caller.Kind == directory.System || (caller.Tenant == tenant && tenant != "") {
		return nil
	}
	return fault.New(fault.NotFound, "there is no such availability key")
}

// binding is what a sealed availability key is bound to: moved to another row it does not open.
func binding(k Key) []byte { return envelope.Bind("availability key 1", k.Tenant, k.Policy, k.ID) }

// wrapBinding is what a key wrapped by an availability key is bound to.
func wrapBinding(tenant, id string, aad []byte) []byte {
	return envelope.Bind("under availability key 1", tenant, id, string(aad))
}

// Shelf returns the keys in rows, whose parts are tenant, policy and id, for being re-sealed.
func Shelf(rows seal.Rows) seal.Shelf {
	return seal.NewShelf("availability keys", rows, func(p []string) []byte {
		return binding(Key{Tenant: p[0], Policy: p[1], ID: p[2]})
	})
}
