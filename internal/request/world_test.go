package request_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// kinds of the tests, one for each thing that a rule can say.
var kinds = map[request.Kind]request.Rule{
	"both":     {Askers: askers, Needs: request.NeedsBoth, Operation: "both"},
	"slow":     {Askers: askers, Needs: request.NeedsBoth, Wait: time.Hour, Operation: "slow"},
	"officer1": {Askers: askers, Needs: request.NeedsOfficer, Operation: "officer1"},
	"operator": {Askers: askers, Needs: request.NeedsOperator, Lasts: time.Hour, Operation: "operator1"},
	"rule":     {Askers: askers, Needs: request.NeedsRule, Operation: "rule"},
}

var askers = []directory.Role{directory.GlobalAdministrator, directory.ComplianceAdministrator}

// start is where the clock of a world begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A world is a service with everything real, on one engine, and a clock that the test moves.
type world struct {
	t       testing.TB
	db      *store.DB
	rows    *store.Request
	log     *recorder
	service *request.Service
	config  request.Config

	provider string
	operator directory.Caller
	people   map[string]directory.Caller // by name

	mu    sync.Mutex
	clock time.Time      // may be set
	up    time.Duration  // for how long there has been a world
	deeds map[string]int // by request, how often its deed ran
	fail  error          // what deeds return

	attempts int // of runners; the usual number if 0
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) { fn(t, newWorld(t, db)) })
}

// embedded is each on the embedded engine alone, for rules that no engine has a part in.
func embedded(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	fn(t, newWorld(t, storetest.SQLite(t, store.ServiceAreas()...)))
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "service"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, db: db, rows: store.NewRequest(db), log: &recorder{Log: log}, provider: uuid.NewString(), clock: start,
		deeds: map[string]int{}, people: map[string]directory.Caller{},
	}
	w.operator = w.person("operator", w.provider, directory.ServiceOperator)
	w.config = request.Config{
		Store: w.rows, Audit: w.log, Kinds: kinds, Families: []string{"mailbox", "sharepoint"}, Now: w.now, Uptime: w.uptime, Person: w.find,
	}
	w.service = w.open()
	return w
}

// open makes a service over the world's rows, as a node does when it starts.
func (w *world) open() *request.Service {
	w.t.Helper()
	s, err := request.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// set sets the clock, on or back.
func (w *world) set(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) uptime() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up
}

// rest lets time pass that no process sees.
func (w *world) rest(d time.Duration) {
	w.set(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.up += d
}

// pass has a node run for a while.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.tend()
	for d > 0 {
		step := min(d, 5*time.Minute)
		w.rest(step)
		w.tend()
		d -= step
	}
}

func (w *world) tend() {
	w.t.Helper()
	if err := w.service.Tend(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// person makes somebody; he can be found by name in his tenant.
func (w *world) person(name, tenant string, roles ...directory.Role) directory.Caller {
	c := directory.Caller{Tenant: tenant, ID: uuid.NewString(), Kind: directory.User, Name: name, Roles: roles, Request: uuid.NewString()}
	w.people[tenant+"/"+name] = c
	return c
}

func (w *world) find(_ context.Context, tenant, who string) (id, name string, err error) {
	for _, c := range w.people {
		if c.Tenant == tenant && (c.Name == who || c.ID == who) {
			return c.ID, c.Name, nil
		}
	}
	return "", "", fault.New(fault.NotFound, "no such person")
}

// A tenant is a customer with an administrator and an officer for mailboxes.
type tenant struct {
	id             string
	admin, officer directory.Caller
}

func (w *world) tenant() tenant {
	w.t.Helper()
	id := uuid.NewString()
	c := tenant{id, w.person("admin", id, directory.GlobalAdministrator), w.person("officer", id)}
	if r, err := w.service.AddOfficer(w.t.Context(), c.admin, "mailbox", "officer"); err != nil || r != nil {
		w.t.Fatalf("naming the first officer: %v, %v", r, err)
	}
	return c
}

func (w *world) mustAsk(c directory.Caller, kind request.Kind, subject string) request.Request {
	w.t.Helper()
	r, err := w.service.Ask(w.t.Context(), c, request.Ask{
		Kind: kind, Family: "mailbox", Subject: subject, Reason: "we leave", Contact: "legal@contoso.example",
		Detail: []request.Fact{{Name: "Mailboxes", Value: "3"}},
	})
	if err != nil {
		w.t.Fatalf("asking for %s: %v", kind, err)
	}
	return r
}

func (w *world) mustApprove(c directory.Caller, r request.Request) request.Request {
	w.t.Helper()
	r, err := w.service.Approve(w.t.Context(), c, r.ID, r.Digest())
	if err != nil {
		w.t.Fatalf("approving as %s: %v", c.Name, err)
	}
	return r
}

func (w *world) mustGet(c directory.Caller, r request.Request) request.Request {
	w.t.Helper()
	r, err := w.service.Get(w.t.Context(), c, r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// visible lists the ids that a caller sees.
func (w *world) visible(c directory.Caller, ended bool) (ids []string) {
	w.t.Helper()
	err := w.service.Each(w.t.Context(), c, "", ended, func(r request.Request) error {
		if r.Unreadable != nil {
			wants(w.t, "a damaged one in a list", r.Unreadable, fault.Corrupt, "")
			r.ID = "damaged"
		}
		ids = append(ids, r.ID)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

// runAll runs what is due of a tenant until nothing is.
func (w *world) runAll(tenant string) {
	w.t.Helper()
	rows := store.NewOperation(w.db)
	runner, err := operation.New(operation.Config{Store: rows, Handlers: w.handlers(), Now: w.now, Lease: time.Minute, Beat: 5 * time.Millisecond, Attempts: w.attempts})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- runner.Run(ctx) }()
	for ctx.Err() == nil {
		ops, err := rows.List(ctx, tenant, "", 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		busy := slices.ContainsFunc(ops, func(o operation.Operation) bool {
			return o.State == operation.Running || o.State == operation.Waiting && !o.LeaseUntil.After(w.now())
		})
		if !busy {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if ctx.Err() != nil {
		w.t.Fatal("operations did not come to rest")
	}
	stop()
	if err := <-ran; err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) handlers() map[string]operation.Handler {
	deed := w.service.Handler(func(_ context.Context, _ *operation.Run, r request.Request) (string, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.deeds[r.ID]++
		return "3 mailboxes", w.fail
	})
	all := maps.Clone(w.service.Handlers())
	for _, rule := range kinds {
		all[rule.Operation] = deed
	}
	return all
}

// ran returns how often the deed of a request was begun.
func (w *world) ran(r request.Request) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deeds[r.ID]
}

// entries counts the entries of a log by action and decision.
func (w *world) entries(tenant string) map[string]int {
	w.t.Helper()
	list, err := w.log.Entries(w.t.Context(), tenant, -1, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range list {
		count[e.Entry.Action+" "+string(e.Entry.Decision)]++
	}
	return count
}

// wants checks the code and reason of an error.
func wants(t testing.TB, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if !fault.Is(err, code) || reason != "" && fault.As(err).Reason != reason {
		t.Errorf("%s: %v (%s %s), want %s %s", what, err, fault.CodeOf(err), fault.As(err).Reason, code, reason)
	}
}

// A recorder is the real log, and can be told to refuse.
type recorder struct {
	*audit.Log
	refuse bool
}

func (r *recorder) Record(ctx context.Context, e audit.Entry) error {
	if r.refuse {
		return errors.New("the disk is full")
	}
	return r.Log.Record(ctx, e)
}
