package onboarding_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/resourcemanager"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// A world is an organization with two subscriptions, a vault in each and good keys, the vaults'
// two faces over real TLS, and the service that looks at them through the official clients.
type world struct {
	t        testing.TB
	vault    *keyvaulttest.World
	db       *store.DB
	log      *audit.Log
	requests *request.Service
	service  *onboarding.Service
	config   onboarding.Config

	admin, keeper directory.Caller // of policies, of keys
	looker        directory.Caller // the onboarding service's principal
	principal     directory.Caller // the family's
	operator      directory.Caller
	subscriptions [2]keyvault.Subscription
	used          bool
	licensed      bool
	rewrite       *rewriter

	first struct { // as they were made
		looker directory.Caller
		config onboarding.Config
	}
}

func newWorld(t testing.TB, gate onboarding.Gate) *world {
	t.Helper()
	db := openDB(t, "service.db", store.ServiceAreas())
	w := &world{t: t, db: db, vault: keyvaulttest.New(t, openDB(t, "vault.db", store.VaultAreas())), licensed: true}
	w.admin, w.keeper = w.vault.Person("admin@contoso.example"), w.vault.Person("keys@contoso.example")
	w.admin.Roles = []directory.Role{directory.GlobalAdministrator}
	w.looker, w.principal = w.app(directory.OnboardingApp), w.app(directory.MultiWorkloadApp)
	w.operator = w.vault.Operator("operator@provider.example")
	w.customer()
	_, key, err := ed25519.GenerateKey(nil)
	w.must(err)
	w.log, err = audit.New(audit.Config{Store: store.NewAudit(db), Key: key, Name: "service"})
	w.must(err)
	kinds, err := onboarding.Rules(gate)
	w.must(err)
	w.requests, err = request.New(request.Config{
		Store: store.NewRequest(db), Audit: w.log, Kinds: kinds,
		Person: func(context.Context, string, string) (id, name string, err error) {
			return "", "", fault.New(fault.NotFound, "no")
		},
	})
	w.must(err)
	w.rewrite = &rewriter{next: w.vault.Client()}
	places, err := resourcemanager.New(resourcemanager.Config{
		Endpoint: "https://management." + w.vault.Domain(), Transport: w.rewrite, Attempts: 1,
		Credential: func(string) azcore.TokenCredential { return w.vault.Credential(w.looker) },
	})
	w.must(err)
	roots, err := rootkey.New(rootkey.Config{
		Suffixes: []string{"vault." + w.vault.Domain()}, Transport: w.rewrite, Attempts: 1,
		Credential: func(string, string) azcore.TokenCredential { return w.vault.Credential(w.principal) },
		Now:        w.vault.Now, AttemptTimeout: 5 * time.Minute, Timeout: 5 * time.Minute, // a busy machine is no dead vault
	})
	w.must(err)
	w.config = onboarding.Config{
		Store: store.NewOnboarding(db), Audit: w.log, Requests: w.requests, Places: places, Roots: roots, Gate: gate,
		Tenant:        w.tenant,
		Used:          func(context.Context, string, string) (bool, error) { return w.used, nil },
		Licensed:      func(context.Context, string) (bool, error) { return w.licensed, nil },
		RecoveryLevel: "Recoverable+ProtectedSubscription", Now: w.vault.Now, Timeout: 5 * time.Minute,
	}
	w.open()
	w.first.looker, w.first.config = w.looker, w.config
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.service, err = onboarding.New(w.config)
	w.must(err)
}

func openDB(t testing.TB, name string, areas []store.Area) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(t.Context(), storetest.Seed(t, filepath.Join(t.TempDir(), name), areas...), areas...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) app(id string) directory.Caller {
	c := w.vault.Person("app")
	c.Kind, c.App = directory.App, id
	return c
}

func (w *world) tenant(_ context.Context, idOrDomain string) (string, error) {
	switch idOrDomain {
	case w.vault.Tenant, "contoso.example":
		return w.vault.Tenant, nil
	case "fabrikam.example":
		return uuid.NewString(), nil
	}
	return "", fault.New(fault.NotFound, "no such tenant")
}

// customer does what docs/onboarding.md says, on both sides.
func (w *world) customer() {
	w.t.Helper()
	east := w.vault.Subscription
	west := keyvault.Subscription{ID: uuid.NewString(), Tenant: w.vault.Tenant, DisplayName: "west", Owner: w.vault.Owner.ID}
	w.must(w.vault.PutSubscription(w.t.Context(), w.operator, west))
	w.subscriptions = [2]keyvault.Subscription{east, west}
	for i, side := range []string{"east", "west"} {
		w.vault.Subscription = w.subscriptions[i]
		if i == 1 {
			_, _, err := w.vault.PutGroup(w.t.Context(), w.vault.Owner, keyvault.Group{Subscription: west.ID, Name: "keys", Location: keyvaulttest.Location})
			w.must(err)
		}
		w.vault.SetProtected(true)
		w.reader(i)
		w.mustVault(i, "contoso-"+side, 90, true, w.principal)
		w.mustKey("contoso-"+side, "root", keyvault.NewKey{Type: "RSA", Bits: 2048, Ops: []string{"wrapKey", "unwrapKey"}})
	}
}

// restore takes back what a test has changed of what is there.
func (w *world) restore() {
	w.t.Helper()
	w.rewrite.set(nil)
	w.used, w.licensed, w.looker, w.config = false, true, w.first.looker, w.first.config
	w.open()
	no := false
	for i, name := range []string{"contoso-east", "contoso-west"} {
		w.vault.Subscription = w.subscriptions[i]
		w.vault.SetProtected(true)
		w.put(i, keyvault.VaultSpec{Name: name, RetentionDays: 90, PurgeProtection: true, RBAC: &no, Access: w.access(w.principal)})
	}
}

