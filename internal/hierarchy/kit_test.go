package hierarchy

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	tenant = "8a7f7c54-0000-4000-8000-000000000001"
	policy = "8a7f7c54-0000-4000-8000-0000000000aa"
)

var (
	alice  = directory.Caller{Tenant: tenant, ID: "alice", Kind: directory.User, Request: "request-of-alice"}
	system = directory.SystemCaller(tenant, "rewrap", "request-of-rewrap")

	disabled = fault.New(fault.Denied, "disabled").WithReason("KeyDisabled")
	down     = fault.New(fault.Unavailable, "down").WithReason("Unreachable")
)

// rsaKey is made once: making one takes longer than most tests here.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// A world is one tenant with two roots, an availability key, a log and a store, and whatever
// happened in it, in order.
type world struct {
	t     testing.TB
	mu    sync.Mutex
	story []string        // "record ACTION OBJECT DECISION", "root URI", "availability"
	log   []audit.Entry   // what was recorded
	mute  map[string]bool // actions that cannot be recorded
	clock time.Time       // if not zero, the time of the world

	roots        [2]*testRoot
	availability *testAvailability
	store        *memory
	keys         *Keyring
}

// newWorld returns a world with a Keyring that is closed at the end of the test. edit may
// change its configuration.
func newWorld(t testing.TB, edit func(*Config)) *world {
	t.Helper()
	w := &world{t: t, mute: map[string]bool{}, store: &memory{}}
	for i, vault := range []string{"contoso-east", "contoso-west"} {
		w.roots[i] = &testRoot{w: w, uri: fmt.Sprintf("https://%s.vault.example/keys/root%d", vault, i+1)}
	}
	w.availability = &testAvailability{w: w, key: envelope.NewKey()}
	c := Config{
		Store: w.store, Root: w.root, Availability: w.availability, Audit: w,
		First: func() int { return 0 }, Now: w.now,
	}
	if edit != nil {
		edit(&c)
	}
	keys, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.keys = keys
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	if err := w.keys.Close(context.Background()); err != nil {
		w.t.Errorf("closing: %v", err)
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clock.IsZero() {
		return time.Now()
	}
	return w.clock
}

func (w *world) root(r RootRef) (Root, error) {
	for _, root := range w.roots {
		if root.uri == r.URI {
			return root, nil
		}
	}
	return nil, errors.New("no such root")
}

func (w *world) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// Record implements audit.Recorder.
func (w *world) Record(_ context.Context, e audit.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mute[e.Action] {
		return errors.New("disk full")
	}
	w.log = append(w.log, e)
	w.story = append(w.story, fmt.Sprintf("record %s %s", e.Action, e.Decision))
	return nil
}

func (w *world) silence(actions ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute = map[string]bool{}
	for _, a := range actions {
		w.mute[a] = true
	}
}

// entries returns what was recorded with an action.
func (w *world) entries(action string) (found []audit.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.log {
		if e.Action == action {
			found = append(found, e)
		}
	}
	return found
}

// chapter returns the story since the last call.
func (w *world) chapter() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.story
	w.story = nil
	return s
}

// fail sets how both roots answer; nil is well.
func (w *world) fail(first, second error) {
	w.roots[0].set(first)
	w.roots[1].set(second)
}

func (w *world) calls() int { return w.roots[0].count() + w.roots[1].count() }

// mustGeneration makes and stores a generation of a policy; the one before becomes draining.
func (w *world) mustGeneration(policy string, number int) Generation {
	w.t.Helper()
	refs := [2]RootRef{{tenant, "app", w.roots[0].uri}, {tenant, "app", w.roots[1].uri}}
	g, err := w.keys.NewGeneration(context.Background(), system, tenant, policy, number, refs, "availability-key")
	if err != nil {
		w.t.Fatalf("making generation %d: %v", number, err)
	}
	w.store.add(g)
	w.chapter()
	return g
}

func (w *world) mustLease(caller directory.Caller, g Generation) *Lease {
	w.t.Helper()
	l, err := w.keys.Lease(context.Background(), caller, g.Tenant, g.ID)
	if err != nil {
		w.t.Fatalf("lease for %s: %v", caller.Kind, err)
	}
	return l
}

// wantDenied fails unless err is a denial.
func wantCode(t testing.TB, what string, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("%s: error %v has code %q, want %q", what, err, fault.CodeOf(err), code)
	}
}

// A testRoot is a root with a real RSA key, whose vault fails on demand.
type testRoot struct {
	w   *world
	uri string

	mu      sync.Mutex
	fails   error
	wrong   bool          // gives back another key
	lasts   time.Duration // of a call
	deaf    bool          // goes on when it is cancelled
	unwraps int
	// cancelled counts the unwraps that their caller gave up
	cancelled int
	gave      envelope.Key // by the last unwrap
}

func (r *testRoot) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = err
}

// take sets how long each call lasts from now on.
func (r *testRoot) take(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lasts = d
}

func (r *testRoot) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unwraps
}

func (r *testRoot) URI() string { return r.uri }

