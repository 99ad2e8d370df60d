package directory_test

import (
	"context"
	"crypto/x509"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

const (
	vaultAudience = "https://vault.localhost:8443"
	apiAudience   = "https://api.localhost:8443"
	password      = "correct horse battery"
)

// A world is a directory over a real database, a clock that moves by hand, and a record of
// what was recorded.
type world struct {
	*directory.Service
	t    testing.TB
	path string
	seal envelope.Key

	store *store.Directory

	mu      sync.Mutex
	now     time.Time
	entries []entry
	deaf    bool // records fail
}

type entry struct {
	tenant, action, object, decision string
	caller                           directory.Caller
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := newBareWorld(t)
	w.seedKey()
	return w
}

// newBareWorld returns a world that has never signed a token.
func newBareWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, path: filepath.Join(t.TempDir(), "service.db"), seal: envelope.NewKey(),
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	w.start()
	return w
}

// seedKey gives the directory its first issuer key, which takes long to make.
func (w *world) seedKey() {
	w.t.Helper()
	key, err := testKeys[2]()
	if err != nil {
		w.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	k := directory.IssuerKey{ID: uuid.NewString(), State: directory.CurrentKey, Created: w.now, Since: w.now}
	if k.Sealed, err = seal.Of(w.seal).Seal(envelope.Bind("issuer key 1", k.ID), der); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.AddIssuerKey(context.Background(), k); err != nil {
		w.t.Fatal(err)
	}
}

// start opens the database and a service on it: as often as called, like a restart.
func (w *world) start() {
	w.t.Helper()
	db, err := store.OpenSQLite(context.Background(), storetest.Seed(w.t, w.path, store.ServiceAreas()...), store.ServiceAreas()...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { db.Close() })
	w.store = store.NewDirectory(db)
	w.Service, err = directory.New(directory.Config{
		Store: w.store, Seal: seal.Of(w.seal), Codes: w.seal, Record: w.record,
		Issuer: "https://sts.localhost:8443/", Login: "https://login.localhost:8443",
		Audiences: []string{vaultAudience, apiAudience, "https://vault.azure.net"},
		Poll:      time.Second, Now: w.clock,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(_ context.Context, tenant string, c directory.Caller, action, object, decision string, _ map[string]string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return errors.New("the log is full")
	}
	w.entries = append(w.entries, entry{tenant, action, object, decision, c})
	return nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) setDeaf(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
}

// count returns how many records there are.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.entries)
}

// last returns the newest record.
func (w *world) last() entry {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.entries) == 0 {
		w.t.Fatal("nothing was recorded")
	}
	return w.entries[len(w.entries)-1]
}

var system = directory.SystemCaller("", "test", "request-1")

func (w *world) mustTenant(domain string) directory.Tenant {
	w.t.Helper()
	t, err := w.CreateTenant(context.Background(), system, "The "+domain, domain)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) mustPerson(t directory.Tenant, local string, roles ...directory.Role) directory.Person {
	w.t.Helper()
	p, err := w.CreatePerson(context.Background(), system, directory.Person{Tenant: t.ID, UPN: local + "@" + t.Domain, Roles: roles}, password, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) mustApp(t directory.Tenant, roles ...directory.Role) (directory.ServicePrincipal, string) {
	w.t.Helper()
	p, secret, err := w.CreateApp(context.Background(), system, t.ID, "importer", roles)
	if err != nil {
		w.t.Fatal(err)
	}
	return p, secret
}

func (w *world) verifier(audiences ...string) *directory.Verifier {
	w.t.Helper()
	v, err := directory.NewVerifier(directory.VerifierConfig{Keys: w.Keys, Issuer: w.Issuer, Audiences: audiences, Now: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}
