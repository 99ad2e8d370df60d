package mailbox_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
	"github.com/customerkey/customerkey/internal/workload"
)

// A world is one tenant's mailboxes and policies over a real database, with root keys in memory.
type world struct {
	*mailbox.Service
	t        *testing.T
	db       *store.DB
	log      *recorder
	people   *directory.Service
	policies *policy.Service
	roots    *roots
	tenant   directory.Tenant
	admin    directory.Caller
}

func newWorld(t *testing.T, change func(*mailbox.Config)) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, db: storetest.SQLite(t, store.ServiceAreas()...), roots: newRoots(t)}
	w.log = &recorder{log: must(audit.New(audit.Config{Store: store.NewAudit(w.db), Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Name: "service"}))}
	spare := storetest.SQLite(t, store.AvailabilityAreas()...)
	keys := must(availability.New(availability.Config{Store: store.NewAvailability(spare), Seal: seal.Of(envelope.NewKey()), Audit: w.log}))
	ring := must(hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(w.db), Root: w.roots.root, Availability: keys, Audit: w.log,
	}))
	t.Cleanup(func() { _ = ring.Close(context.Background()) })
	w.policies = must(policy.New(policy.Config{
		Store: store.NewPolicy(w.db), Keys: ring, Roots: w.roots, Availability: keys, Audit: w.log, Operations: store.NewOperation(w.db),
		Rule: func(string) policy.Rule { return policy.Rule{Family: policy.Mailbox} },
	}))
	w.people = must(directory.New(directory.Config{
		Store: store.NewDirectory(w.db), Seal: seal.Of(envelope.NewKey()), Codes: envelope.NewKey(), Record: w.log.directory,
		Issuer: "https://sts.localhost/", Login: "https://login.localhost",
	}))
	w.tenant = must(w.people.CreateTenant(t.Context(), directory.SystemCaller("", "test", "1"), "Contoso", "contoso.example"))
	w.admin = w.caller(directory.GlobalAdministrator)
	w.serviceOwned()
	c := mailbox.Config{
		Store: store.NewMailbox(w.db), Policies: w.policies, Audit: w.log,
		Domain: func(ctx context.Context, tenant string) (string, error) {
			t, err := w.people.Tenant(ctx, tenant)
			return t.Domain, err
		},
	}
	if change != nil {
		change(&c)
	}
	w.Service = must(mailbox.New(c))
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func second[T any](_ T, err error) error { return err }

func (w *world) caller(roles ...directory.Role) directory.Caller {
	return directory.Caller{Tenant: w.tenant.ID, ID: uuid.NewString(), Kind: directory.User, Roles: roles, Request: uuid.NewString()}
}

func (w *world) serviceOwned() {
	var refs [2]hierarchy.RootRef
	for i, uri := range []string{w.roots.key("service-one"), w.roots.key("service-two")} {
		refs[i] = hierarchy.RootRef{Tenant: "provider", App: directory.MultiWorkloadApp, URI: uri}
	}
	must(w.policies.EnsureServicePolicy(w.t.Context(), w.tenant.ID, refs))
}

// mustPerson makes a person, with a licence or without.
func (w *world) mustPerson(name string, licences ...string) directory.Person {
	w.t.Helper()
	p, err := w.people.CreatePerson(w.t.Context(), directory.SystemCaller(w.tenant.ID, "test", "1"), directory.Person{
		Tenant: w.tenant.ID, UPN: name + "@contoso.example",
	}, "a password of some length", false)
	if err == nil {
		p, err = w.people.ChangeLicences(w.t.Context(), w.admin, w.tenant.ID, p.ID, licences, nil)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) mustPolicy(name string) policy.Policy {
	w.t.Helper()
	p, err := w.policies.Create(w.t.Context(), w.admin, policy.Draft{
		Family: policy.Mailbox, Name: name, Enabled: true, KeyURIs: []string{w.roots.key("east"), w.roots.key("west")},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) mustGet(identity string) mailbox.Mailbox {
	w.t.Helper()
	m, err := w.Get(w.t.Context(), w.admin, identity)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// mustStore puts a container for a mailbox into the database, as package workload does, or with
// another id, as it once did.
func (w *world) mustStore(name, id string) {
	w.t.Helper()
	err := store.NewWorkload(w.db).AddContainer(w.t.Context(), workload.Container{
		Tenant: w.tenant.ID, Workload: mailbox.Workload, Name: name, ID: id, Owner: id,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A recorder is the real log, and can be told to refuse.
type recorder struct {
	log  *audit.Log
	mu   sync.Mutex
	deaf bool
	last []string // "decision action object", newest last
}

func (r *recorder) Record(ctx context.Context, e audit.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deaf {
		return errors.New("the disk is full")
	}
	r.last = append(r.last, string(e.Decision)+" "+e.Action+" "+e.Object)
	return r.log.Record(ctx, e)
}

func (r *recorder) directory(ctx context.Context, tenant string, c directory.Caller, action, object, decision string, detail map[string]string) error {
	return r.log.Record(ctx, audit.Entry{Tenant: tenant, Caller: c, Action: action, Object: object, Decision: audit.Decision(decision), Detail: detail})
}

func (r *recorder) entries() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.last, "\n")
}

// roots are root keys in memory: what they wrap they keep, and hand out again.
type roots struct {
	parse policy.Roots
	mu    sync.Mutex
	kept  map[string]envelope.Key
}

const suffix = "vault.localhost:8443"

func newRoots(t *testing.T) *roots {
	c, err := rootkey.New(rootkey.Config{Suffixes: []string{suffix}, Credential: func(string, string) azcore.TokenCredential { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return &roots{parse: policy.RootsOf(c), kept: map[string]envelope.Key{}}
}

func (r *roots) key(vault string) string { return "https://" + vault + "." + suffix + "/keys/root" }

func (r *roots) Parse(uri string) (canonical, vault string, err error) { return r.parse.Parse(uri) }

func (r *roots) URI(vault, name, version string) string { return r.parse.URI(vault, name, version) }

func (r *roots) Inspect(_ context.Context, _, _, uri string) (rootkey.Facts, error) {
	return rootkey.Facts{
		KeyID: uri + "/1", Type: "RSA", Bits: 2048, Enabled: true, Ops: []string{"wrapKey", "unwrapKey"}, RecoveryLevel: "Recoverable+ProtectedSubscription",
	}, nil
}

func (r *roots) root(ref hierarchy.RootRef) (hierarchy.Root, error) { return root{r, ref.URI}, nil }

type root struct {
	*roots
	uri string
}

func (r root) URI() string { return r.uri }

func (r root) Wrap(_ context.Context, key envelope.Key) (string, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := uuid.NewString()
	kept, err := envelope.KeyFromBytes(key.Expose())
	r.kept[name] = kept
	return r.uri + "/1", []byte(name), err
}

func (r root) Unwrap(_ context.Context, _ string, wrapped []byte) (envelope.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, ok := r.kept[string(wrapped)]
	if !ok {
		return envelope.Key{}, fault.New(fault.Unavailable, "nothing of that name")
	}
	return envelope.KeyFromBytes(kept.Expose())
}
