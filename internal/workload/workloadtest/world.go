// Package workloadtest sets up items over real parts for tests of packages that need some: a
// database, a blob folder, a keyring, availability keys and an audit log, and two root keys
// that the test can take away. Only _test.go files import it.
package workloadtest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

// Tenants.
const (
	Contoso  = "11111111-1111-4111-8111-111111111111"
	Fabrikam = "22222222-2222-4222-8222-222222222222"
)

// Callers.
var (
	Alice    = directory.Caller{Tenant: Contoso, ID: "a11ce000-0000-4000-8000-000000000001", Kind: directory.User, Name: "alice@contoso.example"}
	Bob      = directory.Caller{Tenant: Contoso, ID: "b0b00000-0000-4000-8000-000000000002", Kind: directory.User, Name: "bob@contoso.example"}
	Exporter = directory.Caller{Tenant: Contoso, ID: "e0000000-0000-4000-8000-000000000003", Kind: directory.User, Roles: []directory.Role{directory.MailboxImportExport}}
	Provider = directory.Caller{Tenant: Contoso, ID: "f0000000-0000-4000-8000-000000000004", Kind: directory.App, Roles: []directory.Role{directory.ItemsReadWriteAll}}
	Operator = directory.Caller{Tenant: Contoso, ID: "00000000-0000-4000-8000-000000000005", Kind: directory.User, Roles: []directory.Role{directory.ServiceOperator, directory.MailboxImportExport}}
	Mallory  = directory.Caller{Tenant: Fabrikam, ID: "aa110000-0000-4000-8000-000000000006", Kind: directory.User, Name: "mallory@fabrikam.example"}
)

// A World is a service over real parts, and handles on what goes on below it.
type World struct {
	Items    *workload.Service
	Keys     *hierarchy.Keyring
	Log      *audit.Log
	DB       *store.DB
	Blobs    string // the folder that holds them
	Roots    [2]*Root
	Policies *Policies
	Clock    *Clock
	Audit    *Recorder
	Runner   *operation.Runner // not running

	dbPath string
}

// New returns a World on SQLite. change, if not nil, may put wrappers around the parts.
func New(t testing.TB, change func(*workload.Config)) *World {
	t.Helper()
	w := &World{
		Blobs: filepath.Join(t.TempDir(), "blobs"),
		Roots: [2]*Root{{uri: "https://east.vault.localhost:8443/keys/root1"}, {uri: "https://west.vault.localhost:8443/keys/root2"}},
		Clock: &Clock{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)},
	}
	w.dbPath = filepath.Join(t.TempDir(), "service.db")
	var err error
	w.DB, err = store.OpenSQLite(t.Context(), storetest.Seed(t, w.dbPath, store.ServiceAreas()...), store.ServiceAreas()...)
	must(t, err)
	t.Cleanup(func() { must(t, w.DB.Close()) })
	w.Log, err = audit.New(audit.Config{
		Store: store.NewAudit(w.DB), Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Name: "service", Now: w.Clock.Now,
	})
	must(t, err)
	w.Audit = &Recorder{log: w.Log}
	keys, err := availability.New(availability.Config{
		Store: store.NewAvailability(storetest.SQLite(t, store.AvailabilityAreas()...)),
		Seal:  seal.Of(envelope.NewKey()), Audit: discard{}, Now: w.Clock.Now,
	})
	must(t, err)
	w.Keys, err = hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(w.DB), Root: w.root, Availability: keys, Audit: w.Log, Now: w.Clock.Now,
		Hold: time.Nanosecond,
	})
	must(t, err)
	t.Cleanup(func() { must(t, w.Keys.Close(context.Background())) })
	w.Policies = &Policies{world: w, availability: keys, targets: map[string]hierarchy.Target{}}

	folder, err := blob.OpenFolder(w.Blobs)
	must(t, err)
	t.Cleanup(func() { must(t, folder.Close()) })
	config := workload.Config{
		Store: store.NewWorkload(w.DB), Blobs: store.NewBlobs(folder), Keys: w.Keys, Policies: w.Policies,
		Audit: w.Audit, People: people, Now: w.Clock.Now, Rule: rule,
		Start: func(ctx context.Context, op operation.Operation) (operation.Operation, error) {
			return w.Runner.Start(ctx, op)
		},
	}
	if change != nil {
		change(&config)
	}
	w.Items, err = workload.New(config)
	must(t, err)
	w.Runner, err = operation.New(operation.Config{Store: store.NewOperation(w.DB), Handlers: w.Items.Handlers(), Lease: 5 * time.Minute, Beat: 20 * time.Millisecond, Backoff: 20 * time.Millisecond, Attempts: 3})
	must(t, err)
	return w
}

