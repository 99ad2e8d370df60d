package hierarchy_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/seal"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A stack is the whole chain with nothing left out: two vaults over TLS, the official client,
// three databases, three logs.
type stack struct {
	testing.TB
	vaults         *keyvaulttest.World
	admin, service directory.Caller
	alice, system  directory.Caller
	db             *store.DB
	log            *audit.Log
	availability   *availability.Service
	keys           *hierarchy.Keyring
	policy         string
	refs           [2]hierarchy.RootRef
	named          sync.Map     // request ids that were sent to a vault
	way            *http.Client // to the vaults; straight if nil
	attempts       int          // of each call to a vault; the client's own number if 0
	first          func() int   // which root is asked first; any if nil
	// hopeless says of the vault of a key that it never answers, so that it is not waited for: what
	// else takes long is a busy machine. None is if nil.
	hopeless func(uri string) bool
}

// Do implements policy.Transporter: the network, with an ear on it.
func (s *stack) Do(r *http.Request) (*http.Response, error) {
	s.named.Store(r.Header.Get("X-Ms-Client-Request-Id"), true)
	if s.way != nil {
		return s.way.Do(r)
	}
	return s.vaults.Client().Do(r)
}

func mustLog(t testing.TB, db *store.DB, name string) *audit.Log {
	t.Helper()
	log, err := audit.New(audit.Config{Store: store.NewAudit(db), Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// newStack builds one over db, which is the service database, with some settings changed.
func newStack(t testing.TB, db *store.DB, change ...func(*stack)) *stack {
	t.Helper()
	w := keyvaulttest.New(t, storetest.SQLite(t, store.VaultAreas()...))
	s := &stack{
		TB: t, vaults: w, admin: w.Person("admin@contoso.example"), service: w.Person("the service"),
		alice: w.Person("alice@contoso.example"), system: directory.SystemCaller(w.Tenant, "test", "request-1"),
		db: db, log: mustLog(t, db, "service"), policy: uuid.NewString(),
	}
	for _, c := range change {
		c(s)
	}
	s.service.Kind, s.service.App = directory.App, directory.MultiWorkloadApp
	for i, vault := range []string{"contoso-east", "contoso-west"} {
		w.MustVault(vault, keyvaulttest.Can(s.admin, rights.All),
			keyvaulttest.Can(s.service, rights.Get, rights.WrapKey, rights.UnwrapKey))
		s.roll(i)
		s.refs[i] = hierarchy.RootRef{Tenant: w.Tenant, App: directory.MultiWorkloadApp, URI: w.VaultURL(vault) + "/keys/" + name(i)}
	}
	patient, hasty := s.rootClient(patience), s.rootClient(300*time.Millisecond)
	own := storetest.SQLite(t, store.AvailabilityAreas()...)
	var err error
	s.availability, err = availability.New(availability.Config{Store: store.NewAvailability(own), Seal: seal.Of(envelope.NewKey()), Audit: mustLog(t, own, "availability")})
	s.must(err)
	s.keys, err = hierarchy.New(hierarchy.Config{
		Store: store.NewHierarchy(db), Availability: s.availability, Audit: s.log, Hold: time.Nanosecond, First: s.first, Attempt: patience,
		Root: func(r hierarchy.RootRef) (hierarchy.Root, error) {
			if s.hopeless != nil && s.hopeless(r.URI) {
				return hasty.Key(r.Tenant, r.App, r.URI)
			}
			return patient.Key(r.Tenant, r.App, r.URI)
		},
	})
	s.must(err)
	t.Cleanup(func() { s.must(s.keys.Close(context.Background())) })
	return s
}

// patience is how long a vault is waited for that does answer: a busy machine is no dead vault.
const patience = 5 * time.Minute

// rootClient returns a client of the vaults that gives up after some time.
func (s *stack) rootClient(after time.Duration) *rootkey.Client {
	s.Helper()
	c, err := rootkey.New(rootkey.Config{
		Suffixes: []string{"vault." + s.vaults.Domain()}, Transport: s, Request: hierarchy.RequestID,
		Attempts: s.attempts, AttemptTimeout: after, Timeout: after,
		Credential: func(string, string) azcore.TokenCredential { return s.vaults.Credential(s.service) },
	})
	s.must(err)
	return c
}

func name(i int) string { return []string{"root1", "root2"}[i] }

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stack) vault(i int) string { return []string{"contoso-east", "contoso-west"}[i] }

func (s *stack) roll(i int) {
	s.Helper()
	_, err := s.vaults.CreateKey(context.Background(), s.admin, s.vault(i), name(i), keyvault.NewKey{Type: "RSA"})
	s.must(err)
}

// permit gives the service its rights in one vault, or takes them away.
func (s *stack) permit(i int, yes bool) {
	s.Helper()
	how := rights.RemoveAccess
	if yes {
		how = rights.AddAccess
	}
	grants := []rights.Grant{keyvaulttest.Can(s.service, rights.Get, rights.WrapKey, rights.UnwrapKey)}
	_, err := s.vaults.SetAccess(context.Background(), s.vaults.Owner, s.vaults.Subscription.ID, "keys", s.vault(i), how, grants)
	s.must(err)
}

func (s *stack) generation(number int, availabilityKey string) hierarchy.Generation {
	s.Helper()
	g, err := s.keys.NewGeneration(context.Background(), s.system, s.vaults.Tenant, s.policy, number, s.refs, availabilityKey)
	s.must(err)
	s.must(s.db.Write(context.Background(), func(ctx context.Context, q store.DBTX) error { return store.AddGeneration(ctx, q, g) }))
	return g
}

func (s *stack) container() hierarchy.Container {
	return hierarchy.Container{Tenant: s.vaults.Tenant, ID: "mailbox", Workload: "exchange"}
}

// read opens an item as the caller, without a lease of before.
func (s *stack) read(caller directory.Caller, g hierarchy.Generation, wrapped, aad []byte) error {
	s.keys.Drop(s.vaults.Tenant, g.ID)
	o, err := s.keys.ForOpening(context.Background(), caller, s.container(), 1)
	if err != nil {
		return err
	}
	defer o.Close()
	key, err := o.ItemKey(wrapped, aad)
	key.Destroy()
	return err
}

// TestRootsOfACustomer is the product in one test: seal, roll, take back, give back.
func TestRootsOfACustomer(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		s, ctx := newStack(t, db), t.Context()
		key, err := s.availability.Create(ctx, s.system, availability.Scope{Kind: availability.PerPolicy, Tenant: s.vaults.Tenant, Policy: s.policy})
		s.must(err)
		g1 := s.generation(1, key)
		o, err := s.keys.ForSealing(ctx, s.alice, s.container(), hierarchy.Target{Policy: s.policy, Generation: g1.ID})
		s.must(err)
		aad := envelope.Bind("item key 1", s.vaults.Tenant, "mailbox", "1")
		_, wrapped, err := o.NewItemKey(aad)
		s.must(err)
		o.Close()

		s.roll(0) // the customer rolls one root; the old version is needed until the key has moved
		g2 := s.generation(2, key)
		if g1.Roots[0].KeyID == g2.Roots[0].KeyID || g1.Roots[1].KeyID != g2.Roots[1].KeyID {
			t.Errorf("root versions %s, %s became %s, %s", g1.Roots[0].KeyID, g1.Roots[1].KeyID, g2.Roots[0].KeyID, g2.Roots[1].KeyID)
		}
		s.must(s.read(s.alice, g1, wrapped, aad))
		o, err = s.keys.ForSealing(ctx, s.alice, s.container(), hierarchy.Target{Policy: s.policy, Generation: g2.ID})
		s.must(err)
		o.Close()
		s.must(db.Write(ctx, func(ctx context.Context, q store.DBTX) error {
			gone, err := store.DestroyGeneration(ctx, q, s.vaults.Tenant, g1.ID, time.Now())
			if err == nil && !gone {
				err = errors.New("the drained generation was not destroyed")
			}
			return err
		}))
		s.must(s.read(s.alice, g2, wrapped, aad))

		s.permit(0, false)
		s.must(s.read(s.alice, g2, wrapped, aad)) // one vault closed: still readable
		s.permit(1, false)
		err = s.read(s.alice, g2, wrapped, aad)
		e := fault.As(err)
		if e.Code != fault.Denied || !strings.Contains(e.Message, "contoso-east/root1 and contoso-west/root2, are closed to the service") {
			t.Errorf("both closed: %v", err)
		}
		s.must(s.read(s.system, g2, wrapped, aad)) // the service's own work goes on
		if err := s.read(s.alice, g2, wrapped, aad); !fault.Is(err, fault.Denied) {
			t.Errorf("a user after system work: %v", err)
		}
		s.permit(1, true)
		s.must(s.read(s.alice, g2, wrapped, aad))
		s.checkLogs(t)
	})
}

