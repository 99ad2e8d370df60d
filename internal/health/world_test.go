package health_test

import (
	"context"
	"crypto/ed25519"
	"crypto/fips140"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A world is a service over a real database and a real log, with vaults in memory: what real
// vaults answer is tested where they are reached.
type world struct {
	t      testing.TB
	db     *store.DB
	rows   *store.Health
	log    *recorder
	config health.Config
	*health.Service

	ahead atomic.Int64 // of the clock

	mu     sync.Mutex
	keys   map[string]*vaultKey // by URI
	opened sync.Map             // tenant to how often a root key of it was said to work again
}

// A vaultKey is a root key in memory.
type vaultKey struct {
	facts    rootkey.Facts
	failed   error            // what every call gives
	versions map[string]error // what trying a version gives, beyond that
	wraps    error            // what wrapping gives
	many     int              // versions
	life     string           // of its rotation policy
	takes    time.Duration    // each call
	looks    int              // so often it was tried
	deeps    int              // so often its versions were counted
}

// recorder is the real log, and can be told to refuse.
type recorder struct {
	*audit.Log
	mu   sync.Mutex
	deaf bool
}

func (r *recorder) setDeaf(deaf bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = deaf
}

func (r *recorder) Record(ctx context.Context, e audit.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deaf {
		return errors.New("the disk is full")
	}
	return r.Log.Record(ctx, e)
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	w := &world{t: t, db: db, rows: store.NewHealth(db), keys: map[string]*vaultKey{}}
	w.must(err)
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "service"})
	w.must(err)
	w.log = &recorder{Log: log}
	w.config = health.Config{
		Store: w.rows, Audit: w.log, Seal: seal.Of(envelope.NewKey()), Log: slog.New(slog.DiscardHandler), Spread: func() float64 { return 0.5 },
		Now:    func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
		Key:    func(ref hierarchy.RootRef) (health.Key, error) { return reached{w, ref.URI}, nil },
		Opened: func(_ context.Context, tenant string) { w.opened.Store(tenant, w.openedOf(tenant)+1) },
	}
	w.Service, err = health.New(w.config)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// bubble runs fn in a world of its own under virtual time.
func bubble(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	if fips140.Enabled() {
		t.Skip("Go's FIPS random source measures real time, which stands still under virtual time")
	}
	synctest.Test(t, func(t *testing.T) { fn(t, newWorld(t, storetest.SQLite(t, store.ServiceAreas()...))) })
}

// running runs the service until the returned function is called.
func (w *world) running() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// key makes a good root key.
func (w *world) key(vault, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	uri := "https://" + vault + ".vault.localhost/keys/" + name
	w.keys[uri] = &vaultKey{versions: map[string]error{}, many: 1, facts: rootkey.Facts{
		KeyID: uri + "/1", Type: "RSA", Bits: 2048, Enabled: true, Ops: []string{"wrapKey", "unwrapKey"}, RecoveryLevel: "Recoverable+ProtectedSubscription",
	}}
	return uri
}

func (w *world) change(uri string, fn func(k *vaultKey)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn(w.keys[uri])
}

func (w *world) deeps(uri string) (n int) {
	w.change(uri, func(k *vaultKey) { n = k.deeps })
	return n
}

func (w *world) looks(uri string) (n int) {
	w.change(uri, func(k *vaultKey) { n = k.looks })
	return n
}

func denied(reason string) error {
	return fault.New(fault.Denied, "it is refused, %s", reason).WithReason(reason).WithHint("grant it")
}

func silent() error {
	return fault.New(fault.Unavailable, "it cannot be reached").WithReason("Unreachable").WithHint("check the network")
}

// reached is one key as the service reaches it.
type reached struct {
	w   *world
	uri string
}

// call returns the key, or how it fails.
func (r reached) call(ctx context.Context) (vaultKey, error) {
	r.w.mu.Lock()
	k := *r.w.keys[r.uri]
	r.w.mu.Unlock()
	if k.takes > 0 {
		select {
		case <-time.After(k.takes):
		case <-ctx.Done():
			return k, ctx.Err()
		}
	}
	return k, k.failed
}

func (r reached) Inspect(ctx context.Context) (rootkey.Facts, error) {
	k, err := r.call(ctx)
	return k.facts, err
}

func (r reached) Try(ctx context.Context, kid string) error {
	r.w.change(r.uri, func(k *vaultKey) { k.looks++ })
	k, err := r.call(ctx)
	if err != nil {
		return err
	}
	return k.versions[kid]
}

func (r reached) Wrap(ctx context.Context, _ envelope.Key) (string, []byte, error) {
	k, err := r.call(ctx)
	if err == nil {
		err = k.wraps
	}
	return k.facts.KeyID, []byte("wrapped"), err
}

func (r reached) Versions(ctx context.Context, most int) (int, error) {
	r.w.change(r.uri, func(k *vaultKey) { k.deeps++ })
	k, err := r.call(ctx)
	if err == nil && k.many == 0 {
		err = denied("AccessDenied")
	}
	return min(k.many, most), err
}