func (r *testRoot) Wrap(_ context.Context, key envelope.Key) (string, []byte, error) {
	r.w.tell("wrap %s", nameOf(r.uri))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return "", nil, r.fails
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &rsaKey().PublicKey, key.Expose(), nil)
	return r.uri + "/1", wrapped, err
}

func (r *testRoot) Unwrap(ctx context.Context, kid string, wrapped []byte) (envelope.Key, error) {
	r.w.tell("root %s", nameOf(r.uri))
	r.mu.Lock()
	r.unwraps++
	fails, wrong, lasts, deaf := r.fails, r.wrong, r.lasts, r.deaf
	r.mu.Unlock()
	left := ctx.Done()
	if deaf {
		left = nil
	}
	select {
	case <-time.After(lasts):
	case <-left:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cancelled++
		return envelope.Key{}, ctx.Err()
	}
	if fails != nil {
		return envelope.Key{}, fails
	}
	if wrong {
		return envelope.NewKey(), nil
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, rsaKey(), wrapped, nil)
	if err != nil || kid != r.uri+"/1" {
		return envelope.Key{}, fault.New(fault.Unavailable, "does not open")
	}
	key, err := envelope.KeyFromBytes(plain)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gave = key
	return key, err
}

// testAvailability is one availability key in memory.
type testAvailability struct {
	w     *world
	key   envelope.Key
	mu    sync.Mutex
	fails error
	uses  []availability.Use // guarded by w.mu
}

func (a *testAvailability) set(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fails = err
}

func (a *testAvailability) Wrap(_ context.Context, _ directory.Caller, _, _ string, key envelope.Key, aad []byte) ([]byte, error) {
	return envelope.WrapKey(a.key, key, aad)
}

func (a *testAvailability) Unwrap(_ context.Context, _ directory.Caller, u availability.Use, wrapped, aad []byte) (envelope.Key, error) {
	a.w.tell("availability")
	a.w.mu.Lock()
	a.uses = append(a.uses, u)
	a.w.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails != nil {
		return envelope.Key{}, a.fails
	}
	return envelope.UnwrapKey(a.key, wrapped, aad)
}

// memory is a Store for tests under virtual time, where no database runs.
type memory struct {
	mu          sync.Mutex
	generations []Generation
	keys        []ContainerKey
	before      func() // called before a write, without the lock
}

func (m *memory) add(g Generation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.generations {
		if m.generations[i].Policy == g.Policy && m.generations[i].State == Active {
			m.generations[i].State = Draining
		}
	}
	m.generations = append(m.generations, g)
}

func (m *memory) destroy(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.generations {
		if m.generations[i].ID == id {
			m.generations[i].State = Destroyed
		}
	}
}

func (m *memory) Generation(_ context.Context, tenant, id string) (Generation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.generation(tenant, id)
}

func (m *memory) generation(tenant, id string) (Generation, error) {
	i := slices.IndexFunc(m.generations, func(g Generation) bool { return g.Tenant == tenant && g.ID == id })
	if i < 0 {
		return Generation{}, fault.New(fault.NotFound, "no such generation")
	}
	return m.generations[i], nil
}

func (m *memory) ContainerKey(_ context.Context, tenant, container string, version int) (ContainerKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(tenant, container, version); i >= 0 {
		return m.keys[i], nil
	}
	return ContainerKey{}, fault.New(fault.NotFound, "no such key")
}

func (m *memory) find(tenant, container string, version int) int {
	found := -1
	for i, k := range m.keys {
		if k.Tenant == tenant && k.Container == container && (version == 0 || k.Version == version) &&
			(found < 0 || k.Version > m.keys[found].Version) {
			found = i
		}
	}
	return found
}

func (m *memory) write() func() {
	m.mu.Lock()
	before := m.before
	m.before = nil
	m.mu.Unlock()
	if before != nil {
		before()
	}
	m.mu.Lock()
	return m.mu.Unlock
}

func (m *memory) active(k ContainerKey) error {
	if g, err := m.generation(k.Tenant, k.Generation); err != nil || g.State != Active || g.Policy != k.Policy {
		return fault.New(fault.Conflict, "not active").WithReason(ReasonGenerationMoved)
	}
	return nil
}

func (m *memory) AddContainerKey(_ context.Context, k ContainerKey) error {
	defer m.write()()
	if err := m.active(k); err != nil {
		return err
	}
	if m.find(k.Tenant, k.Container, k.Version) >= 0 {
		return fault.New(fault.Conflict, "exists").WithReason(ReasonKeyExists)
	}
	m.keys = append(m.keys, k)
	return nil
}

func (m *memory) MoveContainerKey(_ context.Context, k ContainerKey, from string) error {
	defer m.write()()
	if err := m.active(k); err != nil {
		return err
	}
	i := m.find(k.Tenant, k.Container, k.Version)
	if i < 0 || m.keys[i].Generation != from {
		return fault.New(fault.Conflict, "moved").WithReason(ReasonKeyMoved)
	}
	m.keys[i] = k
	return nil
}