// checkLogs fails unless the use of the availability key stands in the customer's log, and the
// vaults were told which requests caused their work.
func (s *stack) checkLogs(t *testing.T) {
	t.Helper()
	entries, err := s.log.Entries(t.Context(), s.vaults.Tenant, 0, 1000)
	s.must(err)
	uses := 0
	for _, e := range entries {
		e := e.Entry
		if e.Action == "availability.use" {
			uses++
			if e.Detail["Operation"] != "Fallback to Availability Key" || e.Detail["PolicyId"] != s.policy || e.Detail["RequestId"] != s.system.Request {
				t.Errorf("%+v", e)
			}
		}
	}
	if uses != 1 {
		t.Errorf("%d uses of the availability key in the log, want 1", uses)
	}
	unwraps := map[string]bool{} // CK-377: the vaults' own log has the ids of our requests
	for _, e := range s.vaults.Entries() {
		if e.Action == string(keyvault.Unwrap) {
			unwraps[e.Detail["client_request"]] = true
		}
	}
	for _, caller := range []directory.Caller{s.alice, s.system} {
		if _, ok := s.named.Load(caller.Request); !ok {
			t.Errorf("the vaults were not told of %s's request", caller.Kind)
		}
		if !unwraps[caller.Request] {
			t.Errorf("no unwrap in the vaults' log is joined to %s's request %s: %v", caller.Kind, caller.Request, unwraps)
		}
	}
}

