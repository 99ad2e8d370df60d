package health

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/courier"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
)

// A Key is a root key in its vault; a rootkey.Key is one. Its errors are faults: fault.Denied if
// the owner refuses, fault.Unavailable if the vault cannot answer; or that of ctx.
type Key interface {
	Inspect(ctx context.Context) (rootkey.Facts, error)
	Try(ctx context.Context, kid string) error
	Wrap(ctx context.Context, key envelope.Key) (kid string, wrapped []byte, err error)
	Versions(ctx context.Context, most int) (int, error)
	Rotation(ctx context.Context) (life string, err error)
}

// Config is what a Service needs.
type Config struct {
	Store Store                                    // required
	Key   func(ref hierarchy.RootRef) (Key, error) // required: how a root key is reached
	Audit audit.Recorder                           // required: changes are written here before they hold
	Seal  *seal.Seal                               // required: of what subscriptions keep secret
	Way   *courier.Client                          // to webhooks; there are none if nil
	// Unasked lets webhooks be made that were not asked whether they agree: for a Store of which
	// nothing stays.
	Unasked bool
	// Opened is told that a root key of a tenant works again. May be nil.
	Opened func(ctx context.Context, tenant string)
	Wake   func()          // called when there are changes: Deliverer.Wake. May be nil
	Level  string          // the recovery level that root keys must have: the strictest if ""
	Roles  policy.Roles    // who may do what with policies; the default if zero
	Mixed  hierarchy.Mixed // what one root denied and the other silent mean; as the keyring's

	Every  time.Duration    // how often each root is looked at; 15 min if 0, at most a day
	AtOnce int              // looks at the same time; 16 if 0
	Log    *slog.Logger     // slog.Default if nil
	Now    func() time.Time // time.Now if nil
	Spread func() float64   // from 0 to 1, by many at once: spreads looks over time; random if nil
}

// Times that no caller needs to set.
const (
	claim  = time.Minute            // how long a root is held for one look: longer than one takes
	limit  = 40 * time.Second       // for one look
	again  = 10 * time.Second       // until a root that did not answer is looked at again
	often  = time.Minute            // between looks at one that does not open
	rarely = 24 * time.Hour         // between looks at versions and rotation
	pause  = 500 * time.Millisecond // at least between looks that vaults cause
	putOff = time.Second            // for a root of a tenant that has enough looks under way
	idle   = 5 * time.Second        // between looks for what is due
)

// A Service watches root keys. It is safe for concurrent use.
type Service struct {
	c     Config
	wake  chan struct{}
	tests chan struct{} // slots for looks that callers ask for

	spoken chan struct{}
	busy   busy

	mu   sync.Mutex
	word []word // what vaults have told, and was not looked into yet
}

// New returns a Service. It asks nobody and starts no goroutine; Run does.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Key == nil || c.Audit == nil || c.Seal == nil {
		return nil, errors.New("health: Store, Key, Audit and Seal are required")
	}
	if c.Level == "" {
		c.Level = rootcheck.Levels[len(rootcheck.Levels)-1]
	}
	if !slices.Contains(rootcheck.Levels, c.Level) {
		return nil, errors.New("health: Level is none of rootcheck.Levels")
	}
	if c.Every < 0 || c.Every > 24*time.Hour || c.AtOnce < 0 {
		return nil, errors.New("health: Every must be between 0 and a day, AtOnce not negative")
	}
	if c.Mixed == "" {
		c.Mixed = hierarchy.MixedDenied
	}
	if c.Every == 0 {
		c.Every = 15 * time.Minute
	}
	if c.AtOnce == 0 {
		c.AtOnce = 16
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
	if c.Spread == nil {
		c.Spread = rand.Float64
	}
	return &Service{
		c: c, wake: make(chan struct{}, 1), spoken: make(chan struct{}, 1), tests: make(chan struct{}, c.AtOnce),
		busy: busy{most: max(1, c.AtOnce/4), roots: map[hierarchy.RootRef]bool{}, tenants: map[string]int{}},
	}, nil
}

// now returns the time as the store keeps it.
func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }

// next returns when a root that answered is looked at again: a tenth sooner or later than the
// others that were looked at now.
func (s *Service) next(now time.Time) time.Time {
	return now.Add(time.Duration(float64(s.c.Every) * (0.9 + 0.2*s.c.Spread())).Truncate(time.Microsecond))
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyway
	}
}