// rule says which policies cover a workload, as the wiring of the program does.
func rule(name string) policy.Rule {
	w, err := workload.Find(name)
	switch {
	case err != nil:
		return policy.Rule{}
	case w.Mailboxes:
		return policy.Rule{Family: policy.Mailbox}
	case w.Sites:
		return policy.Rule{Family: policy.SharePoint}
	}
	return policy.Rule{Family: policy.MultiWorkload, NewDataOnly: w.NewDataOnly}
}

func (w *World) root(ref hierarchy.RootRef) (hierarchy.Root, error) {
	for _, r := range w.Roots {
		if r.uri == ref.URI {
			return r, nil
		}
	}
	return nil, errors.New("no such root")
}

// Deny has both roots refuse, and ends what is granted already.
func (w *World) Deny() {
	for _, r := range w.Roots {
		r.Fail(fault.New(fault.Denied, "disabled").WithReason("KeyDisabled"))
	}
	w.Clock.Add(2 * time.Minute)
}

// Restore has both roots work again, and lets the time pass during which a refusal stands.
func (w *World) Restore() {
	for _, r := range w.Roots {
		r.Fail(nil)
	}
	w.Clock.Add(time.Second)
}

// people knows those callers that have a name.
func people(_ context.Context, tenant, upn string) (string, error) {
	for _, c := range []directory.Caller{Alice, Bob, Mallory} {
		if c.Tenant == tenant && c.Name == upn {
			return c.ID, nil
		}
	}
	return "", fault.New(fault.NotFound, "no such person")
}

// Policies is a tenant's policy in force, without the rules of package policy: each tenant has
// one policy with one generation until NewPolicy or NewGeneration is called.
type Policies struct {
	NewDataOnly bool // what the next targets say

	world        *World
	availability *availability.Service
	mu           sync.Mutex
	number       int
	targets      map[string]hierarchy.Target // by tenant
	stale        int
	before       map[string]hierarchy.Target
}

// InForce implements workload.Policies.
func (p *Policies) InForce(ctx context.Context, c hierarchy.Container) (hierarchy.Target, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stale > 0 {
		p.stale--
		return p.before[c.Tenant], nil
	}
	if _, ok := p.targets[c.Tenant]; !ok {
		if err := p.change(ctx, c.Tenant, uuid.NewString()); err != nil {
			return hierarchy.Target{}, err
		}
	}
	target := p.targets[c.Tenant]
	target.NewDataOnly = p.NewDataOnly
	return target, nil
}

// InForceNow returns what is in force.
func (p *Policies) InForceNow(t testing.TB, tenant string) hierarchy.Target {
	t.Helper()
	target, err := p.InForce(t.Context(), hierarchy.Container{Tenant: tenant})
	must(t, err)
	return target
}

// NewPolicy puts another policy in force.
func (p *Policies) NewPolicy(t testing.TB, tenant string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	must(t, p.change(t.Context(), tenant, uuid.NewString()))
}

// NewGeneration refreshes the policy; the next stale answers still give the old generation.
func (p *Policies) NewGeneration(t testing.TB, tenant string, stale int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.stale = map[string]hierarchy.Target{tenant: p.targets[tenant]}, stale
	must(t, p.change(t.Context(), tenant, p.targets[tenant].Policy))
}

func (p *Policies) change(ctx context.Context, tenant, policy string) error {
	system := directory.SystemCaller(tenant, "test", "")
	key, err := p.availability.Create(ctx, system, availability.Scope{Kind: availability.PerPolicy, Tenant: tenant, Policy: policy})
	if err != nil {
		return err
	}
	p.number++
	refs := [2]hierarchy.RootRef{{Tenant: tenant, URI: p.world.Roots[0].uri}, {Tenant: tenant, URI: p.world.Roots[1].uri}}
	g, err := p.world.Keys.NewGeneration(ctx, system, tenant, policy, p.number, refs, key)
	if err != nil {
		return err
	}
	p.targets[tenant] = hierarchy.Target{Policy: policy, Generation: g.ID}
	return p.world.DB.Write(ctx, func(ctx context.Context, q store.DBTX) error { return store.AddGeneration(ctx, q, g) })
}

// A Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the time, also back.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A Recorder records to the log unless it was told to fail.
type Recorder struct {
	log     *audit.Log
	failing atomic.Bool
}

// SetFailing says whether records are refused from now on.
func (r *Recorder) SetFailing(failing bool) { r.failing.Store(failing) }

// Record implements audit.Recorder.
func (r *Recorder) Record(ctx context.Context, e audit.Entry) error {
	if r.failing.Load() {
		return fault.New(fault.Unavailable, "the audit log cannot be written")
	}
	return r.log.Record(ctx, e)
}

type discard struct{}

func (discard) Record(context.Context, audit.Entry) error { return nil }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