// BenchmarkLease measures getting to an item key: with the vaults asked again each time, with
// roots that answer at once, and under a lease that is in force.
func BenchmarkLease(b *testing.B) {
	s := newStack(b, storetest.SQLite(b, store.ServiceAreas()...))
	ctx := b.Context()
	key, err := s.availability.Create(ctx, s.system, availability.Scope{Kind: availability.PerPolicy, Tenant: s.vaults.Tenant, Policy: s.policy})
	s.must(err)
	g := s.generation(1, key)
	o, err := s.keys.ForSealing(ctx, s.alice, s.container(), hierarchy.Target{Policy: s.policy, Generation: g.ID})
	s.must(err)
	defer o.Close()
	aad := envelope.Bind("item key 1", s.vaults.Tenant, "mailbox", "1")
	_, wrapped, err := o.NewItemKey(aad)
	s.must(err)

	b.Run("cold, vault over TLS, audit on disk", func(b *testing.B) {
		for b.Loop() {
			s.must(s.read(s.alice, g, wrapped, aad))
		}
	})
	b.Run("warm, container key and item key", func(b *testing.B) {
		for b.Loop() {
			o, err := s.keys.ForOpening(ctx, s.alice, s.container(), 1)
			s.must(err)
			_, err = o.ItemKey(wrapped, aad)
			s.must(err)
			o.Close()
		}
	})
	b.Run("warm, container key and item key, parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				o, err := s.keys.ForOpening(ctx, s.alice, s.container(), 1)
				if err != nil {
					b.Error(err)
					return
				}
				o.Close()
			}
		})
	})
	b.Run("warm, item key of an open container", func(b *testing.B) {
		for b.Loop() {
			_, err = o.ItemKey(wrapped, aad)
			s.must(err)
		}
	})
	b.Run("warm, alive", func(b *testing.B) {
		for b.Loop() {
			s.must(o.Alive(ctx))
		}
	})
}
