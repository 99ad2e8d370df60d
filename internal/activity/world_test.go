package activity_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var noon = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

// areas is the one area that these tests need.
func areas() []store.Area { return store.AvailabilityAreas()[:1] }

// A world is a real log under a clock that the test sets, and the service over it.
type world struct {
	*activity.Service
	log *brittle
	now time.Time
}

// A brittle log can be told to write nothing more.
type brittle struct {
	*audit.Log
	mu     sync.Mutex
	broken bool
}

func (l *brittle) Record(ctx context.Context, e audit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return errors.New("the disk is full")
	}
	return l.Log.Record(ctx, e)
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{now: noon}
	key := ed25519.NewKeyFromSeed([]byte("a seed for tests, and only tests"))
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "service", Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.log = &brittle{Log: log}
	if w.Service, err = activity.New(activity.Config{Log: w.log, Server: "outlook.localhost"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// person returns somebody with roles, in a request of his own.
func person(tenant, name string, roles ...directory.Role) directory.Caller {
	return directory.Caller{
		Tenant: tenant, ID: uuid.NewString(), Kind: directory.User, Name: name, App: "app-1", Address: "192.0.2.7", Roles: roles, Request: uuid.NewString(),
	}
}

func admin(tenant string) directory.Caller {
	return person(tenant, "admin@contoso.example", directory.GlobalAdministrator)
}

// tb is what a test and a rapid test have in common.
type tb interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// all returns the records that a query finds.
func (w *world) all(t tb, reader directory.Caller, q activity.Query) (list []activity.Record) {
	t.Helper()
	must(t, w.Search(t.Context(), reader, q, func(r activity.Record) error {
		list = append(list, r)
		return nil
	}))
	return list
}

// one returns the only record of a tenant.
func (w *world) one(t tb, tenant string) activity.Record {
	t.Helper()
	list := w.all(t, admin(tenant), activity.Query{})
	if len(list) != 1 {
		t.Fatalf("%d records: %+v", len(list), list)
	}
	return list[0]
}
