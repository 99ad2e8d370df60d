package policy_test

import (
	"context"
	"crypto/ed25519"
	"crypto/fips140"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A world is a service with everything real but the vaults: two SQLite files, logs, keyring,
// policies, runner.
type world struct {
	t       testing.TB
	db      *store.DB
	vaults  *vaults
	log     *recorder
	keys    *hierarchy.Keyring
	service *policy.Service
	runner  *operation.Runner
	spareDB *store.DB // of availability keys
	departing
	rows   *store.Policy
	config policy.Config

	wrong atomic.Int64 // by how much the service's clock is, a time.Duration
	run   atomic.Int64 // by how much longer than it did a process ran, a time.Duration

	spare    availability.Config // of the service in config
	spareLog *audit.Log
	logKeys  [2]ed25519.PrivateKey // of log and spareLog
}

// inWorld runs fn in a world of its own, under virtual time.
func inWorld(t *testing.T, change func(c *policy.Config), fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	if fips140.Enabled() {
		t.Skip("Go's FIPS random source measures real time, which stands still under virtual time")
	}
	synctest.Test(t, func(t *testing.T) { fn(t, newWorld(t, change)) })
}

func newWorld(t testing.TB, change func(c *policy.Config)) *world {
	t.Helper()
	return newWorldOn(t, openDB(t, "service.db", store.ServiceAreas()), change)
}

// newWorldOn makes a world whose service keeps its rows in db.
func newWorldOn(t testing.TB, db *store.DB, change func(c *policy.Config)) *world {
	t.Helper()
	w := &world{t: t, vaults: newVaults(t), db: db, logKeys: [2]ed25519.PrivateKey{signingKey(), signingKey()}}
	w.rows = store.NewPolicy(w.db)
	w.log = &recorder{Log: must(audit.New(audit.Config{Store: store.NewAudit(w.db), Key: w.logKeys[0], Name: "service"}))}
	spare := openDB(t, "availability.db", store.AvailabilityAreas())
	w.spareLog = must(audit.New(audit.Config{Store: store.NewAudit(spare), Key: w.logKeys[1], Name: "availability"}))
	w.spare = availability.Config{Store: store.NewAvailability(spare), Seal: seal.Of(envelope.NewKey()), Audit: w.spareLog}
	w.spareDB = spare
	w.assemble(change)
	return w
}

// assemble makes the service over the world's rows, as a start of the server does.
func (w *world) assemble(change func(c *policy.Config)) {
	w.t.Helper()
	w.spare.Now = w.now
	keys := must(availability.New(w.spare))
	w.openDeparting()
	w.keys = must(hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(w.db), Root: w.vaults.root, Availability: keys, Audit: w.log, Now: w.now,
		Purged: w.ledger, Recoveries: store.NewRecovery(w.db),
	}))
	opened := w.keys
	w.t.Cleanup(func() {
		if err := opened.Close(context.Background()); err != nil {
			w.t.Errorf("closing the keyring: %v", err)
		}
	})
	w.config = policy.Config{
		Store: w.rows, Keys: w.keys, Roots: w.vaults, Availability: keys, Audit: w.log, Rule: rules, Operations: store.NewOperation(w.db), Geos: geos,
		Wake: func() { w.runner.Wake() }, Settle: 2 * time.Second, Now: w.now, AvailabilityKeep: time.Hour,
		Requests: w.requests, Purging: w.purging(keys), Recoveries: store.NewRecovery(w.db),
	}
	if change != nil {
		change(&w.config)
	}
	w.service = must(policy.New(w.config))
	w.runner = must(operation.New(operation.Config{Store: store.NewOperation(w.db), Handlers: w.service.Handlers(), Now: w.now}))
}

// now is the service's clock, which can be set wrong.
func (w *world) now() time.Time { return time.Now().Round(0).Add(time.Duration(w.wrong.Load())) }

// geos are those of every tenant.
func geos(context.Context, string) ([]string, error) { return []string{"default", "nam", "eur"}, nil }

// rules is the table of workloads: mailboxes follow the policy in force, chats take new data
// only (rows CK-284, CK-289).
func rules(workload string) policy.Rule {
	switch workload {
	case "exchange":
		return policy.Rule{Family: policy.Mailbox}
	case "documents":
		return policy.Rule{Family: policy.MultiWorkload}
	case "sharepoint":
		return policy.Rule{Family: policy.SharePoint}
	case "teams":
		return policy.Rule{Family: policy.MultiWorkload, NewDataOnly: true}
	}
	return policy.Rule{}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func signingKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(nil)
	return must(key, err)
}

func openDB(t testing.TB, name string, areas []store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(t.Context(), storetest.Seed(t, filepath.Join(t.TempDir(), name), areas...), areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing %s: %v", name, err)
		}
	})
	return db
}

// A recorder is the real log, and can be told to refuse.
type recorder struct {
	*audit.Log
	mu     sync.Mutex // held while refuse is asked: work in the background asks too
	refuse func(e audit.Entry) bool
}

// tell has the log refuse what refuse says, or nothing if it is nil.
func (r *recorder) tell(refuse func(e audit.Entry) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = refuse
}

func (r *recorder) refuses(e audit.Entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refuse != nil && r.refuse(e)
}

func (r *recorder) Record(ctx context.Context, e audit.Entry) error {
	if r.refuses(e) {
		return fault.New(fault.Unavailable, "the disk is full") // as the real one does
	}
	return r.Log.Record(ctx, e)
}

