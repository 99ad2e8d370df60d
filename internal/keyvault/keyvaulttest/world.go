// Package keyvaulttest runs a whole key vault for tests: the domain over a real database and
// a real audit log, both faces over real TLS on loopback, and tokens of an issuer of its own
// that the directory's own verifier checks.
package keyvaulttest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
)

// Location is where every vault of a World is.
const Location = "westeurope"

// beginning is the time at which every World begins.
var beginning = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A World is a key vault with one subscription in one resource group named "keys".
type World struct {
	*keyvault.Service
	Tenant       string
	Subscription keyvault.Subscription
	Owner        directory.Caller // owns the subscription, and has no right over keys by that

	t      testing.TB
	seal   envelope.Key
	signer ed25519.PrivateKey

	mu       sync.Mutex
	now      time.Time
	leapt    time.Duration // of now, without that time passed
	log      *audit.Log
	entries  []audit.Entry
	told     []keyvault.Event
	heard    []eventlog.Record
	deaf     bool
	between  map[string]func() // by action
	plain    bool
	db       *store.DB
	throttle *throttle.Throttle
	hardware protect.Protector // or nil
	rule     bool
	inUse    func(ctx context.Context, tenant string, vaults []string) (bool, error)
	courier  keyvault.Courier
	issuer   func() *issuer // made when first asked: its key takes a while
	endpoint *endpoint
}

// New returns a World over db, whose areas are those of the vault database. Time stands
// still until it is moved on.
func New(t testing.TB, db *store.DB) *World {
	t.Helper()
	return NewSealed(t, db, envelope.NewKey())
}

// NewSealed is New under a sealing key: two Worlds over one database are two tenants of one
// deployment.
func NewSealed(t testing.TB, db *store.DB, seal envelope.Key) *World {
	t.Helper()
	return NewOf(t, db, seal, uuid.NewString(), uuid.NewString())
}

// NewOf is New with a sealing key, a tenant and a subscription that were there before.
func NewOf(t testing.TB, db *store.DB, seal envelope.Key, tenant, subscription string) *World {
	t.Helper()
	w := &World{
		t: t, Tenant: tenant, seal: seal,
		now:   beginning,
		Owner: person(tenant, "owner@contoso.example"),
	}
	w.issuer = sync.OnceValue(func() *issuer { return newIssuer(t) })
	_, w.signer, _ = ed25519.GenerateKey(nil)
	w.Open(db)
	w.Subscription = keyvault.Subscription{
		ID: subscription, Tenant: tenant, DisplayName: "Contoso keys", Owner: w.Owner.ID,
	}
	if err := w.PutSubscription(t.Context(), w.Operator("operator@service.example"), w.Subscription); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.PutGroup(t.Context(), w.Owner, keyvault.Group{Subscription: w.Subscription.ID, Name: "keys", Location: Location}); err != nil {
		t.Fatal(err)
	}
	return w
}

// DB is the vault database.
func (w *World) DB() *store.DB { return w.db }

// Seal is the sealing key of the vault database.
func (w *World) Seal() envelope.Key { return w.seal }