// reader lets the onboarding service look at a subscription.
func (w *world) reader(i int) {
	w.t.Helper()
	_, _, err := w.vault.AssignRole(w.t.Context(), w.vault.Owner, rights.Assignment{
		ID: uuid.NewString(), Scope: rights.Scope{Subscription: w.subscriptions[i].ID}, Role: rights.Reader, Principal: w.looker.ID, Kind: rights.ServicePrincipal,
	})
	w.must(err)
}

// mustVault makes a vault, each side in a region of its own, or changes it; who may use its keys.
func (w *world) mustVault(i int, name string, days int, protected bool, users ...directory.Caller) {
	w.t.Helper()
	w.put(i, keyvault.VaultSpec{Name: name, RetentionDays: days, PurgeProtection: protected, Access: w.access(users...)})
}

// access is who may do what with a vault's keys.
func (w *world) access(users ...directory.Caller) []rights.Grant {
	grants := []rights.Grant{keyvaulttest.Can(w.keeper, "create", "import", "update", "get")}
	for _, u := range users {
		grants = append(grants, keyvaulttest.Can(u, "get", "wrapKey", "unwrapKey"))
	}
	return grants
}

func (w *world) put(i int, spec keyvault.VaultSpec) {
	w.t.Helper()
	spec.Subscription, spec.Group = w.subscriptions[i].ID, "keys"
	if spec.SKU == "" {
		spec.SKU = "premium"
	}
	if spec.Location == "" {
		spec.Location = []string{"westeurope", "swedencentral"}[i]
	}
	_, _, err := w.vault.PutVault(w.t.Context(), w.vault.Owner, spec)
	w.must(err)
}

// pair is the RSA key of all vaults here: making one takes long.
var pair = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func (w *world) mustKey(vault, name string, k keyvault.NewKey) {
	w.t.Helper()
	if k.Type == "EC" {
		_, err := w.vault.CreateKey(w.t.Context(), w.keeper, vault, name, k)
		w.must(err)
		return
	}
	key, secret := pair(), func(n *big.Int) keyvault.Secret { return keyvault.NewSecret(n.Bytes()) }
	k.Bits = 0
	_, err := w.vault.ImportKey(w.t.Context(), w.keeper, vault, name, k, keyvault.JWK{
		Type: "RSA", N: key.N.Bytes(), E: big.NewInt(int64(key.E)).Bytes(), D: secret(key.D), P: secret(key.Primes[0]), Q: secret(key.Primes[1]),
		DP: secret(key.Precomputed.Dp), DQ: secret(key.Precomputed.Dq), QI: secret(key.Precomputed.Qinv),
	})
	w.must(err)
}

// input is what the administrator asks for when nothing is wrong.
func (w *world) input(m onboarding.Mode) onboarding.Input {
	return onboarding.Input{
		Organization: "contoso.example", Scenario: onboarding.MDEP, Mode: m,
		Subscriptions: [2]string{w.subscriptions[0].ID, w.subscriptions[1].ID},
		Keys:          [2]string{w.vault.VaultURL("contoso-east") + "/keys/root", w.vault.VaultURL("contoso-west") + "/keys/root"},
	}
}

func (w *world) mustNew(in onboarding.Input) onboarding.Report {
	w.t.Helper()
	r, err := w.service.New(w.t.Context(), w.admin, in)
	w.must(err)
	return r
}

// failed lists the rows of what failed.
func failed(r onboarding.Report, o rootcheck.Outcome) string {
	var rows []string
	for _, c := range r.Of(o) {
		rows = append(rows, c.Row)
	}
	slices.Sort(rows)
	return strings.Join(slices.Compact(rows), " ")
}

// run works off the operations of the organization that have not been tried.
func (w *world) run() {
	w.t.Helper()
	w.runUntil(func(ops []operation.Operation) bool {
		return !slices.ContainsFunc(ops, func(o operation.Operation) bool {
			return o.State == operation.Running || o.State == operation.Waiting && o.Attempts == 0
		})
	})
}

// runUntil works them off until they are as wanted.
func (w *world) runUntil(rest func([]operation.Operation) bool) {
	w.t.Helper()
	rows := store.NewOperation(w.db)
	runner, err := operation.New(operation.Config{Store: rows, Handlers: w.service.Handlers(w.requests.Handler), Beat: 5 * time.Millisecond, Lease: time.Minute})
	w.must(err)
	ctx, stop := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- runner.Run(ctx) }()
	for ctx.Err() == nil {
		ops, err := rows.List(ctx, w.vault.Tenant, "", 100)
		w.must(err)
		if rest(ops) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.must(ctx.Err())
	stop()
	w.must(<-ran)
}

// A rewriter stands between the official clients and the faces, and changes answers of the
// resource manager: to what Azure's would say, and to what none should.
type rewriter struct {
	next *http.Client
	mu   sync.Mutex
	do   func(r *http.Request, res *http.Response) error
}

func (r *rewriter) set(do func(r *http.Request, res *http.Response) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.do = do
}

func (r *rewriter) Do(req *http.Request) (*http.Response, error) {
	res, err := r.next.Do(req)
	r.mu.Lock()
	do := r.do
	r.mu.Unlock()
	if err == nil && do != nil {
		err = do(req, res)
	}
	return res, err
}

// replace changes the body of answers whose path ends so.
func replace(end, from, to string) func(r *http.Request, res *http.Response) error {
	return func(r *http.Request, res *http.Response) error {
		if !strings.HasSuffix(r.URL.Path, end) {
			return nil
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte(from), []byte(to))
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res.Header.Del("Content-Length")
		return nil
	}
}
