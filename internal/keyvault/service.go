package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/elapsed"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
	"github.com/customerkey/customerkey/internal/seal"
)

// Config is what a Service needs.
type Config struct {
	Store     Store               // required: the vault database
	Protector protect.Protector   // required: where private keys live, but for those in hardware
	Hardware  protect.Protector   // where those of -HSM keys live; nil if in Protector too (KV-52)
	Platform  string              // what hsmPlatform says of keys in Hardware; its name if ""
	Backups   *backup.Ring        // required: the keys that backups are sealed under
	Audit     audit.Submitter     // required: decisions are written here before they take effect
	Refuse    []protect.Algorithm // algorithms not to serve, beyond those this program may not use (KV-49)
	Throttle  *throttle.Throttle  // what vaults and subscriptions may ask for (KV-107); no limit if nil
	Now       func() time.Time    // time.Now if nil

	// Uptime returns how long the process has been running, by a clock that nobody can set; the
	// monotonic one if nil. Where only Now is given, it is never doubted.
	Uptime func() time.Duration

	// Told is called with every event whose change has just been kept, before the caller of the
	// change has an answer: whoever acts on it acts no later. It must be quick and must not call
	// the Service. Nobody is told if nil.
	Told func(Event)

	// InUse reports whether anything uses a key of a tenant's vaults, given by their names in
	// lower case; the vault itself never learns what its keys protect. Nothing does if nil.
	InUse func(ctx context.Context, tenant string, vaults []string) (bool, error)
	// ApproveByRule approves every request to register for mandatory retention at once, in
	// place of the operator.
	ApproveByRule bool

	// Courier reaches webhooks; without one there are none. Seal is then required: what their
	// secrets are sealed under.
	Courier Courier
	Seal    *seal.Seal
}

// A Service holds the rules of the vaults. It is safe for concurrent use, starts no
// goroutine, and keeps no state of its own but how the clock went.
type Service struct {
	store    Store
	software protect.Protector
	hardware protect.Protector // or nil
	platform string
	backups  *backup.Ring
	audit    audit.Submitter
	refuse   []protect.Algorithm
	throttle *throttle.Throttle
	clock    func() time.Time
	steady   *elapsed.Steady // for what destroys
	told     func(Event)

	inUse         func(ctx context.Context, tenant string, vaults []string) (bool, error)
	approveByRule bool
	courier       Courier
	sealing       *seal.Seal
}

// New returns a Service ready for use.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Protector == nil || c.Backups == nil || c.Audit == nil {
		return nil, errors.New("keyvault: Store, Protector, Backups and Audit are required")
	}
	if c.Courier != nil && c.Seal == nil {
		return nil, errors.New("keyvault: with a Courier, Seal is required")
	}
	if c.Now == nil {
		c.Now = time.Now
	} else if c.Uptime == nil {
		start := c.Now()
		c.Uptime = func() time.Duration { return c.Now().Sub(start) }
	}
	return &Service{
		store: c.Store, software: c.Protector, hardware: c.Hardware, platform: c.Platform, backups: c.Backups, audit: c.Audit,
		refuse: c.Refuse, throttle: c.Throttle, clock: c.Now, steady: elapsed.NewSteady(c.Now, c.Uptime), told: c.Told,
		inUse: c.InUse, approveByRule: c.ApproveByRule,
		courier: c.Courier, sealing: c.Seal,
	}, nil
}

// now is the present time in the precision that the store keeps.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// A Place says whose a vault is and where.
type Place struct {
	Tenant, Subscription, Group, Name, Location string
}

// Locate returns the place of a vault. It asks for no caller: the challenge that a stranger
// gets names the tenant (KV-100), as it does in the original. The rest is for logs.
func (s *Service) Locate(ctx context.Context, vault string) (Place, error) {
	v, err := s.vault(ctx, vault)
	return Place{v.Tenant, v.Subscription, v.Group, v.Name, v.Location}, err
}

// LocateDeleted is Locate for a deleted vault.
func (s *Service) LocateDeleted(ctx context.Context, vault string) (Place, error) {
	if !naming.IsVault(vault) {
		return Place{}, errNoDeletedVault(vault)
	}
	v, err := s.store.DeletedVault(ctx, vault)
	return Place{v.Tenant, v.Subscription, v.Group, v.Name, v.Location}, err
}

// vault reads a vault by its name in any case.
func (s *Service) vault(ctx context.Context, name string) (Vault, error) {
	if !naming.IsVault(name) {
		return Vault{}, errVaultNotFound()
	}
	v, err := s.store.Vault(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return Vault{}, errVaultNotFound()
	}
	return v, err
}

// tries bounds how often a change is decided anew because another one came between: as many as change
// one thing at once all come through, since of those that meet one always does.
const tries = 16

// again runs do until its change was not overtaken by another.
func again[T any](do func() (T, error)) (T, error) {
	for range tries - 1 {
		if got, err := do(); !hasReason(err, ReasonChanged) {
			return got, err
		}
	}
	return do()
}