func (r reached) Rotation(ctx context.Context) (string, error) {
	k, err := r.call(ctx)
	return k.life, err
}

// A tenant is a customer with two root keys and an administrator.
type tenant struct {
	*world
	id    string
	admin directory.Caller
	uris  [2]string
	refs  [2]hierarchy.RootRef
}

func (w *world) tenant() *tenant {
	w.t.Helper()
	c := &tenant{world: w, id: uuid.NewString()}
	c.admin = c.caller(directory.ComplianceAdministrator)
	for i, side := range []string{"east", "west"} {
		c.uris[i] = w.key(c.id[:8]+"-"+side, "root")
		c.refs[i] = hierarchy.RootRef{Tenant: c.id, App: directory.MultiWorkloadApp, URI: c.uris[i]}
	}
	return c
}

func (c *tenant) caller(roles ...directory.Role) directory.Caller {
	return directory.Caller{Tenant: c.id, ID: uuid.NewString(), Kind: directory.User, Name: "somebody", Roles: roles, Request: uuid.NewString()}
}

// mustPolicy stores a policy of a family under version 1 of the tenant's root keys.
func (c *tenant) mustPolicy(name string, f policy.Family) policy.Policy {
	c.t.Helper()
	p := policy.Policy{
		Tenant: c.id, ID: uuid.NewString(), Family: f, Name: name, Enabled: true, State: policy.PendingActivation, Roots: c.refs,
		AvailabilityKey: "a", Number: 1, Created: time.Now(), Updated: time.Now(),
	}
	g := c.generation(p, 1)
	p.Generation = g.ID
	c.must(store.NewPolicy(c.db).Apply(c.t.Context(), policy.Edit{Tenant: c.id, Policy: &p, Generation: &g}))
	p.Revision = 1
	return p
}

// generation returns the n-th of a policy, under version n of its root keys.
func (c *tenant) generation(p policy.Policy, n int) hierarchy.Generation {
	g := hierarchy.Generation{
		Tenant: c.id, ID: uuid.NewString(), Policy: p.ID, Number: n, State: hierarchy.Active, AvailabilityKey: "a", AvailabilityWrapped: []byte("w"),
		Commitment: []byte("c"), Created: time.Now().UTC().Truncate(time.Microsecond),
	}
	for i, ref := range p.Roots {
		g.Roots[i] = hierarchy.RootCopy{Ref: ref, KeyID: fmt.Sprintf("%s/%d", ref.URI, n), Alg: hierarchy.Alg, Wrapped: []byte("w")}
	}
	return g
}

// mustRefresh gives a policy its next generation.
func (c *tenant) mustRefresh(p policy.Policy) policy.Policy {
	c.t.Helper()
	g := c.generation(p, p.Number+1)
	p.Generation, p.Number = g.ID, g.Number
	c.must(store.NewPolicy(c.db).Apply(c.t.Context(), policy.Edit{Tenant: c.id, Policy: &p, Generation: &g}))
	p.Revision++
	return p
}

// test looks at the roots of a policy now.
func (c *tenant) test(p policy.Policy) health.Report {
	c.t.Helper()
	reports, err := c.Test(c.t.Context(), c.admin, health.Query{Family: p.Family, Identity: p.Name})
	c.must(err)
	return reports[0]
}

// report returns how a policy is, without looking.
func (c *tenant) report(p policy.Policy) health.Report {
	c.t.Helper()
	reports, err := c.Reports(c.t.Context(), c.admin, health.Query{Identity: p.ID})
	c.must(err)
	return reports[0]
}

// wantStates checks the states of a policy and its roots, in their order.
func (c *tenant) wantStates(p policy.Policy, want ...health.State) {
	c.t.Helper()
	r := c.report(p)
	got := []health.State{r.State}
	for _, root := range r.Roots {
		got = append(got, root.State)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.t.Errorf("policy and roots are %v, want %v (%s)", got, want, r.Message)
	}
}

// news returns the changes of the tenant, oldest first: type, subject, states.
func (c *tenant) news() (lines []string) {
	c.t.Helper()
	all, err := c.rows.Newest(c.t.Context(), c.id, 1000)
	c.must(err)
	for _, ch := range all {
		kind := strings.TrimPrefix(string(ch.Type), "CustomerKey.")
		lines = append([]string{fmt.Sprintf("%s %s %s>%s", kind, strings.TrimPrefix(ch.Subject(), c.id[:8]+"-"), ch.Was, ch.State)}, lines...)
	}
	return lines
}

// recorded returns the actions in the tenant's audit log that are about health.
func (c *tenant) recorded() (actions []string) {
	c.t.Helper()
	all, err := c.log.Entries(c.t.Context(), c.id, -1, 1000)
	c.must(err)
	for _, e := range all {
		if strings.HasPrefix(e.Entry.Action, "health.") {
			actions = append(actions, string(e.Entry.Decision)+" "+e.Entry.Action)
		}
	}
	return actions
}

func (w *world) openedOf(tenant string) int {
	n, _ := w.opened.Load(tenant)
	count, _ := n.(int)
	return count
}
