package directory

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// A RecordFunc writes one entry to the audit log of tenant: who asked (c), what for, and
// what was decided ("allow", "deny", "fail"; see package audit). When it returns nil the
// entry is durable; on an error the service refuses what it was about to do.
type RecordFunc func(ctx context.Context, tenant string, c Caller, action, object, decision string, detail map[string]string) error

// Config is what a Service needs.
type Config struct {
	Store     Store            // required
	Seal      *seal.Seal       // required: seals the keys that sign tokens
	Codes     envelope.Key     // required: keys the hash of user codes
	Record    RecordFunc       // required
	Issuer    string           // required: what access tokens carry before the tenant id, "https://sts.{domain}/"
	Login     string           // required: base of the token service, "https://login.{domain}"; id tokens carry it
	Audiences []string         // resources that tokens may be asked for, each with or without a final slash
	KeyLife   time.Duration    // how long a key signs before the next takes over; 90 days if zero
	Poll      time.Duration    // how often a device may ask whether it was approved; 5 s if zero
	Hashing   int              // password hashes computed at once, 19 MiB each; at most 4, one per processor, if zero
	Now       func() time.Time // time.Now if nil
}

// A Service keeps the directory and issues tokens. It is safe for concurrent use, and any
// number of them may share one database.
type Service struct {
	store     Store
	seal      *seal.Seal
	userCodes envelope.Key
	recorder  RecordFunc
	issuer    string
	login     string
	audiences map[string]bool
	keyLife   time.Duration
	poll      time.Duration
	clock     func() time.Time

	hasher    *hasher
	passwords *throttle // by account
	apps      *throttle // wrong secrets and assertions, by app
	codes     *throttle // wrong user codes, by client address
	starts    *throttle // device codes that came to nothing, by client address
	keys      keyring
}

// New returns a Service ready for use. It opens nothing and starts no goroutine.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Record == nil || c.Seal == nil || c.Codes.IsZero() || c.Issuer == "" || c.Login == "" {
		return nil, errors.New("directory: Store, Seal, Codes, Record, Issuer and Login are required")
	}
	if c.Poll == 0 {
		c.Poll = 5 * time.Second
	}
	if c.Hashing == 0 {
		c.Hashing = min(4, runtime.GOMAXPROCS(0))
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Service{
		store: c.Store, seal: c.Seal, userCodes: c.Codes, recorder: c.Record, clock: c.Now, poll: c.Poll, keyLife: cmp.Or(c.KeyLife, keyLife),
		issuer:    strings.TrimSuffix(c.Issuer, "/") + "/",
		login:     strings.TrimSuffix(c.Login, "/"),
		audiences: map[string]bool{},
		hasher:    newHasher(c.Hashing),
		passwords: newThrottle(5, 30*time.Second, 15*time.Minute),
		apps:      newThrottle(20, 30*time.Second, 15*time.Minute),
		codes:     newThrottle(10, 30*time.Second, 15*time.Minute),
		starts:    newThrottle(200, 30*time.Second, 15*time.Minute),
	}
	for _, a := range c.Audiences {
		s.audiences[strings.TrimSuffix(a, "/")] = true
	}
	return s, nil
}

// now returns the time as it is stored: UTC, whole microseconds.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// An act is a change that someone asks for.
type act struct {
	caller Caller
	tenant string // whose directory changes
	action string // "person.create"
	object string // "people/alice@contoso.example"
	detail map[string]string
	first  bool // makes the tenant or its first person, which an operator may
}

// perform is the one door for changes: it decides, records, and only then runs do. What was
// allowed and then failed gets a second record.
func (s *Service) perform(ctx context.Context, a act, do func() error) error {
	if err := s.allowed(ctx, a); err != nil {
		return err
	}
	if err := s.record(ctx, a, "allow"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return errors.Join(err, s.record(ctx, a, "fail"))
	}
	return nil
}

// allowed refuses, and records in the caller's own log, what the caller may not do.
func (s *Service) allowed(ctx context.Context, a act) error {
	err := mayManage(a)
	if err != nil {
		a.tenant = a.caller.Tenant
		return s.deny(ctx, a, err)
	}
	return nil
}

// deny records that a was refused and returns why.
func (s *Service) deny(ctx context.Context, a act, why error) error {
	if err := s.record(ctx, a, "deny"); err != nil {
		return err
	}
	return why
}

// mayManage says whether the caller may change the directory of the tenant. Who is not of the
// tenant gets the answer that an unknown tenant would get. An operator of the service makes
// tenants and their first administrators, and has no say over them afterwards: whoever could set
// a customer's passwords could use the customer's keys.
func mayManage(a act) error {
	c, operator := a.caller, a.caller.Has(ServiceOperator)
	switch {
	case c.Kind == System, operator && (a.first || c.Tenant == a.tenant):
		return nil
	case c.Tenant != a.tenant && operator:
		return fault.New(fault.Forbidden, "an operator of the service does not manage the people and apps of its customers").
			WithHint("ask an administrator of that organisation")
	case c.Tenant != a.tenant:
		return errNoTenant()
	case c.Has(GlobalAdministrator):
		return nil
	}
	return fault.New(fault.Forbidden, "changing the directory takes the role %s", GlobalAdministrator).
		WithHint("ask an administrator of your organisation")
}

// record writes a decision to the log of the tenant whose directory it is about, and to the
// caller's own where that is another: both sides can account for what an operator did.
func (s *Service) record(ctx context.Context, a act, decision string) error {
	logs := []string{a.tenant, a.caller.Tenant}
	for _, log := range slices.Compact(logs) {
		if log == "" {
			continue // the system has no log of its own
		}
		if err := s.recorder(ctx, log, a.caller, a.action, a.object, decision, a.detail); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the decision could not be recorded, so nothing was done").
				WithHint("try again; if it stays, see the server's log")
		}
	}
	return nil
}