// Open makes the service anew over db, like a restart: only what the database holds stays.
func (w *World) Open(db *store.DB) {
	w.t.Helper()
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: w.signer, Name: "vault", Now: w.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	protector, err := protect.NewSoftware(protect.SoftwareConfig{Seal: seal.Of(w.seal)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.log, w.db = log, db
	w.Service, err = keyvault.New(keyvault.Config{
		Store: store.NewKeyVault(db), Protector: protector, Hardware: w.hardware, Platform: Platform, Backups: w.Backups(db),
		Audit: w.recorder(), Throttle: w.throttle, Now: w.Now, Uptime: w.uptime, Told: w.tell,
		InUse: w.inUse, ApproveByRule: w.rule,
		Courier: w.courier, Seal: seal.Of(w.seal),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.endpoint != nil {
		w.endpoint.show(w.handler(w.endpoint.domain))
	}
}

// Plain opens the service anew as a server does: what it records and its faces tell is not
// remembered from now on, nor can it be made to fail.
func (w *World) Plain() {
	w.plain = true
	w.Open(w.db)
}

func (w *World) recorder() audit.Submitter {
	if w.plain {
		return w.log
	}
	return w
}

// listener is who hears of requests: a server has none until it is told to keep a vault log.
func (w *World) listener() face.Events {
	if w.plain {
		return nil
	}
	return w.hear
}

// Throttle has vaults limited from now on.
func (w *World) Throttle(l throttle.Limits) {
	w.t.Helper()
	var err error
	if w.throttle, err = throttle.New(l); err != nil {
		w.t.Fatal(err)
	}
	w.Open(w.db)
}

// SendBy has the World's vaults send their events to webhooks by c.
func (w *World) SendBy(c keyvault.Courier) {
	w.t.Helper()
	w.courier = c
	w.Open(w.db)
}

// Backups returns the ring of backup keys in db.
func (w *World) Backups(db *store.DB) *backup.Ring {
	w.t.Helper()
	ring, err := backup.New(backup.Config{Store: store.NewKeyVault(db), Seal: seal.Of(w.seal), Now: w.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	return ring
}

// SetProtected registers the subscription for mandatory retention, or takes that back, as
// its operator finds it in the database: what leads there is for the tests of registering.
func (w *World) SetProtected(protected bool) {
	w.t.Helper()
	kept := store.NewKeyVault(w.db)
	sub, err := kept.Subscription(w.t.Context(), w.Tenant, w.Subscription.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	sub.Retention = keyvault.Registration{State: keyvault.Unregistered, Since: w.Now()}
	if protected {
		sub.Retention = keyvault.Registration{State: keyvault.Registered, Since: w.Now(), Order: sub.Provider.Order}
		sub.Provider = keyvault.Registration{State: keyvault.Registered, Since: w.Now(), Order: sub.Provider.Order + 1}
	}
	if err := kept.SetSubscription(w.t.Context(), sub); err != nil {
		w.t.Fatal(err)
	}
}

// Condemn does of a deleted vault's purge what cannot be undone, and destroys that many of its
// keys; the rest and its name are left.
func (w *World) Condemn(name string, keys int) error {
	kept := store.NewKeyVault(w.db)
	v, err := kept.DeletedVault(w.t.Context(), name)
	if err != nil {
		return err
	}
	if err := kept.CondemnVault(w.t.Context(), v.Tenant, v.Name, v.Deleted, nil); err != nil {
		return err
	}
	_, err = kept.PurgeKeys(w.t.Context(), v.Tenant, v.Name, keys)
	return err
}

// Rule makes services that are opened from now on approve registrations by themselves, or not.
func (w *World) Rule(approve bool) { w.rule = approve }

// InUse is what services that are opened from now on ask whether keys are in use.
func (w *World) InUse(ask func(ctx context.Context, tenant string, vaults []string) (bool, error)) {
	w.inUse = ask
}

// Operator returns somebody who runs the service.
func (w *World) Operator(name string) directory.Caller {
	operator := w.Stranger(name)
	operator.Roles = []directory.Role{directory.ServiceOperator}
	return operator
}

// Rules is the change that makes network rules these, nil for none.
func Rules(f *rights.Firewall) *rights.FirewallChange {
	if f == nil {
		return nil
	}
	return &rights.FirewallChange{Deny: &f.Deny, Trusted: &f.Trusted, Allowed: append([]netip.Prefix{}, f.Allowed...)}
}

// MustVault makes a vault of 90 days of retention in which the grants hold.
func (w *World) MustVault(name string, grants ...rights.Grant) keyvault.Vault {
	w.t.Helper()
	return w.MustPutVault(keyvault.VaultSpec{Name: name, Access: grants})
}

// MustPutVault makes a vault in Location, standard if nothing else is said, or changes it.
func (w *World) MustPutVault(spec keyvault.VaultSpec) keyvault.Vault {
	w.t.Helper()
	spec.Subscription, spec.Group, spec.Location = w.Subscription.ID, "keys", Location
	if spec.SKU == "" {
		spec.SKU = "standard"
	}
	v, _, err := w.PutVault(w.t.Context(), w.Owner, spec)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// Person returns a person of the tenant.
func (w *World) Person(name string) directory.Caller { return person(w.Tenant, name) }

// Stranger returns a person of another tenant.
func (w *World) Stranger(name string) directory.Caller { return person(uuid.NewString(), name) }

func person(tenant, name string) directory.Caller {
	return directory.Caller{
		Tenant: tenant, ID: uuid.NewString(), Kind: directory.User, Name: name, App: directory.CommandLineApp,
		Address: "192.0.2.1", Request: uuid.NewString(),
	}
}

// Can returns a grant of the permissions to c.
func Can(c directory.Caller, permissions ...rights.Permission) rights.Grant {
	return rights.Grant{Object: c.ID, Keys: permissions}
}

// Now is the World's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Pass moves time on, or back.
func (w *World) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Leap sets the clock, on or back, which takes no time.
func (w *World) Leap(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.leapt = w.now.Add(d), w.leapt+d
}

// uptime is what has passed of the World's time.
func (w *World) uptime() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now.Add(-w.leapt).Sub(beginning)
}

// Deafen makes the audit log fail, or work again.
func (w *World) Deafen(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
}

// Between has do run once, after an action was next decided and recorded and before it takes
// effect: what comes between there is what a request can be overtaken by.
func (w *World) Between(a keyvault.Action, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.between == nil {
		w.between = map[string]func(){}
	}
	w.between[string(a)] = do
}

// overtake does what was to come between an action and its record.
func (w *World) overtake(e audit.Entry) {
	w.mu.Lock()
	do := w.between[e.Action]
	if do != nil && e.Decision == audit.Allow {
		delete(w.between, e.Action)
	} else {
		do = nil
	}
	w.mu.Unlock()
	if do != nil {
		do()
	}
}

// Record implements audit.Recorder by the real log, and remembers.
func (w *World) Record(ctx context.Context, e audit.Entry) error { return w.Submit(ctx, e)() }

// Submit implements audit.Submitter in the same way.
func (w *World) Submit(ctx context.Context, e audit.Entry) (durable func() error) {
	w.mu.Lock()
	deaf := w.deaf
	w.mu.Unlock()
	if deaf {
		return func() error { return errors.New("the disk under the log is full") }
	}
	wait := w.log.Submit(ctx, e)
	return func() error {
		if err := wait(); err != nil {
			return err
		}
		w.remember(e)
		w.overtake(e)
		return nil
	}
}

func (w *World) remember(e audit.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, e)
}

func (w *World) tell(e keyvault.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, e)
}

// Told returns the events that were told since it was last asked.
func (w *World) Told() []keyvault.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.told = nil }()
	return slices.Clone(w.told)
}

// Entries returns what was recorded since it was last asked.
func (w *World) Entries() []audit.Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.entries = nil }()
	return slices.Clone(w.entries)
}

func (w *World) hear(r eventlog.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, r)
}

// Records returns the faces' records of requests since it was last asked.
func (w *World) Records() []eventlog.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.heard = nil }()
	return slices.Clone(w.heard)
}