// A tenant is a customer with an administrator and four good root keys in two vaults.
type tenant struct {
	*world
	id    string
	admin directory.Caller
	keys  [2]string // east, west
	spare [2]string
	items []item
}

// tenant makes a customer whose content is under the policy that the service owns.
func (w *world) tenant() *tenant {
	w.t.Helper()
	id := uuid.NewString()
	c := &tenant{world: w, id: id, admin: directory.Caller{
		Tenant: id, ID: uuid.NewString(), Kind: directory.User, Name: "admin@contoso.example",
		Roles: []directory.Role{directory.ComplianceAdministrator}, Request: uuid.NewString(),
	}}
	short := strings.ReplaceAll(id, "-", "")[:12]
	for i, side := range []string{"east", "west"} {
		c.keys[i] = w.vaults.key(short+"-"+side, "root")
		c.spare[i] = w.vaults.key(short+"-"+side, "spare")
	}
	own := [2]hierarchy.RootRef{
		{Tenant: "provider", App: directory.MultiWorkloadApp, URI: w.vaults.key("service-one", "default")},
		{Tenant: "provider", App: directory.MultiWorkloadApp, URI: w.vaults.key("service-two", "default")},
	}
	if _, err := w.service.EnsureServicePolicy(w.t.Context(), id, own); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (c *tenant) mustCreate(name string) policy.Policy {
	c.t.Helper()
	return c.mustMake(policy.MultiWorkload, name)
}

func (c *tenant) mustMake(f policy.Family, name string) policy.Policy {
	c.t.Helper()
	p, err := c.service.Create(c.t.Context(), c.admin, policy.Draft{Family: f, Name: name, KeyURIs: c.keys[:], Enabled: true})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *tenant) mustAssign(identity string) {
	c.t.Helper()
	if err := c.service.Assign(c.t.Context(), c.admin, identity); err != nil {
		c.t.Fatal(err)
	}
}

func (c *tenant) mustRefresh(identity string) policy.Policy {
	c.t.Helper()
	p, err := c.service.Refresh(c.t.Context(), c.admin, policy.MultiWorkload, identity)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *tenant) mustStatus(identity string) policy.Status {
	c.t.Helper()
	st, err := c.service.Status(c.t.Context(), c.admin, policy.MultiWorkload, identity)
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

// work runs the runner until nothing is left to do at this moment of time.
func (w *world) work() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.runner.Run(ctx) }()
	for range 20_000 {
		time.Sleep(w.config.Settle / 2)
		if !w.open() {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

// open reports whether an operation is neither final nor in a pause after a failure.
func (w *world) open() bool {
	w.t.Helper()
	var n int
	err := w.db.Read(w.t.Context(), func(ctx context.Context, q store.DBTX) error {
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM operations WHERE state = 'running' OR state = 'waiting' AND attempts = 0 AND due_at <= $1`, w.now().UnixMicro()).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n > 0
}

// An item is something sealed: the key it was sealed with must come back as long as a root
// of its policy lets it.
type item struct {
	workload, container string
	version             int
	wrapped             []byte
	key                 envelope.Key
}

// container is one of a workload. A site may be named with its geo before it: "eur:sales".
func container(tenant, workload, name string) hierarchy.Container {
	c := hierarchy.Container{Tenant: tenant, ID: workload + "/" + name, Workload: workload}
	if workload == "sharepoint" {
		c.Geo = "default"
		if geo, _, ok := strings.Cut(name, ":"); ok {
			c.Geo = geo
		}
	}
	return c
}

// seal writes new content into a container, as package workload does.
func (c *tenant) seal(workload, name string) error {
	ctx := c.t.Context()
	target, err := c.service.InForce(ctx, container(c.id, workload, name))
	if err != nil {
		return err
	}
	o, err := c.world.keys.ForSealing(ctx, c.admin, container(c.id, workload, name), target)
	if err != nil {
		return err
	}
	defer o.Close()
	key, wrapped, err := o.NewItemKey([]byte("aad"))
	if err != nil {
		return err
	}
	c.items = append(c.items, item{workload, name, o.Version(), wrapped, key})
	return nil
}

func (c *tenant) mustSeal(workload string, names ...string) {
	c.t.Helper()
	for _, name := range names {
		if err := c.seal(workload, name); err != nil {
			c.t.Fatalf("sealing in %s/%s: %v", workload, name, err)
		}
	}
}

// reopen opens everything that was ever sealed, as a user.
func (c *tenant) reopen() error {
	for _, it := range c.items {
		o, err := c.world.keys.ForOpening(c.t.Context(), c.admin, container(c.id, it.workload, it.container), it.version)
		if err != nil {
			return err
		}
		key, err := o.ItemKey(it.wrapped, []byte("aad"))
		o.Close()
		if err != nil {
			return err
		}
		if !key.Equal(it.key) {
			return fault.New(fault.Corrupt, "another key came back")
		}
	}
	return nil
}

// entries returns what the tenant's log says, as "decision action object".
func (c *tenant) entries() (lines []string) {
	c.t.Helper()
	stored, err := c.log.Entries(c.t.Context(), c.id, -1, 10_000)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range stored {
		lines = append(lines, string(s.Entry.Decision)+" "+s.Entry.Action+" "+s.Entry.Object)
	}
	return lines
}
